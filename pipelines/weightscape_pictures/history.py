# SPDX-License-Identifier: BSD-3-Clause
"""Histories of a run as numpy columns: reading, smoothing, and thinning, so that a long run draws as fast."""

import numpy as np
from vtkmodules.util.numpy_support import vtk_to_numpy

from . import geometry

MOST_ROWS = 4000
_MEAN_PART = 0.02  # of the run that a running mean spans


def columns_of(table, names):
    """The named columns as arrays of doubles; those that are not there are all NaN."""
    rows = table.GetNumberOfRows()
    found = {}
    for name in names:
        array = table.GetColumnByName(name)
        found[name] = vtk_to_numpy(array).astype(float) if array and rows else np.full(rows, np.nan)
    return found


def write_columns(table, columns):
    """Fills a vtkTable. A chart cannot draw less than two rows: one is doubled, none becomes two without values."""
    for name, values in columns.items():
        values = values if len(values) else np.array([np.nan])
        values = values if len(values) > 1 else np.repeat(values, 2)
        table.AddColumn(geometry.array(name, values))


def _mean_span(rows):
    return max(1, int(rows * _MEAN_PART))


def describe_mean(rows):
    """What `running_mean` averages in a history of so many rows."""
    span = _mean_span(rows)
    return f"mean of {span} steps" if span > 1 else "each step"


def running_mean(values):
    """Mean of each value and those before it, over a fiftieth of the run; rows without a value do not count."""
    span = _mean_span(len(values))
    there = np.isfinite(values)

    def window_sum(numbers):
        total = np.concatenate([[0.0], np.cumsum(numbers)])
        ends = np.arange(1, len(numbers) + 1)
        return total[ends] - total[np.maximum(ends - span, 0)]

    counts = window_sum(there.astype(float))
    sums = window_sum(np.where(there, values, 0.0))
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def rows_to_draw(columns, most=MOST_ROWS):
    """Rows that keep every column's shape: all, or of each stretch of the run the lowest and highest values."""
    rows = len(next(iter(columns.values())))
    if rows <= most:
        return np.arange(rows)
    stretches = max(1, (most - 2) // (2 * len(columns)))
    starts = np.linspace(0, rows, stretches + 1).astype(int)
    kept = [np.array([0, rows - 1])]
    for values in columns.values():
        for away in (np.where(np.isnan(values), np.inf, values), np.where(np.isnan(values), np.inf, -values)):
            kept.append(np.array([a + away[a:b].argmin() for a, b in zip(starts, starts[1:])]))
    return np.unique(np.concatenate(kept))
