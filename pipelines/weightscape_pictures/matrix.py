# SPDX-License-Identifier: BSD-3-Clause
"""The matrix of a correlation channel as geometry: a square for each pair, marks on those that need one, numbers beside."""

import numpy as np
from vtkmodules.util.numpy_support import vtk_to_numpy

from . import mosaic
from .lettering import END, Lettering

ARRAYS = {"activations": "pearson", "weights": "pearson_weights"}
_NUMBER = 0.62  # height of a number, in cells
_LEAST, _MOST = 0.019, 0.03  # and as a part of the matrix: legible, and no larger than it need be
_ABOVE = 0.05
_FRAME = 0.1  # from a cell's edge to the frame in it
_HATCHES = 3


class Matrix:
    """Correlations `values` [filters, filters], row 0 first; `dead` marks filters, `group` the pairs that share one."""

    def __init__(self, image, array):
        found = [image.GetCellData().GetArray(name) for name in (array, "dead", "group")]
        count = max(0, image.GetDimensions()[0] - 1)
        self.count = count if all(found) else 0
        values, dead, group = (
            vtk_to_numpy(one).reshape(count, count)[::-1] if self.count else np.empty((0, 0)) for one in found
        )
        self.values, self.group = values.astype(float), group
        self.dead = dead.diagonal() > 0 if self.count else np.empty(0, bool)

    @property
    def known(self):
        """Whether it holds numbers: before the first step it does not."""
        return bool(self.count) and not np.isnan(self.values).all()

    @property
    def height(self):
        """Height of a number, in cells."""
        return max(_LEAST * self.count, min(_NUMBER, _MOST * max(4, self.count)))

    @property
    def room(self):
        """Cells that numbers and titles need left of the matrix and below it."""
        return (len(str(max(0, self.count - 1))) * 0.8 + 2.6) * self.height, 3.4 * self.height

    def pairs(self):
        """Pairs of different filters that share a group, as (row, column)."""
        shared = (self.group >= 0) & ~np.eye(self.count, dtype=bool)
        return np.argwhere(shared)

    def place(self, i, j):
        """The lower left corner of a pair's square."""
        return j, self.count - 1 - i


def write_cells(algorithm, array):
    """Body of a programmable filter: the squares of all pairs without a dead filter."""
    matrix = Matrix(algorithm.GetInputDataObject(0, 0), array)
    if not matrix.count:
        return
    i, j = np.nonzero(~(matrix.dead[:, None] | matrix.dead[None, :]))
    mosaic.write_squares(algorithm.GetOutputDataObject(0), *matrix.place(i, j), matrix.values[i, j])


def write_dead(algorithm, array):
    """Body of a programmable filter: hatched lines over the squares of dead filters."""
    matrix = Matrix(algorithm.GetInputDataObject(0, 0), array)
    segments = []
    for i, j in np.argwhere(matrix.dead[:, None] | matrix.dead[None, :]):
        x, y = matrix.place(i, j)
        for part in np.arange(1, 2 * _HATCHES) / _HATCHES:
            low, high = max(0.0, part - 1), min(1.0, part)
            segments.append(((x + low, y + part - low), (x + high, y + part - high)))
    mosaic.write_segments(algorithm.GetOutputDataObject(0), segments, _ABOVE)


def write_frames(algorithm, array):
    """Body of a programmable filter: a frame in the square of each pair of a group."""
    matrix = Matrix(algorithm.GetInputDataObject(0, 0), array)
    segments = []
    for i, j in matrix.pairs() if matrix.count else ():
        x, y = matrix.place(i, j)
        around = [(x + a, y + b) for a, b in ((_FRAME, _FRAME), (1 - _FRAME, _FRAME), (1 - _FRAME, 1 - _FRAME), (_FRAME, 1 - _FRAME))]
        segments += list(zip(around, around[1:] + around[:1]))
    mosaic.write_segments(algorithm.GetOutputDataObject(0), segments, _ABOVE)


def write_edge(algorithm, array):
    """Body of a programmable filter: the edge of the matrix."""
    count = Matrix(algorithm.GetInputDataObject(0, 0), array).count
    corners = [(0, 0), (count, 0), (count, count), (0, count)]
    mosaic.write_segments(algorithm.GetOutputDataObject(0), list(zip(corners, corners[1:] + corners[:1])) if count else [], _ABOVE)


def _stride(needed):
    return next(step for step in (1, 2, 4, 5, 8, 10, 16, 20, 32, 50, 64, 100, 1000, 10**9) if step >= needed)


def write_labels(algorithm, array):
    """Body of a programmable filter: numbers of the filters along both sides."""
    matrix = Matrix(algorithm.GetInputDataObject(0, 0), array)
    if not matrix.count:
        return
    writer, height, count = Lettering(), matrix.height, matrix.count
    widest = len(str(count - 1)) * 0.8 * height
    for k in range(0, count, _stride(1.5 * height)):
        writer.write(str(k), -0.6 * height, count - 1 - k + 0.5, height, anchor=END)
    for k in range(0, count, _stride(1.25 * widest)):
        writer.write(str(k), k + 0.5, -height, height)
    writer.write("filter", -(widest + 1.7 * height), count / 2, height, turned=True)
    writer.write("filter", count / 2, -2.6 * height, height)
    writer.finish(algorithm.GetOutputDataObject(0))
