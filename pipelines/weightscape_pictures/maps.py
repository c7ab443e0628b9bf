# SPDX-License-Identifier: BSD-3-Clause
"""Feature maps of a convolution on a page: rows of filters, their images side by side, in as many blocks as make them largest."""

import math

import numpy as np
from vtkmodules.util.numpy_support import vtk_to_numpy

from . import mosaic, tiles
from .lettering import END, Lettering

ACTIVATION = "activation"
_BETWEEN = 0.12  # from map to map, as a part of a map
_BETWEEN_BLOCKS = 0.75  # room for the numbers of filters, as a part of a map
_NUMBER = 0.34  # height of a number, as a part of a map
_SATURATED = 0.002  # part of the values that the scale may leave out


class Layout:
    """Where the maps are drawn, in units of a map: `blocks` columns of filters, each `images` wide."""

    def __init__(self, filters, images, aspect):
        self.filters, self.images = filters, images
        self.blocks = max(range(1, filters + 1), key=lambda blocks: (self._largest(blocks, aspect), -blocks))
        self.rows = math.ceil(filters / self.blocks)
        self.width, self.height = self._size(self.blocks)

    def _size(self, blocks):
        rows = math.ceil(self.filters / blocks)
        pitch = 1 + _BETWEEN
        return blocks * (self.images * pitch + _BETWEEN_BLOCKS), rows * pitch

    def _largest(self, blocks, aspect):
        width, height = self._size(blocks)
        return min(aspect / width, 1 / height)

    def corner(self, k, n):
        """Lower left corner of the map of filter k for image n; k runs down each block in turn."""
        pitch = 1 + _BETWEEN
        block, row = divmod(k, self.rows)
        x = block * (self.images * pitch + _BETWEEN_BLOCKS) + _BETWEEN_BLOCKS + n * pitch
        return x, (self.rows - 1 - row) * pitch


class Maps:
    """The activations of one channel as an array `values` [filters, images, rows, columns], top row first."""

    def __init__(self, image, most_images):
        cut = tiles.cut(image, ACTIVATION)
        self.values = np.empty((0, 0, 0, 0)) if cut is None else cut[:, : most_images or cut.shape[1]]

    @property
    def finite(self):
        return self.values[np.isfinite(self.values)]

    def end(self, asked):
        """Where the colours end: as asked, else a round number that all but a few values stay below."""
        if asked is not None:
            return asked
        sizes = np.abs(self.finite)
        return round_up(np.quantile(sizes, 1 - _SATURATED)) if sizes.size else 1.0


def round_up(value):
    """The next round number; 1 for what is none."""
    if not (math.isfinite(value) and value > 0):
        return 1.0
    decade = 10.0 ** math.floor(math.log10(value))
    return decade * next(step for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * decade >= value * (1 - 1e-9))


def layout_of(maps, aspect):
    return Layout(maps.values.shape[0], maps.values.shape[1], aspect)


def cell_middle(maps, layout, k, n, p, q):
    """Where the middle of one activation is on the plane."""
    _, _, rows, columns = maps.values.shape
    scale = 1 / max(rows, columns)
    x, y = layout.corner(k, n)
    return x + (q + 0.5) * scale, y + (rows - 1 - p + 0.5) * scale


def write_maps(algorithm, most_images, aspect):
    """Body of a programmable filter: a square for each activation."""
    maps = Maps(algorithm.GetInputDataObject(0, 0), most_images)
    if not maps.values.size:
        return
    layout = layout_of(maps, aspect)
    k, n, p, q = (index.ravel() for index in np.indices(maps.values.shape))
    rows, columns = maps.values.shape[2:]
    scale = 1 / max(rows, columns)
    block, row = np.divmod(k, layout.rows)
    x, y = layout.corner(0, 0)
    dx, dy = layout.corner(layout.rows, 0)[0] - x if layout.blocks > 1 else 0, 1 + _BETWEEN
    left = x + block * dx + n * (1 + _BETWEEN) + q * scale
    bottom = y - row * dy + (rows - 1 - p) * scale
    output = algorithm.GetOutputDataObject(0)
    mosaic.write_squares(output, left / scale, bottom / scale, maps.values.ravel())
    _shrink(output, scale)


def _shrink(output, scale):
    """Squares are one unit wide; maps are."""
    points = output.GetPoints()
    array = vtk_to_numpy(points.GetData())
    array *= scale
    points.Modified()


def write_labels(algorithm, most_images, aspect):
    """Body of a programmable filter: numbers of filters beside their rows, of images above the first one."""
    maps = Maps(algorithm.GetInputDataObject(0, 0), most_images)
    if not maps.values.size:
        return
    layout = layout_of(maps, aspect)
    writer = Lettering()
    for k in range(layout.filters):
        x, y = layout.corner(k, 0)
        text = str(k)
        writer.write(text, x - 0.14, y + 0.5, min(_NUMBER, 0.55 / (0.8 * len(text))), anchor=END)
    for block in range(layout.blocks):
        for n in range(layout.images):
            x, y = layout.corner(block * layout.rows, n)
            writer.write(str(n), x + 0.5, y + 1 + 0.32, 0.28)
    writer.finish(algorithm.GetOutputDataObject(0))
