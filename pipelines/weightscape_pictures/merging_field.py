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
    """One filter of the run's beginning. `values` [channels, rows, columns] has NaN for channels that are there no more, and is
    None where nobody knows them; `gone`: for how many pictures' time it has been merged, None while it is there."""

    def __init__(self, values, gone=None, into=None):
        self.values, self.gone, self.into = values, gone, into
        self.colour = None  # of the palette

    @property
    def is_there(self):
        return self.gone is None


class MergingField:
    """All filters of a layer at a step: a function of what the channel holds then, whoever draws it, whatever was drawn before.
    `every`: steps from picture to picture; `fade`: after so many pictures a merged filter is seen no more."""

    def __init__(self, key, fade, every):
        self._fade, self._every = fade, every
        self.filters, self.count, self.parts, self.end, self.kernel = {}, 0, 0, 1.0, None
        _fields[key] = self

    def take(self, image, step):
        """What the channel `weights_L` holds at a step."""
        weights = tiles.cut(image, "weight")
        if weights is None or not math.isfinite(step):
            return
        self.end = colour_scale.limit("weight", channels.scalar(image, "weight_range"))
        self.kernel = weights.shape[2:]
        sources = [int(source) for source in tiles.of_filters(image, "source")]
        columns = tiles.of_parts(image, "source_channel")
        columns = np.arange(weights.shape[1]) if columns is None else columns
        whole = channels.numbers(image, "whole")
        self.count = int(whole[0]) if len(whole) else max(sources) + 1
        self.parts = int(whole[1]) if len(whole) else int(max(columns)) + 1
        self.filters = {number: Filter(None, math.inf) for number in range(self.count)}
        self._take_merged(image, step)
        for source, values in zip(sources, weights):
            placed = np.full((self.parts, *self.kernel), np.nan, np.float32)
            placed[columns] = values
            self.filters[source] = Filter(placed)
        self._colour(sources, [int(group) for group in tiles.of_filters(image, "group")])

    def _take_merged(self, image, step):
        merged, weights = channels.rows(image, "merged"), channels.rows(image, "merged_weight")
        for (source, into, since), values in zip(merged, weights):
            values = np.reshape(values, (self.parts, *self.kernel))
            known = values if np.isfinite(values).any() else None
            self.filters[int(source)] = Filter(known, max(0, step - since) / self._every, int(into))

    def _taken_by(self, number):
        """The filter that stands for this one now; None: none does."""
        for _ in range(self.count):
            known = self.filters.get(number)
            if known is None or known.is_there:
                break
            number = known.into
        return number if number in self.filters and self.filters[number].is_there else None

    def _colour(self, sources, groups):
        """One colour for similar filters and those that they have taken in. It goes by the first of them, so that it stays as
        long as they do; two that would have the same go on to the next that is free."""
        group_of = {source: group if group >= 0 else -1 - source for source, group in zip(sources, groups)}
        members = {}
        for number in self.filters:
            stands = self._taken_by(number)
            if stands is not None:
                members.setdefault(group_of[stands], []).append(number)
        taken = set()
        for alike in sorted(sorted(numbers) for numbers in members.values() if len(numbers) > 1):
            wishes = [(alike[0] + further) % len(PALETTE) for further in range(len(PALETTE))]
            colour = next((wish for wish in wishes if wish not in taken), wishes[0])
            taken.add(colour)
            for number in alike:
                self.filters[number].colour = colour

    @property
    def present(self):
        return [number for number, known in self.filters.items() if known.is_there]

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

    def left_of(self, source):
        """How much of a filter is left to see: 1 while it is there, 0 when it has faded out."""
        known = self.filters[source]
        return 1.0 if known.is_there else max(0.0, 1 - known.gone / self._fade)

    def colour_of(self, source):
        """The colour that a filter is drawn in: three numbers from 0 to 1."""
        colour = self.filters[source].colour
        own = np.array(ALONE if colour is None else page.rgb(PALETTE[colour]))
        return own + (np.array(_GONE) - own) * (1 - self.left_of(source))

    def parts_of(self, source):
        """The channels of a filter that can be drawn."""
        values = self.filters[source].values
        return [] if values is None else [part for part, tile in enumerate(values) if not np.isnan(tile).all()]

    def boxes(self):
        """x, y, height and colour of every box that is seen."""
        x, y, heights, colours = [], [], [], []
        rows, columns = self.kernel or (0, 0)
        r, s = (index.ravel() for index in np.indices((rows, columns)))
        for source, known in sorted(self.filters.items()):
            left_over = self.left_of(source)
            for part in self.parts_of(source) if left_over else ():
                left, low = self.corner(source, part)
                values = known.values[part].ravel()
                x.append(left + s)
                y.append(low + rows - 1 - r)
                heights.append(boxes.HEIGHT * left_over * np.clip(np.where(np.isfinite(values), values, 0) / self.end, -1, 1))
                colours.append(np.tile(self.colour_of(source), (rows * columns, 1)))
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
        for part in range(field.parts) if not known.is_there else ():
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
        if known.is_there == of_gone or source % every:
            continue
        left, low = field.corner(source, 0)
        text, middle = str(source), low + field.kernel[0] / 2
        if field.numbered_in_gaps:
            writer.write(text, left - 0.5, middle, min(_NUMBER, 0.84 / (0.8 * len(text))))
        elif field.parts > 1 or left == 0:
            writer.write(text, -0.6 * field.height, middle, field.height, anchor=END)
    writer.finish(algorithm.GetOutputDataObject(0))
