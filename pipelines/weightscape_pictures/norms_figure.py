# SPDX-License-Identifier: BSD-3-Clause
"""L2 norms of the weights and gradients of every layer over the steps."""

import numpy as np

from . import channels, chart, filters, growth, history, page
from .ticks import ticks

_MEAN = "{column} mean"
_LEGEND_PART = 0.26  # of the page's width that is kept free for the legend


def _column(layer, kind):
    return channels.NORM_COLUMN.format(layer=layer, kind=kind)


def write_series(algorithm):
    """Body of a programmable filter: the columns that the chart draws, thinned."""
    table, drawn = algorithm.GetInputDataObject(0, 0), {}
    layers = channels.strings(table, "layers")
    weights = [_column(layer, "weight") for layer in layers]
    gradients = [_column(layer, "gradient") for layer in layers]
    columns = history.columns_of(table, ["step", *weights, *gradients])
    # On a logarithmic axis zero lies nowhere: it is drawn as a gap.
    for name in (*weights, *gradients):
        columns[name] = np.where(columns[name] > 0, columns[name], np.nan)
    rows = history.rows_to_draw(columns)
    drawn = {name: values[rows] for name, values in columns.items()}
    for name in gradients:
        drawn[_MEAN.format(column=name)] = history.running_mean(columns[name])[rows]
    history.write_columns(algorithm.GetOutputDataObject(0), drawn)


def _curves(layers):
    """Weights as solid lines, gradients as faint raw values under a dashed mean."""
    colours = {layer: page.LAYER_COLOURS[index % len(page.LAYER_COLOURS)] for index, layer in enumerate(layers)}
    raw, weights, means = [], [], []
    for layer, colour in colours.items():
        gradient = _column(layer, "gradient")
        raw.append(chart.Curve(gradient, colour, thickness=1, opacity=0.2))
        weights.append(chart.Curve(_column(layer, "weight"), colour, f"{layer} weights", thickness=2.5))
        means.append(chart.Curve(_MEAN.format(column=gradient), colour, f"{layer} gradient", chart.DASHED))
    return raw + weights + means


class NormsFigure:
    """One curve for each layer and kind, on a logarithmic axis."""

    def __init__(self, every, size):
        self._size = size
        self._source = channels.producer(channels.NORMS)
        self._chart = chart.Chart(size, "L2 norm of the layer's tensor")
        self._chart.show(filters.call(self._source, "vtkTable", write_series))
        self.view = self._chart.view
        page.save_pictures(self.view, "norms", every, size)

    def update(self, time):
        """Brings curves, axes and words in line with the data at `time`."""
        table = channels.data_of(self._source, time)
        layers = channels.strings(table, "layers")
        names = [_column(layer, kind) for layer in layers for kind in ("weight", "gradient")]
        values = history.columns_of(table, names).values()
        low, high = chart.log_range(np.concatenate([np.empty(0), *values]))
        self._chart.axis("Left", low, high, chart.decades(low, high))
        last = max(1.0, time)
        self._chart.axis("Bottom", 0, last / (1 - _LEGEND_PART), ticks(0, last, least=1)[0])
        self._chart.draw(_curves(layers))
        title = f"L2 norms of weights and gradients (dashed: {history.describe_mean(table.GetNumberOfRows())})"
        said = growth.of_norms(table, self._size[0], page.font(self._size, 15))
        self._chart.title(title, "\n".join(filter(None, [page.status(channels.state_of(table)), said])))
