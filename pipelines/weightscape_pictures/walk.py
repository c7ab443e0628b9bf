# SPDX-License-Identifier: BSD-3-Clause
"""The walk of weights in a plane as geometry: the line, its ends, and the plot around it."""

import math

import numpy as np

from . import geometry, history
from .lettering import END, Lettering
from .ticks import ticks

STEP = "step"
# The plot is always this large in world units, whatever the range of the weights: so it looks, and rounds, the same.
PLOT = np.array([4.0, 3.0])
ROOM_LEFT, ROOM_BELOW = 0.95, 0.5  # for the labels of the axes
_LABEL, _TITLE = 0.075, 0.09  # heights of letters
_TICK = 0.05
_DOT, _CORNERS = 0.035, 24  # radius of a dot, and of how many corners it is made
_BEHIND, _ABOVE = -0.1, 0.1  # where the frame and the dots lie: under the walk and on it
_AROUND = 0.06  # free space around the walk, as a part of its range


class Walk:
    """The rows of a trajectory that have both coordinates, and the window of the plane that shows them."""

    def __init__(self, table, names):
        columns = history.columns_of(table, [STEP, *names])
        steps, points = columns[STEP], np.stack([columns[name] for name in names], axis=1)
        there = np.isfinite(points).all(axis=1)
        self.steps, self.points = steps[there], points[there]
        self.low, self.high = self._window()

    def _window(self):
        if not len(self.points):
            return np.array([-1.0, -1.0]), np.array([1.0, 1.0])
        low, high = self.points.min(0), self.points.max(0)
        middle, half = (low + high) / 2, (high - low) / 2 * (1 + 2 * _AROUND)
        # A walk that does not move along an axis is shown in the middle of a window that float32 can resolve.
        half = np.where(half > 0, half, np.maximum(np.abs(middle) * 1e-3, 1e-6))
        return middle - half, middle + half

    def ticks(self):
        """Round numbers along both axes, each with the step between them."""
        return [ticks(low, high) for low, high in zip(self.low, self.high)]

    def placed(self, points):
        """Where points of the plane lie on the plot, in world units."""
        return (np.reshape(points, (-1, 2)) - self.low) / (self.high - self.low) * PLOT


def write_walk(algorithm, names):
    """Body of a programmable filter: the walk as one polyline on the plot, with its steps, thinned."""
    walk = Walk(algorithm.GetInputDataObject(0, 0), names)
    rows = history.rows_to_draw({"x": walk.points[:, 0], "y": walk.points[:, 1]})
    output = algorithm.GetOutputDataObject(0)
    output.SetPoints(_on_plane(walk.placed(walk.points[rows]), 0.0))
    output.GetPointData().SetScalars(geometry.array(STEP, walk.steps[rows]))
    if len(rows) > 1:
        output.SetLines(geometry.cells([0, len(rows)]))


def write_dot(algorithm, names, row):
    """Body of a programmable filter: a disc on one point of the walk, if there is any; -1 is the last."""
    walk = Walk(algorithm.GetInputDataObject(0, 0), names)
    if not len(walk.points):
        return
    angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    disc = walk.placed(walk.points[row]) + _DOT * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    output = algorithm.GetOutputDataObject(0)
    output.SetPoints(_on_plane(disc, _ABOVE))
    output.SetPolys(geometry.cells([0, _CORNERS]))


def write_lettering(algorithm, names, titles):
    """Body of a programmable filter: numbers and titles of both axes."""
    walk = Walk(algorithm.GetInputDataObject(0, 0), names)
    words = Lettering()
    (across, step), (up, step_up) = walk.ticks()
    for value, (x, _) in zip(across, walk.placed([(value, 0) for value in across])):
        words.write(number(value, step), x, -0.15, _LABEL)
    for value, (_, y) in zip(up, walk.placed([(0, value) for value in up])):
        words.write(number(value, step_up), -0.1, y, _LABEL, anchor=END)
    words.write(titles[0], PLOT[0] / 2, 0.1 - ROOM_BELOW, _TITLE)
    words.write(titles[1], 0.1 - ROOM_LEFT, PLOT[1] / 2, _TITLE, turned=True)
    words.finish(algorithm.GetOutputDataObject(0))


def write_frame(algorithm, names):
    """Body of a programmable filter: the edge of the plot, and a line across it at each number."""
    walk = Walk(algorithm.GetInputDataObject(0, 0), names)
    width, height = PLOT
    (across, _), (up, _) = walk.ticks()
    corners = [(0, 0), (width, 0), (width, height), (0, height)]
    lines = list(zip(corners, corners[1:] + corners[:1]))
    lines += [((x, -_TICK), (x, height)) for x, _ in walk.placed([(value, 0) for value in across])]
    lines += [((-_TICK, y), (width, y)) for _, y in walk.placed([(0, value) for value in up])]
    output = algorithm.GetOutputDataObject(0)
    output.SetPoints(_on_plane(np.array(lines).reshape(-1, 2), _BEHIND))
    output.SetLines(geometry.cells(np.arange(0, 2 * len(lines) + 1, 2)))


def number(value, step):
    """A label with as many digits as tell it from its neighbours."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if decimals <= 6:
        return f"{value:.{decimals}f}"
    digits = max(0, math.floor(math.log10(abs(value) / step) + 1e-9)) if value else 0
    return f"{value:.{digits}e}"


def _on_plane(flat, z):
    return geometry.points(np.c_[flat, np.full(len(flat), z)])
