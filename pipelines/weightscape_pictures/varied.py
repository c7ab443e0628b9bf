# SPDX-License-Identifier: BSD-3-Clause
"""What runs differ in: the option that colours them and lies along the axis, and the others, which style their lines."""

import math

import numpy as np

from . import page
from .ticks import ticks

# How a run was shown or kept says nothing of what it is.
_OF_SHOWING = {
    "threads", "checkpoint-every", "keep-checkpoints", "pipeline", "insitu", "lag", "overhead", "live", "record",
    "insitu-required", "strict",
}
_LOG_FROM = 20  # a range of values that is so many times its low end is shown on a logarithmic scale
_FOLDER = "run"
# Viridis, from five of its colours; its yellow end is darkened, for a white page.
_STOPS = np.array([(0.267, 0.005, 0.329), (0.230, 0.322, 0.546), (0.128, 0.567, 0.551), (0.369, 0.789, 0.383),
                   (0.900, 0.800, 0.100)])
MOST_STYLES = 4


def word(value):
    """An option's value as people write it."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def options_that_differ(runs):
    """Names of options of which the runs have more than one value, in the order of the first run's record."""
    names = list(dict.fromkeys(name for run in runs for name in run.options))
    return [name for name in names if name not in _OF_SHOWING and len({word(run.options.get(name)) for run in runs}) > 1]


def sequential(fraction):
    """The colour of a part of a scale, 0 to 1: three numbers from 0 to 1."""
    return tuple(float(np.interp(fraction, np.linspace(0, 1, len(_STOPS)), part)) for part in _STOPS.T)


class Varied:
    """The runs' values of the option `by`, with their places on a scale from 0 to 1 and their colours."""

    def __init__(self, runs, by=None):
        names = options_that_differ(runs)
        if by is not None and by not in runs[0].options:
            raise ValueError(f"by={by}: the runs have no such option; they differ in {', '.join(names) or 'none'}")
        # Numbers first: a scale of colours tells more than names.
        numbers = [name for name in names if all(_is_number(run.options.get(name)) for run in runs)]
        self.by = by or (numbers + names + [_FOLDER])[0]
        self.others = [name for name in names if name != self.by]
        values = [run.name if self.by == _FOLDER else run.options.get(self.by) for run in runs]
        self.words = [word(value) for value in values]
        # Without two numbers there is no scale; names lie side by side in the order in which they come.
        self.is_number = all(map(_is_number, values)) and len(set(values)) > 1
        self.is_log = self.is_number and min(values) > 0 and max(values) >= _LOG_FROM * min(values)
        self.names = list(dict.fromkeys(self.words))
        self.values = np.array(values if self.is_number else [self.names.index(name) for name in self.words], float)
        self.low, self.high = float(self.values.min()), float(self.values.max())

    def place(self, value):
        """Where a value lies between the lowest and the highest, 0 to 1."""
        low, high = self.low, self.high
        if low == high:
            return 0.5
        if self.is_log:
            return math.log(value / low) / math.log(high / low)
        return (value - low) / (high - low)

    def colour_at(self, value):
        """Of a value: a sequential scale for numbers, a palette for names."""
        if self.is_number:
            return sequential(self.place(value))
        return tuple(page.rgb(page.LAYER_COLOURS[int(value) % len(page.LAYER_COLOURS)]))

    def colour(self, index):
        return self.colour_at(self.values[index])

    def labels(self, most=8):
        """(value, word) of those that an axis or a legend names: all where they are few, else round numbers."""
        if not self.is_number:
            return list(enumerate(self.names))
        distinct = sorted(set(self.values))
        if len(distinct) <= most:
            return [(value, f"{value:g}") for value in distinct]
        if not self.is_log:
            return [(value, f"{value:g}") for value in ticks(self.low, self.high)[0]]
        powers = range(math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9) + 1)
        decades = [10.0**power for power in powers]
        marks = decades if len(decades) > 1 else [self.low, self.high]
        return [(value, f"{value:g}") for value in marks]

    def rest(self, run):
        """A run's values of the other options, in words."""
        return " ".join(f"{name}={word(run.options.get(name))}" for name in self.others)


def styles_of(varied, runs):
    """The runs' line styles, 0 to MOST_STYLES - 1, by their other options, and the words of each style: all have one
    style, and there are no words, where there are too many."""
    rests = [varied.rest(run) for run in runs]
    distinct = list(dict.fromkeys(rests))
    if len(distinct) > MOST_STYLES:
        return [0] * len(runs), []
    return [distinct.index(rest) for rest in rests], distinct if varied.others else []
