# SPDX-License-Identifier: BSD-3-Clause
"""Filters at the places that they had when the run began, coloured by group; those that are gone fade out."""

import math

import numpy as np

from . import boxes, colour_scale, channels, geometry, mosaic, page, tiles
from .lettering import END, Lettering

COLOUR = "colour"
ALONE = (0.80, 0.80, 0.83)
_GONE = (1.0, 1.0, 1.0)
# Okabe and Ito's colours without black, and four more that stand apart from them.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#e69f00", "#cc79a7", "#56b4e9", "#7a5195", "#a6761d", "#e7298a", "#66a61e", "#1b3a6b", "#b15928")
_NUMBER = 0.62
_MOST_NUMBERED = 64
_PART_OF_FIELD = 0.021

_fields = {}  # by key: filters run as text, and find theirs here


class Filter:
    """One filter of the run's beginning: what it held last, its colour, and for how many pictures it has been gone."""

    def __init__(self):
        self.values, self.colour, self.gone = None, None, 0


class MergingField:
    """All filters of a layer. `fade`: after so many pictures one that is gone is seen no more."""

    def __init__(self, key, fade):
        self._fade = fade
        self._clear()
        _fields[key] = self

    def _clear(self):
        self.filters, self.end, self.kernel = {}, 1.0, None
        self._colours, self._last, self._step = {}, None, -math.inf

    def take(self, image, step):
        """The next picture's filters. Going back in time begins anew."""
        if step < self._step:
            self._clear()
        weights = tiles.cut(image, "weight")
        if weights is None or not math.isfinite(step):
            return
        self._step = step
        self.end = colour_scale.limit("weight", channels.scalar(image, "weight_range"))
        sources = [int(source) for source in tiles.of_filters(image, "source")]
        groups = [int(group) for group in tiles.of_filters(image, "group")]
        self.kernel = weights.shape[2:]
        self._forget(set(sources))
        for source, values in zip(sources, weights):
            known = self.filters.setdefault(source, Filter())
            known.values, known.gone = values, 0
        self._colour(sources, groups)

    def _forget(self, present):
        """Filters that are not there any more; whoever has taken them in keeps their colour."""
        for source, known in self.filters.items():
            known.gone = 0 if source in present else known.gone + 1

    def _colour(self, sources, groups):
        """A group keeps its colour from picture to picture: that of its first filter."""
        merged = {known.colour for known in self.filters.values() if known.gone}
        for source, group in zip(sources, groups):
            known = self.filters[source]
            if group >= 0:
                known.colour = self._colour_of(min(other for other, its in zip(sources, groups) if its == group), sources, groups)
            elif known.colour not in merged:
                known.colour = None

    def _colour_of(self, first, sources, groups):
        return self._colours.setdefault(first, len(self._colours) % len(PALETTE))

    @property
    def count(self):
        """How many filters the run began with, as far as is known."""
        return max(self.filters, default=-1) + 1

    @property
    def present(self):
        return [source for source, known in self.filters.items() if not known.gone]

    @property
    def parts(self):
        """The most input channels that any filter has had."""
        return max((len(known.values) for known in self.filters.values()), default=0)

    @property
    def layout(self):
        """Tile columns and rows."""
        if self.parts > 1:
            return self.parts, self.count
        columns = math.ceil(math.sqrt(self.count))
        return columns, -(-self.count // columns) if columns else 0

    @property
    def extent(self):
        """Cells across and down."""
        columns, rows = self.layout
        return columns * (self.kernel[1] + 1) - 1, rows * (self.kernel[0] + 1) - 1

    def corner(self, source, part):
        """Lower left cell of a tile."""
        columns, rows = self.layout
        i, j = (part, source) if self.parts > 1 else (source % columns, source // columns)
        return i * (self.kernel[1] + 1), (rows - 1 - j) * (self.kernel[0] + 1)

    def colour_of(self, source):
        """The colour that a filter is drawn in: three numbers from 0 to 1; None when it has faded out."""
        known = self.filters[source]
        if known.gone >= self._fade:
            return None
        own = np.array(ALONE if known.colour is None else page.rgb(PALETTE[known.colour]))
        return own + (np.array(_GONE) - own) * known.gone / self._fade

    def boxes(self):
        """x, y, height and colour of every box that is seen."""
        x, y, heights, colours = [], [], [], []
        for source, known in sorted(self.filters.items()):
            colour = self.colour_of(source)
            if colour is None:
                continue
            rows, columns = self.kernel
            for part, values in enumerate(known.values):
                left, low = self.corner(source, part)
                r, s = (index.ravel() for index in np.indices((rows, columns)))
                x.append(left + s)
                y.append(low + rows - 1 - r)
                saturated = np.clip(np.where(np.isfinite(values), values, 0) / self.end, -1, 1).ravel()
                heights.append(boxes.HEIGHT * saturated * (1 - known.gone / self._fade))
                colours.append(np.tile(colour, (rows * columns, 1)))
        if not x:
            return np.empty(0), np.empty(0), np.empty(0), np.empty((0, 3))
        return np.concatenate(x), np.concatenate(y), np.concatenate(heights), np.concatenate(colours)

    @property
    def numbered_in_gaps(self):
        return self.parts <= 1 and self.count <= _MOST_NUMBERED

    @property
    def towards_camera(self):
        """From where the field is seen."""
        return boxes.TOWARDS_CAMERA_FEW if self.numbered_in_gaps else boxes.TOWARDS_CAMERA_MANY

    @property
    def height(self):
        """Height of a number, in cells."""
        return _NUMBER if self.numbered_in_gaps else max(_NUMBER, _PART_OF_FIELD * max(self.extent))

    @property
    def room(self):
        """Cells left of the field for the numbers."""
        return 1.0 if self.numbered_in_gaps else (len(str(self.count)) * 0.8 + 1) * self.height


def _write(output, corners, colours):
    output.SetPoints(geometry.points(corners.reshape(-1, 3)))
    output.SetPolys(geometry.cells(np.arange(0, 4 * len(corners) + 1, 4)))
    output.GetCellData().SetScalars(geometry.array(COLOUR, np.rint(255 * colours).astype(np.uint8)))


def write_tops(algorithm, key):
    """Body of a programmable filter: the upper faces of the boxes."""
    x, y, heights, colours = _fields[key].boxes()
    _write(algorithm.GetOutputDataObject(0), boxes.tops(x, y, heights), colours)


def write_sides(algorithm, key):
    """Body of a programmable filter: the walls that the camera sees."""
    x, y, heights, colours = _fields[key].boxes()
    walls = boxes.walls(x, y, heights, _fields[key].towards_camera)
    _write(algorithm.GetOutputDataObject(0), np.concatenate(walls), np.tile(colours, (len(walls), 1)))


def write_places(algorithm, key):
    """Body of a programmable filter: the edge of the place of each filter that is gone."""
    field, segments = _fields[key], []
    for source, known in field.filters.items():
        for part in range(len(known.values)) if known.gone else ():
            left, low = field.corner(source, part)
            right, high = left + field.kernel[1], low + field.kernel[0]
            corners = [(left, low), (right, low), (right, high), (left, high)]
            segments += list(zip(corners, corners[1:] + corners[:1]))
    mosaic.write_segments(algorithm.GetOutputDataObject(0), segments, 0.0)


def write_labels(algorithm, key, of_gone):
    """Body of a programmable filter: numbers of the filters that are there, or of those that are gone."""
    field, writer = _fields[key], Lettering()
    every = 1 if field.numbered_in_gaps else max(1, math.ceil(1.5 * field.height / (field.kernel[0] + 1))) if field.kernel else 1
    for source, known in sorted(field.filters.items()):
        if bool(known.gone) != of_gone or source % every:
            continue
        left, low = field.corner(source, 0)
        text, middle = str(source), low + field.kernel[0] / 2
        if field.numbered_in_gaps:
            writer.write(text, left - 0.5, middle, min(_NUMBER, 0.84 / (0.8 * len(text))))
        elif field.parts > 1 or left == 0:
            writer.write(text, -0.6 * field.height, middle, field.height, anchor=END)
    writer.finish(algorithm.GetOutputDataObject(0))
