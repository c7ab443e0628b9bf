# SPDX-License-Identifier: BSD-3-Clause
"""Names of channels, arrays and field data (docs/channels.md), and how a script reaches them."""

import math

import numpy as np
from paraview import simple
from paraview.catalyst import detail
from vtkmodules.util.numpy_support import vtk_to_numpy

NORMS = "norms"
WEIGHTS = "weights_"
TRAJECTORY = "trajectory_"
ACTIVATIONS = "activations_"
CORRELATION = "correlation_"
RANKS = "ranks"
ALL = "all"
WEIGHT_ARRAYS = ("weight", "gradient", "delta")
NORM_COLUMN = "{layer}_{kind}_l2"

# Scalars that every channel carries as field data.
STATE = ("step", "epoch", "loss", "accuracy", "validation_accuracy")


def names():
    """Channels that the running adaptor offers."""
    description = detail._get_active_data_description()
    count = description.GetNumberOfInputDescriptions()
    return [description.GetInputDescriptionName(index) for index in range(count)]


def convolutions():
    """Layers that have a weights channel, in the order of their names: conv2 before conv10."""
    layers = [name[len(WEIGHTS):] for name in names() if name.startswith(WEIGHTS)]
    return sorted(layers, key=lambda layer: (len(layer), layer))


def convolution(layer):
    """`layer`, if it is a convolution of this run; else a ValueError that lists those there are."""
    there = convolutions()
    if layer not in there:
        raise ValueError(f"layer={layer}: no such convolution; there is {', '.join(there) or 'none'}")
    return layer


def layers_that_have(prefix):
    """The convolutions that have a channel which not every run has."""
    return [layer for layer in convolutions() if prefix + layer in names()]


def layers_with(prefix, layer):
    """Those of them to draw: `layer`, or all for "all"; a ValueError if there is none."""
    there = layers_that_have(prefix)
    if not there:
        raise ValueError(f"this run has no channel {prefix}L: it was made without images to look at")
    if layer == ALL:
        return there
    if convolution(layer) not in there:
        raise ValueError(f"layer={layer}: has no channel {prefix}{layer}; there is {', '.join(prefix + each for each in there)}")
    return [layer]


def producer(name):
    """The source that carries a channel."""
    return simple.PVTrivialProducer(registrationName=name)


def data_of(source, time):
    """The data object that a source holds at `time`."""
    source.UpdatePipeline(time)
    return source.GetClientSideObject().GetOutputDataObject(0)


def scalar(data, name):
    """First value of a field-data array; NaN where there is none (channels are empty until the first step)."""
    array = data.GetFieldData().GetArray(name)
    return array.GetTuple1(0) if array and array.GetNumberOfTuples() else math.nan


def state_of(data):
    """The scalars of STATE as a dictionary."""
    return {name: scalar(data, name) for name in STATE}


def triples(data, name):
    """A field-data array of three numbers each as a list of tuples; empty where there is none."""
    array = data.GetFieldData().GetArray(name)
    return [array.GetTuple3(index) for index in range(array.GetNumberOfTuples())] if array else []


def rows(data, name):
    """A field-data array as [tuples, components]; no tuples where there is none."""
    array = data.GetFieldData().GetArray(name)
    return vtk_to_numpy(array).reshape(array.GetNumberOfTuples(), -1) if array else np.empty((0, 0))


def numbers(data, name):
    """All values of a field-data array; none where there is none."""
    return rows(data, name).ravel()


def strings(data, name):
    """A field-data array of strings as a list; empty where there is none."""
    array = data.GetFieldData().GetAbstractArray(name)
    return [array.GetValue(index) for index in range(array.GetNumberOfValues())] if array else []
