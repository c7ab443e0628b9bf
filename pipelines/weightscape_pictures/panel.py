# SPDX-License-Identifier: BSD-3-Clause
"""One plot on a sheet: a window on data, with axes, and where values lie in it."""

import math
from dataclasses import dataclass, field

import numpy as np

from . import chart, history, page
from .lettering import CENTRE, END
from .ticks import ticks

START = 0.0
MOST_ROWS = 2000  # of a curve
_ROOM, _LEAST_ROOM = 0.05, 1.1  # around values on a logarithmic axis: a part of their span, and a factor
_LETTER = 0.85  # about how wide a letter is, in heights of a capital
_DASHES = {1: (9, 6), 2: (2.5, 4), 3: (9, 3.5, 2.5, 3.5)}  # on, off, ...: pixels of the page at its usual size


@dataclass
class Axis:
    """From low to high; marks are (value, word)."""

    low: float
    high: float
    is_log: bool = False
    marks: list = field(default_factory=list)

    def part(self, values):
        """Where values lie: 0 at the low end, 1 at the high one; NaN where the axis has no place for them."""
        values = np.asarray(values, float)
        if not self.is_log:
            return (values - self.low) / (self.high - self.low)
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.where(values > 0, np.log10(values), np.nan)
        return (logs - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))


def linear_axis(low, high, most=5):
    """Round marks; the ends stay."""
    marks, _ = ticks(low, high, most)
    return Axis(low, high, False, [(value, f"{value:g}") for value in marks])


def log_axis(values):
    """Around all positive values, marks at the decades, or, where these are few, at 1, 2 and 5 times a decade or at round numbers."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values) & (values > 0)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.1, 10.0)
    room = max(_LEAST_ROOM, (high / low) ** _ROOM)
    low, high = low / room, high * room
    marks = chart.decades(low, high)
    if len(marks) < 3:
        steps = [part * 10.0**power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
                 for part in (1.0, 2.0, 5.0)]
        marks = [value for value in steps if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]
    if len(marks) < 2:
        marks, _ = ticks(low, high, 5)
    every = max(1, math.ceil(len(marks) / 6))
    return Axis(low, high, True, [(value, f"{value:g}") for value in marks[::every]])


class Panel:
    """A plot in the rectangle `box` (left, bottom, right, top) of a sheet; `unit` is a pixel of the usual page."""

    def __init__(self, title, box, across, up, unit, across_title=""):
        self.title, self.box, self.across, self.up, self.unit = title, box, across, up, unit
        self.across_title = across_title

    def placed(self, x, y):
        """Points of the page (n, 2); NaN for what the window does not show."""
        left, bottom, right, top = self.box
        parts = np.stack(np.broadcast_arrays(self.across.part(x), self.up.part(y)), axis=-1).reshape(-1, 2)
        with np.errstate(invalid="ignore"):
            outside = ((parts < -1e-9) | (parts > 1 + 1e-9)).any(axis=1)
        return np.where(outside[:, None], np.nan, np.array([left, bottom]) + parts * [right - left, top - bottom])

    def has_room_for(self, marks):
        """Whether words under the axis do not run into each other."""
        ends = -math.inf
        for value, text in sorted(marks):
            middle = self.placed(value, self.up.low)[0][0]
            half = _LETTER * 10 * self.unit * len(text) / 2
            if middle - half < ends:
                return False
            ends = middle + half + 10 * self.unit
        return True

    def curve(self, x, y, style=0):
        """Lists of points: the curve without what has no place, thinned to real rows, dashed by its style."""
        x, y = np.asarray(x, float), np.asarray(y, float)
        rows = history.rows_to_draw({"x": x, "y": y}, MOST_ROWS) if len(x) else np.arange(0)
        there = self.placed(x[rows], y[rows])
        pieces = _pieces(there)
        return [dash for piece in pieces for dash in _dashed(piece, style, self.unit)]

    def draw_frame(self, sheet):
        """Edge, marks and words."""
        left, bottom, right, top = self.box
        unit = self.unit
        strokes, words = [], []
        for value, text in self.across.marks:
            (x, _), = self.placed(value, self._any(self.up))
            strokes.append(([(x, bottom - 5 * unit), (x, top)], page.FAINT))
            words.append((text, x, bottom - 17 * unit, 10 * unit, CENTRE))
        for value, text in self.up.marks:
            (_, y), = self.placed(self._any(self.across), value)
            strokes.append(([(left - 5 * unit, y), (right, y)], page.FAINT))
            words.append((text, left - 10 * unit, y, 10 * unit, END))
        sheet.lines(strokes, unit)
        edge = [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)]
        sheet.lines([(edge, page.GREY)], unit)
        words.append((self.across_title, (left + right) / 2, bottom - 39 * unit, 11 * unit, CENTRE))
        words.append((self.title, left, top + 15 * unit, 12 * unit, START))
        sheet.words(words, page.INK)

    @staticmethod
    def _any(axis):
        return axis.low


def _pieces(points):
    """Runs of points without NaN."""
    there = np.isfinite(points).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(int)))
    return [points[first:last] for first, last in zip(edges[::2], edges[1::2])]


def _dashed(points, style, unit):
    """The stretches of a line that a style draws; along its way, so that they are equally long everywhere."""
    if style not in _DASHES or len(points) < 2:
        return [points]
    pattern = unit * np.array(_DASHES[style])
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    keep = np.concatenate([[True], np.diff(way) > 0])
    points, way = points[keep], way[keep]
    dashes, start = [], 0.0
    while len(way) > 1 and start < way[-1]:
        for index, length in enumerate(pattern):
            end = min(start + length, way[-1])
            if index % 2 == 0 and end > start:
                at = np.concatenate([[start], way[(way > start) & (way < end)], [end]])
                dashes.append(np.stack([np.interp(at, way, points[:, 0]), np.interp(at, way, points[:, 1])], axis=1))
            start = end
    return dashes


def disc(centre, radius, corners=20):
    """Corners of a disc."""
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.asarray(centre) + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def cross(centre, radius):
    """Two strokes."""
    x, y = centre
    return [[(x - radius, y - radius), (x + radius, y + radius)], [(x - radius, y + radius), (x + radius, y - radius)]]
