# SPDX-License-Identifier: BSD-3-Clause
"""A field of weights as boxes, by two filters: tops carry the legend's exact colours, sides are shaded."""

import numpy as np
from vtkmodules.util.numpy_support import vtk_to_numpy

from . import channels, colour_scale, geometry, tile_labels

HEIGHT = 1.3  # of a box at the end of the colour scale, in cells
MARGIN = 0.08  # from the edge of a cell to the box in it
VALUE = "value"
# Few boxes are seen a little from the left, which shows them best; rows of many stay level.
TOWARDS_CAMERA_FEW = (-0.12, -0.75, 1.2)
TOWARDS_CAMERA_MANY = (0.0, -0.75, 1.2)


def towards_camera(tiles):
    """From where the boxes of these tiles are seen, in parallel projection."""
    return TOWARDS_CAMERA_FEW if tiles.numbered_in_gaps else TOWARDS_CAMERA_MANY


class Field:
    """The boxes of one weights channel: `x`, `y` of their cells, `values`, `heights`, `end` of the colour scale."""

    def __init__(self, image, array, asked_range):
        self.end = colour_scale.limit(array, channels.scalar(image, "weight_range"), asked_range)
        width, depth = (max(0, size - 1) for size in image.GetDimensions()[:2])
        self.extent = (width, depth)
        filters = image.GetCellData().GetArray("filter")
        values = image.GetCellData().GetArray(array)
        if not (filters and values):
            self.x = self.y = np.empty(0, int)
            self.values = self.heights = np.empty(0)
            return
        cells = np.flatnonzero(vtk_to_numpy(filters) >= 0)
        self.x, self.y = cells % width, cells // width
        self.values = vtk_to_numpy(values)[cells]
        finite = np.isfinite(self.values)
        saturated = np.clip(np.where(finite, self.values, 0) / self.end, -1, 1)
        self.heights = HEIGHT * saturated

    @property
    def beyond(self):
        """How many finite values the colour scale does not reach."""
        return int((np.abs(self.values[np.isfinite(self.values)]) > self.end).sum())

    @property
    def not_finite(self):
        """How many values are NaN or infinite."""
        return int((~np.isfinite(self.values)).sum())


def _write_quads(output, corners, values):
    """Quads (n, 4, 3) and their values into a vtkPolyData."""
    output.SetPoints(geometry.points(corners.reshape(-1, 3)))
    output.SetPolys(geometry.cells(np.arange(0, 4 * len(corners) + 1, 4)))
    # An infinite value must be marked like NaN, not coloured like the largest.
    marked = np.where(np.isfinite(values), values, np.nan).astype(np.float32)
    output.GetCellData().SetScalars(geometry.array(VALUE, marked))


def _quads(*corners):
    """Four corners, each (x, y, z) of arrays, as an array (n, 4, 3)."""
    return np.stack([np.stack(np.broadcast_arrays(*corner), axis=-1) for corner in corners], axis=1)


def tops(x, y, heights):
    """The upper faces of boxes on the cells (x, y): quads (n, 4, 3)."""
    left, right, front, back = x + MARGIN, x + 1 - MARGIN, y + MARGIN, y + 1 - MARGIN
    z = np.maximum(heights, 0)
    return _quads((left, front, z), (right, front, z), (right, back, z), (left, back, z))


def walls(x, y, heights, towards):
    """Those walls of the boxes that a camera in the direction `towards` sees, from the ground to the value: arrays of quads, one
    for each side of a box."""
    left, right, front, back = x + MARGIN, x + 1 - MARGIN, y + MARGIN, y + 1 - MARGIN
    low, high = np.minimum(heights, 0), np.maximum(heights, 0)
    around = [(left, front), (right, front), (right, back), (left, back), (left, front)]
    outwards = [(0, -1), (1, 0), (0, 1), (-1, 0)]
    return [
        _quads((x0, y0, low), (x1, y1, low), (x1, y1, high), (x0, y0, high))
        for (x0, y0), (x1, y1), normal in zip(around, around[1:], outwards)
        if normal[0] * towards[0] + normal[1] * towards[1] > 0
    ]


def write_tops(algorithm, array, asked_range):
    """Body of a programmable filter: the upper faces of the boxes of the image at its input."""
    field = Field(algorithm.GetInputDataObject(0, 0), array, asked_range)
    _write_quads(algorithm.GetOutputDataObject(0), tops(field.x, field.y, field.heights), field.values)


def write_sides(algorithm, array, asked_range):
    """Body of a programmable filter: those walls of each box that the camera sees, from the ground to its value."""
    image = algorithm.GetInputDataObject(0, 0)
    field = Field(image, array, asked_range)
    seen = walls(field.x, field.y, field.heights, towards_camera(tile_labels.Tiles(image)))
    _write_quads(algorithm.GetOutputDataObject(0), np.concatenate(seen), np.tile(field.values, len(seen)))
