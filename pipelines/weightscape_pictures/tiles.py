# SPDX-License-Identifier: BSD-3-Clause
"""The numbers of a tiled channel as an array: docs/channels.md read backwards."""

import numpy as np
from vtkmodules.util.numpy_support import vtk_to_numpy

from . import tile_labels


def cut(image, name):
    """A cell array as [filters, parts, rows, columns], the top row first; parts are input channels, or images. None while
    there is nothing in the channel."""
    shape, array = tile_labels.Tiles(image).shape, image.GetCellData().GetArray(name)
    if not (shape and array):
        return None
    across, down = tile_labels.Tiles(image).layout
    filters, parts, rows, columns = shape
    width, height = (size - 1 for size in image.GetDimensions()[:2])
    values = vtk_to_numpy(array)
    # A tile with the gap right of it and below it.
    grid = np.zeros((down * (rows + 1), across * (columns + 1)), values.dtype)
    grid[1:, :-1] = values.reshape(height, width)
    cells = grid[::-1].reshape(down, rows + 1, across, columns + 1)[:, :rows, :, :columns].transpose(0, 2, 1, 3)
    return cells.reshape(down * across, rows, columns)[: filters * parts].reshape(shape)


def of_filters(image, name):
    """A number of each filter, [filters]; None as above."""
    cells = cut(image, name)
    return None if cells is None else cells[:, 0, 0, 0]


def of_parts(image, name):
    """A number of each part, [parts]; None as above."""
    cells = cut(image, name)
    return None if cells is None else cells[0, :, 0, 0]
