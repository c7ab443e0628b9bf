# SPDX-License-Identifier: BSD-3-Clause
"""The channels of docs/channels.md, built by numpy from known weights: a stand-in for the adaptor in these tests."""

import math

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonCore import vtkStringArray
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkTable


def _array(name, values, dtype):
    array = numpy_to_vtk(np.ascontiguousarray(values, dtype=dtype), deep=True)
    array.SetName(name)
    return array


def _strings(name, values):
    array = vtkStringArray()
    array.SetName(name)
    for value in values:
        array.InsertNextValue(value)
    return array


def _add_state(data, state):
    """Field data that every channel carries."""
    field = data.GetFieldData()
    field.AddArray(_array("step", [state["step"]], np.int64))
    for name in ("epoch", "loss", "accuracy", "learning_rate", "validation_loss", "validation_accuracy"):
        field.AddArray(_array(name, [state.get(name, math.nan)], np.float64))


def layout_of(filters, channels):
    """Tile columns and tile rows."""
    if channels > 1:
        return channels, filters
    columns = math.ceil(math.sqrt(filters))
    return columns, math.ceil(filters / columns)


def cell_of(shape, k, c, r, s):
    """Column and row of the image cell that holds a weight, as docs/channels.md says."""
    filters, channels, kernel_rows, kernel_columns = shape
    columns, rows = layout_of(filters, channels)
    i, j = (c, k) if channels > 1 else (k % columns, k // columns)
    return i * (kernel_columns + 1) + s, (rows - 1 - j) * (kernel_rows + 1) + (kernel_rows - 1 - r)


def weights_image(layer, weight, initial, gradient, state):
    """The channel weights_L."""
    shape = weight.shape
    filters, channels, kernel_rows, kernel_columns = shape
    columns, rows = layout_of(filters, channels)
    width, height = columns * (kernel_columns + 1) - 1, rows * (kernel_rows + 1) - 1
    image = vtkImageData()
    image.SetDimensions(width + 1, height + 1, 2)
    fields = {name: np.full((height, width), np.nan, np.float32) for name in ("weight", "gradient", "delta")}
    fields.update({name: np.full((height, width), -1, np.int32) for name in ("filter", "channel", "group")})
    for k, c, r, s in np.ndindex(*shape):
        x, y = cell_of(shape, k, c, r, s)
        fields["weight"][y, x] = weight[k, c, r, s]
        fields["gradient"][y, x] = gradient[k, c, r, s]
        fields["delta"][y, x] = weight[k, c, r, s] - initial[k, c, r, s]
        fields["filter"][y, x] = k
        fields["channel"][y, x] = c
    for name, values in fields.items():
        image.GetCellData().AddArray(_array(name, values.ravel(), values.dtype))
    _add_state(image, state)
    field = image.GetFieldData()
    field.AddArray(_array("weight_range", [np.abs(initial).max()], np.float64))
    field.AddArray(_array("shape", shape, np.int64))
    field.AddArray(_array("layout", [columns, rows], np.int64))
    field.AddArray(_strings("layer", [layer]))
    return image


def table(columns, state, layers, convolutions):
    """A channel that is a table: norms or trajectory_L."""
    data = vtkTable()
    for name, values in columns.items():
        data.AddColumn(_array(name, values, np.float64))
    _add_state(data, state)
    data.GetFieldData().AddArray(_strings("layers", layers))
    data.GetFieldData().AddArray(_strings("convolutions", convolutions))
    return data


class FakeRun:
    """A training run that never was: weights that drift and shake, norms of them, a falling loss."""

    SHAPES = {"conv1": (16, 1, 3, 3), "conv2": (32, 16, 3, 3)}
    LINEAR = {"fc1": 1568 * 1024, "fc2": 1024 * 10}
    BATCHES_PER_EPOCH = 550

    def __init__(self, steps, seed=7, shapes=None):
        random = np.random.default_rng(seed)
        self.shapes = shapes or self.SHAPES
        self.steps = steps
        self.initial, self.weight, self.walk = {}, {}, {}
        time = np.arange(1, steps + 1)
        for layer, shape in self.shapes.items():
            bound = 1 / math.sqrt(np.prod(shape[1:]))
            self.initial[layer] = random.uniform(-bound, bound, shape).astype(np.float32)
            drift = random.normal(0, bound * 1.2, shape)
            self.weight[layer] = (self.initial[layer] + drift * min(1, steps / 4000)).astype(np.float32)
            start = self.initial[layer].ravel()[:2]
            noise = random.normal(0, bound / 60, (steps, 2)).cumsum(0)
            self.walk[layer] = np.vstack([start, start + noise + np.outer(np.sqrt(time / 4000), drift.ravel()[:2])])
        decay = np.exp(-time / 900)
        self.norms = {"step": time, "epoch": time / self.BATCHES_PER_EPOCH, "time_s": time * 0.02}
        self.norms["loss"] = (0.03 + 2.2 * decay) * random.lognormal(0, 0.35, steps)
        self.norms["accuracy"] = np.round((0.99 - 0.85 * decay) * 100 + random.normal(0, 2, steps)).clip(0, 100) / 100
        self.norms["learning_rate"] = np.full(steps, 0.05)
        measured = (time // self.BATCHES_PER_EPOCH) * self.BATCHES_PER_EPOCH
        fresh = np.where(measured > 0, 1.0, np.nan)
        self.norms["validation_loss"] = (0.04 + 2.2 * np.exp(-measured / 900)) * fresh
        self.norms["validation_accuracy"] = (0.985 - 0.8 * np.exp(-measured / 900)) * fresh
        self.layers = [*self.shapes, *self.LINEAR]
        starts = {"conv1": 2.3, "conv2": 5.6, "fc1": 18.5, "fc2": 1.8}
        for index, layer in enumerate(self.layers):
            start = starts.get(layer, 3.0)
            distance = 0.4 * np.sqrt(time / 100) / (1 + index)
            self.norms[f"{layer}_weight_l2"] = np.hypot(start, distance)
            self.norms[f"{layer}_gradient_l2"] = (0.02 + 0.5 * decay) * random.lognormal(0, 0.5, steps) * 1.9**index
            self.norms[f"{layer}_distance_l2"] = distance

    def state(self):
        """What the field data say at the last step."""
        last = {name: values[-1] for name, values in self.norms.items()} if self.steps else {}
        return {**last, "step": self.steps}

    def channels(self):
        """Name and data object of every channel, at the run's last step."""
        state, convolutions = self.state(), list(self.shapes)
        made = {"norms": table(self.norms, state, self.layers, convolutions)}
        random = np.random.default_rng(self.steps)
        for layer, shape in self.shapes.items():
            gradient = random.normal(0, 0.01, shape).astype(np.float32)
            made[f"weights_{layer}"] = weights_image(layer, self.weight[layer], self.initial[layer], gradient, state)
            walk = self.walk[layer]
            away = walk - walk[0]
            columns = {"step": np.arange(self.steps + 1), "w0": walk[:, 0], "w1": walk[:, 1]}
            columns.update(pc1=1.3 * away[:, 0] + 0.4 * away[:, 1], pc2=0.2 * away[:, 0] - 0.3 * away[:, 1])
            made[f"trajectory_{layer}"] = table(columns, state, self.layers, convolutions)
        return made
