# SPDX-License-Identifier: BSD-3-Clause
"""Loss and accuracy over the steps."""

import numpy as np

from . import channels, chart, filters, history, page
from .ticks import ticks

LOSS, ACCURACY = "#0072b2", "#d55e00"
_LEGEND_PART = 0.24  # of the chart's height that is kept free for the legend
_PERCENT = "{column} percent"
_MEAN = "{column} mean"


def write_series(algorithm):
    """Body of a programmable filter: the columns that the chart draws, thinned."""
    names = ("step", "loss", "accuracy", "validation_loss", "validation_accuracy")
    columns = history.columns_of(algorithm.GetInputDataObject(0, 0), names)
    for name in ("loss", "validation_loss"):
        columns[name] = np.where(columns[name] > 0, columns[name], np.nan)
    for name in ("accuracy", "validation_accuracy"):
        columns[name] = 100 * columns[name]
    rows = history.rows_to_draw(columns)
    drawn = {name: values[rows] for name, values in columns.items()}
    for name in ("loss", "accuracy"):
        drawn[_MEAN.format(column=name)] = history.running_mean(columns[name])[rows]
    history.write_columns(algorithm.GetOutputDataObject(0), drawn)


def _curves():
    validation = {"style": chart.DASHED, "thickness": 2.5}
    return [
        chart.Curve("loss", LOSS, thickness=1, opacity=0.2),
        chart.Curve("accuracy", ACCURACY, thickness=1, opacity=0.2, axis=chart.RIGHT),
        chart.Curve("loss mean", LOSS, "loss, batches (left)", thickness=2),
        chart.Curve("validation_loss", LOSS, "loss, validation (left)", **validation),
        chart.Curve("accuracy mean", ACCURACY, "accuracy, batches (right)", thickness=2, axis=chart.RIGHT),
        chart.Curve("validation_accuracy", ACCURACY, "accuracy, validation (right)", axis=chart.RIGHT, **validation),
    ]


class LearningFigure:
    """Loss on a logarithmic axis at the left, accuracy in percent at the right."""

    def __init__(self, every, size):
        self._source = channels.producer(channels.NORMS)
        self._chart = chart.Chart(size, "loss", "accuracy [%]")
        self._chart.show(filters.call(self._source, "vtkTable", write_series))
        self._chart.draw(_curves())
        self.view = self._chart.view
        page.save_pictures(self.view, "learning", every, size)

    def update(self, time):
        """Brings axes and words in line with the data at `time`."""
        table = channels.data_of(self._source, time)
        losses = history.columns_of(table, ("loss", "validation_loss")).values()
        low, high = chart.log_range(np.concatenate(list(losses)))
        top = low * (high / low) ** (1 / (1 - _LEGEND_PART))
        self._chart.axis("Left", low, top, chart.decades(low, high))
        self._chart.axis("Right", 0, 100 / (1 - _LEGEND_PART), range(0, 101, 20))
        last = max(1.0, time)
        self._chart.axis("Bottom", 0, last, ticks(0, last, least=1)[0])
        title = f"Loss and accuracy (batches: {history.describe_mean(table.GetNumberOfRows())})"
        self._chart.title(title, page.status(channels.state_of(table)))
