# SPDX-License-Identifier: BSD-3-Clause
"""Numbers of filters and input channels, written on the ground where no box can hide them."""

import functools

from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkPolyData

from .lettering import END, Lettering

_IN_GAP = 0.62  # height of a number between two tiles, in cells
_GAP_ROOM = 0.84  # width that it may have there
_PART_OF_FIELD = 0.021  # height of a number beside a field, as a part of the field's longer side
_MOST_TILES = 64  # of single-channel filters that are numbered one by one
_DIGIT = 0.8  # width of a digit, as a part of its height
_APART = 0.8  # space between a field, its numbers and their title, as a part of a number's height


class Tiles:
    """Shape and layout of the tiles of a weights channel; `shape` is None while the channel is empty."""

    def __init__(self, image):
        field = image.GetFieldData()
        arrays = [field.GetArray(name) for name in ("shape", "layout")]
        self.shape = self.layout = None
        if all(arrays):
            self.shape, self.layout = (tuple(int(size) for size in vtk_to_numpy(array).ravel()) for array in arrays)

    def __eq__(self, other):
        return (self.shape, self.layout) == (other.shape, other.layout)

    def __hash__(self):
        return hash((self.shape, self.layout))

    def describe(self):
        """How many filters of which shape there are, in a line."""
        if not self.shape:
            return ""
        filters, channels, rows, columns = self.shape
        some = f"{filters} filter{'s' * (filters > 1)}, {channels} input channel{'s' * (channels > 1)}"
        return f"{some}, kernel {rows} \u00d7 {columns}"

    @property
    def numbered_in_gaps(self):
        """Whether each tile has its number beside it, rather than each row and column."""
        return bool(self.shape) and self.shape[1] == 1 and self.shape[0] <= _MOST_TILES

    @property
    def height(self):
        """Height of a number, in cells."""
        if self.numbered_in_gaps:
            return _IN_GAP
        _, _, rows, columns = self.shape
        return max(_IN_GAP, _PART_OF_FIELD * max(self.layout[0] * (columns + 1), self.layout[1] * (rows + 1)))

    @property
    def room(self):
        """Cells that the labels need left of and in front of the field."""
        if not self.shape:
            return (0, 0)
        return (1, 0) if self.numbered_in_gaps else (self.title_left + 0.5 * self.height, 3.4 * self.height)

    @property
    def title_left(self):
        """Cells from the field to the middle of the title left of its numbers."""
        digits = len(str(self.shape[0] - 1))
        return (2 * _APART + digits * _DIGIT + 0.5) * self.height


def _number_gaps(tiles, writer):
    columns, rows = tiles.layout
    for k in range(tiles.shape[0]):
        text = str(k)
        x = (k % columns) * (tiles.shape[3] + 1) - 0.5
        y = (rows - 1 - k // columns) * (tiles.shape[2] + 1) + tiles.shape[2] / 2
        writer.write(text, x, y, min(tiles.height, _GAP_ROOM / (_DIGIT * len(text))))


def _stride(pitch, needed):
    """The round number of tiles from one label to the next, so that each has the room it needs."""
    return next(step for step in (1, 2, 4, 5, 8, 10, 16, 20, 32, 50, 64, 100, 1000, 10**9) if step * pitch >= needed)


def _number_sides(tiles, writer):
    columns, rows = tiles.layout
    filters, channels, kernel_rows, kernel_columns = tiles.shape
    height = tiles.height
    per_row = 1 if channels > 1 else columns
    for row in range(0, rows, _stride(kernel_rows + 1, 1.6 * height)):
        y = (rows - 1 - row) * (kernel_rows + 1) + kernel_rows / 2
        writer.write(str(row * per_row), -_APART * height, y, height, anchor=END)
    for column in range(0, columns, _stride(kernel_columns + 1, 2.6 * height)):
        writer.write(str(column), column * (kernel_columns + 1) + kernel_columns / 2, -1.2 * height, height)
    middle = (columns * (kernel_columns + 1) - 1) / 2, (rows * (kernel_rows + 1) - 1) / 2
    writer.write("filter", -tiles.title_left, middle[1], height, turned=True)
    writer.write("input channel" if channels > 1 else "+ filter", middle[0], -2.8 * height, height)


@functools.lru_cache(maxsize=16)
def _labels(tiles):
    """The labels as a vtkPolyData. Words take long to make, and hardly ever change."""
    writer, made = Lettering(), vtkPolyData()
    (_number_gaps if tiles.numbered_in_gaps else _number_sides)(tiles, writer)
    writer.finish(made)
    return made


def write_labels(algorithm):
    """Body of a programmable filter: the labels of the image at its input."""
    tiles = Tiles(algorithm.GetInputDataObject(0, 0))
    if tiles.shape:
        algorithm.GetOutputDataObject(0).ShallowCopy(_labels(tiles))
