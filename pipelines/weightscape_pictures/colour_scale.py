# SPDX-License-Identifier: BSD-3-Clause
"""The scale of values: blue is negative, light grey is zero, red is positive; its limit never moves in a run."""

import math

from . import page

# ColorBrewer's RdBu, ends darkened a little so that they stand out of a white page.
_STOPS = (
    (-1.0, (0.020, 0.188, 0.380)),
    (-0.6, (0.129, 0.400, 0.674)),
    (-0.3, (0.420, 0.678, 0.839)),
    (-0.1, (0.780, 0.870, 0.930)),
    (0.0, (0.930, 0.930, 0.930)),
    (0.1, (0.980, 0.850, 0.780)),
    (0.3, (0.957, 0.560, 0.440)),
    (0.6, (0.698, 0.094, 0.168)),
    (1.0, (0.404, 0.000, 0.122)),
)
NOT_FINITE = (1.0, 0.0, 1.0)
_ROUND = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)

# Twice the largest initial weight leaves room to grow; gradients are about a tenth of that, or less.
_ROOM = {"weight": 2.0, "delta": 2.0, "gradient": 0.2}


def limit(array, weight_range, asked=None):
    """The value at which colours end: as asked, else a round number that follows from the initial weights alone."""
    if asked is not None:
        return asked
    wanted = _ROOM[array] * weight_range
    if not (math.isfinite(wanted) and wanted > 0):
        return 1.0
    decade = 10.0 ** math.floor(math.log10(wanted))
    return decade * next(step for step in _ROUND if step * decade >= wanted * (1 - 1e-9))


def table():
    """A colour table for the scale; call `stretch` before it is used."""
    made = page.colour_table()
    made.NanColor = list(NOT_FINITE)
    return made


def stretch(lookup, end):
    """Lets the table's colours run from -end to end."""
    lookup.RGBPoints = [number for place, colour in _STOPS for number in (place * end, *colour)]


def colour_of(value, end):
    """The colour of a value on a scale that ends at `end`, three numbers from 0 to 1."""
    if not math.isfinite(value):
        return NOT_FINITE
    place = min(1.0, max(-1.0, value / end))
    for (low, first), (high, second) in zip(_STOPS, _STOPS[1:]):
        if place <= high:
            part = (place - low) / (high - low)
            return tuple(a + part * (b - a) for a, b in zip(first, second))
    raise AssertionError("the stops of the colour scale end at 1")
