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


def _tiled(shape, values, dtype, in_gaps):
    """Values [filters, parts, rows, columns] as an image's cells."""
    filters, parts, rows, columns = shape
    across, down = layout_of(filters, parts)
    field = np.full((down * (rows + 1) - 1, across * (columns + 1) - 1), in_gaps, dtype)
    values = np.broadcast_to(values, shape)
    for k in range(filters):
        for c in range(parts):
            x, y = cell_of(shape, k, c, rows - 1, 0)
            field[y : y + rows, x : x + columns] = values[k, c, ::-1]
    return field


def _of_filters(numbers, filters):
    """A number of each filter, for all of its cells."""
    return np.asarray(np.full(filters, -1) if numbers is None else numbers).reshape(-1, 1, 1, 1)


def _image(shape, fields, state, layer):
    """An image of these cell arrays, with what every tiled channel tells."""
    height, width = next(iter(fields.values())).shape
    image = vtkImageData()
    image.SetDimensions(width + 1, height + 1, 2)
    for name, values in fields.items():
        image.GetCellData().AddArray(_array(name, values.ravel(), values.dtype))
    _add_state(image, state)
    field = image.GetFieldData()
    field.AddArray(_array("shape", shape, np.int64))
    field.AddArray(_array("layout", layout_of(*shape[:2]), np.int64))
    field.AddArray(_strings("layer", [layer]))
    return image


def weights_image(layer, weight, initial, gradient, state, group=None, source=None, source_channel=None, whole=None, merged=()):
    """The channel weights_L. `merged`: (source, into, step, weights [C0,R,S]) of filters that are there no more."""
    shape = weight.shape
    values = {"weight": weight, "gradient": gradient, "delta": weight - initial}
    fields = {name: _tiled(shape, each, np.float32, np.nan) for name, each in values.items()}
    source = np.arange(shape[0]) if source is None else source
    numbers = {
        "filter": _of_filters(np.arange(shape[0]), shape[0]),
        "channel": np.arange(shape[1]).reshape(1, -1, 1, 1),
        "group": _of_filters(group, shape[0]),
        "source": _of_filters(source, shape[0]),
        "source_channel": np.asarray(np.arange(shape[1]) if source_channel is None else source_channel).reshape(1, -1, 1, 1),
    }
    fields.update({name: _tiled(shape, each, np.int32, -1) for name, each in numbers.items()})
    image = _image(shape, fields, state, layer)
    field = image.GetFieldData()
    field.AddArray(_array("weight_range", [np.abs(initial).max()], np.float64))
    field.AddArray(_array("whole", shape[:2] if whole is None else whole, np.int64))
    if len(merged):
        field.AddArray(_array("merged", [each[:3] for each in merged], np.float64))
        field.AddArray(_array("merged_weight", [np.ravel(each[3]) for each in merged], np.float32))
    return image


def activations_image(layer, activation, state, group=None):
    """The channel activations_L of activations [images, filters, rows, columns]."""
    activation = np.asarray(activation, np.float32).transpose(1, 0, 2, 3)
    shape = activation.shape
    fields = {"activation": _tiled(shape, activation, np.float32, np.nan)}
    numbers = {
        "filter": _of_filters(np.arange(shape[0]), shape[0]),
        "image": np.arange(shape[1]).reshape(1, -1, 1, 1),
        "group": _of_filters(group, shape[0]),
    }
    fields.update({name: _tiled(shape, each, np.int32, -1) for name, each in numbers.items()})
    return _image(shape, fields, state, layer)


def correlation_image(layer, pearson, state, weights=None, dead=None, group=None):
    """The channel correlation_L."""
    pearson = np.asarray(pearson, float)
    count = len(pearson)
    dead = np.zeros(count, int) if dead is None else np.asarray(dead)
    group = np.full(count, -1) if group is None else np.asarray(group)
    fields = {
        "pearson": pearson,
        "pearson_weights": pearson if weights is None else np.asarray(weights, float),
        "filter": np.repeat(np.arange(count, dtype=np.int32), count).reshape(count, count),
        "other": np.tile(np.arange(count, dtype=np.int32), count).reshape(count, count),
        "dead": (dead[:, None] | dead[None, :]).astype(np.int32),
        "group": np.where(group[:, None] == group[None, :], group[:, None], -1).astype(np.int32),
    }
    fields = {name: np.ascontiguousarray(values[::-1]) for name, values in fields.items()}
    image = _image((count, count, 1, 1), fields, state, layer)
    image.GetFieldData().RemoveArray("layout")
    return image


def looks_of(weight, size, seed=5):
    """Activations [10, filters, size, size] of these filters (of their first input channel) on strokes like digits'."""
    random = np.random.default_rng(seed)
    across, down = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size))
    maps = np.zeros((10, len(weight), size, size))
    for n in range(10):
        radius, angle, at = random.uniform(0.3, 0.6), random.uniform(0, 3), random.uniform(-0.2, 0.2, 2)
        ring = np.exp(-((np.hypot(across - at[0], down - at[1]) - radius) ** 2) / 0.01)
        stroke = np.exp(-((np.cos(angle) * across + np.sin(angle) * down - at[0]) ** 2) / 0.01)
        ink = np.clip(ring + stroke * (np.hypot(across, down) < 0.8), 0, 1)
        padded = np.pad(ink, [(part // 2, (part - 1) // 2) for part in weight.shape[2:]])
        for k, filter_ in enumerate(weight[:, 0]):
            for (r, s), value in np.ndenumerate(filter_):
                maps[n, k] += value * padded[r : r + size, s : s + size]
    return np.maximum(maps, 0).astype(np.float32)


def correlations(rows):
    """Pearson's r of every pair of rows; 0 where a row never varies, and which rows those are."""
    rows = rows - rows.mean(axis=1, keepdims=True)
    lengths = np.sqrt((rows**2).sum(axis=1))
    dead = lengths == 0
    unit = rows / np.where(dead, 1, lengths)[:, None]
    return np.clip(unit @ unit.T, -1, 1), dead.astype(int)


def groups_of(pearson, threshold=0.9):
    """Groups for pictures: each filter joins the first one that it is similar enough to."""
    first = [next(j for j in range(k + 1) if j == k or pearson[j, k] >= threshold) for k in range(len(pearson))]
    numbers = {leader: number for number, leader in enumerate(dict.fromkeys(f for f in first if first.count(f) > 1))}
    return np.array([numbers.get(leader, -1) for leader in first])


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
            activation = looks_of(self.weight[layer], 28 if layer == "conv1" else 14)
            pearson, dead = correlations(activation.transpose(1, 0, 2, 3).reshape(shape[0], -1))
            of_weights, _ = correlations(self.weight[layer].reshape(shape[0], -1).astype(float))
            group = groups_of(pearson)
            made[f"weights_{layer}"] = weights_image(layer, self.weight[layer], self.initial[layer], gradient, state, group)
            made[f"activations_{layer}"] = activations_image(layer, activation, state, group)
            made[f"correlation_{layer}"] = correlation_image(layer, pearson, state, of_weights, dead, group)
            walk = self.walk[layer]
            away = walk - walk[0]
            columns = {"step": np.arange(self.steps + 1), "w0": walk[:, 0], "w1": walk[:, 1]}
            columns.update(pc1=1.3 * away[:, 0] + 0.4 * away[:, 1], pc2=0.2 * away[:, 0] - 0.3 * away[:, 1])
            made[f"trajectory_{layer}"] = table(columns, state, self.layers, convolutions)
        return made
