# SPDX-License-Identifier: BSD-3-Clause
"""A Catalyst script that draws nothing, but writes down what it sees."""

SCRIPT = """# script-version: 2.0
import numpy
from paraview.simple import *
from paraview import catalyst
from vtkmodules.util.numpy_support import vtk_to_numpy

sources = [(name, PVTrivialProducer(registrationName=name)) for name in NAMES]
options = catalyst.Options()
options.GlobalTrigger = 'TimeStep'
options.GlobalTrigger.Frequency = EVERY


def catalyst_execute(info):
    for name, source in sources:
        source.UpdatePipeline(info.time)
        data = source.GetClientSideObject().GetOutputDataObject(0)
        numpy.savez('%s/%s-%d.npz' % (FOLDER, name, info.timestep), **arrays_of(data))


"""


def write(path, folder, names, every, arrays_of):
    """Of each channel among `names`, at each `every` steps: FOLDER/NAME-STEP.npz. `arrays_of` is the text of a function of that
    name, from the channel's data object to arrays by name; it may call numpy and vtk_to_numpy."""
    path.write_text(f"FOLDER, NAMES, EVERY = {str(folder)!r}, {tuple(names)!r}, {every}\n{SCRIPT}{arrays_of}")
    return path
