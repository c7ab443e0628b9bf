# SPDX-License-Identifier: BSD-3-Clause
"""Words as flat geometry in a scene: they sit where the data is, whatever the camera does."""

from vtkmodules.vtkCommonTransforms import vtkTransform
from vtkmodules.vtkFiltersCore import vtkAppendPolyData
from vtkmodules.vtkFiltersGeneral import vtkTransformPolyDataFilter
from vtkmodules.vtkRenderingFreeType import vtkVectorText

CENTRE, END = 0.5, 1.0


class Lettering:
    """Collects words on the plane z = 0."""

    def __init__(self):
        self._all = vtkAppendPolyData()
        self._count = 0

    def write(self, text, x, y, height, anchor=CENTRE, turned=False):
        """Puts `text` with its middle (or its end) on (x, y); `turned` runs it along +y."""
        letters = vtkVectorText()
        letters.SetText(text)
        letters.Update()
        left, right = letters.GetOutput().GetBounds()[:2]
        place = vtkTransform()
        place.Translate(x, y, 0)
        place.RotateZ(90 if turned else 0)
        place.Scale(height, height, 1)
        # A capital or a digit is one unit high; the baseline must not depend on which letters there are.
        place.Translate(-(left + anchor * (right - left)), -0.5, 0)
        moved = vtkTransformPolyDataFilter()
        moved.SetTransform(place)
        moved.SetInputConnection(letters.GetOutputPort())
        self._all.AddInputConnection(moved.GetOutputPort())
        self._count += 1

    def finish(self, output):
        """Hands the words over as a vtkPolyData."""
        if self._count:
            self._all.Update()
            output.ShallowCopy(self._all.GetOutput())
