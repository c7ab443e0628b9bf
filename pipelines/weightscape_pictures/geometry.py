# SPDX-License-Identifier: BSD-3-Clause
"""numpy arrays as the parts of a vtkPolyData."""

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray


def points(places):
    """Places (n, 3) as vtkPoints."""
    made = vtkPoints()
    made.SetData(numpy_to_vtk(np.ascontiguousarray(places, np.float32), deep=True))
    return made


def cells(offsets):
    """Cells that take the points in order; `offsets` says where each begins, and where the last ends."""
    made = vtkCellArray()
    made.SetData(
        numpy_to_vtkIdTypeArray(np.array(offsets, np.int64), deep=True),
        numpy_to_vtkIdTypeArray(np.arange(offsets[-1], dtype=np.int64), deep=True),
    )
    return made


def array(name, values):
    """Values as a named array."""
    made = numpy_to_vtk(np.ascontiguousarray(values), deep=True)
    made.SetName(name)
    return made
