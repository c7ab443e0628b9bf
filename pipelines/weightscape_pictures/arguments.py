# SPDX-License-Identifier: BSD-3-Clause
"""Arguments of a script: `--pipeline SCRIPT.py,layer=conv1,every=50` reaches it as --layer=conv1 --every=50."""

import argparse
import math

LONGEST_SIDE = 16384
SHORTEST_SIDE = 240
MOST_IMAGES = 10  # that the channel holds
LONGEST_FADE = 1000


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise ValueError(message)


def _whole(text):
    return int(text) if text.isascii() and text.isdigit() else 0


def every(text):
    """Steps between two pictures."""
    steps = _whole(text)
    if steps < 1:
        raise ValueError(f"every={text}: must be a whole number of steps, at least 1")
    return steps


def images(text):
    """Images of the probe set whose activations are drawn."""
    count = _whole(text)
    if not 1 <= count <= MOST_IMAGES:
        raise ValueError(f"images={text}: must be a whole number from 1 to {MOST_IMAGES}")
    return count


def fade(text):
    """Pictures until a merged filter has faded out."""
    pictures = _whole(text)
    if not 1 <= pictures <= LONGEST_FADE:
        raise ValueError(f"fade={text}: must be a whole number of pictures, from 1 to {LONGEST_FADE}")
    return pictures


def size(text):
    """Width and height of a picture, '1024x768'."""
    sides = tuple(_whole(side) for side in text.split("x"))
    if len(sides) != 2 or not all(SHORTEST_SIDE <= side <= LONGEST_SIDE for side in sides):
        raise ValueError(f"size={text}: must be WIDTHxHEIGHT, each from {SHORTEST_SIDE} to {LONGEST_SIDE} pixels")
    return sides


def colour_range(text):
    """Largest value that has a colour of its own."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"range={text}: must be a finite number above 0")
    return value


def one_of(name, choices):
    """A check that a value is one of `choices`."""

    def check(text):
        if text not in choices:
            raise ValueError(f"{name}={text}: must be one of {', '.join(choices)}")
        return text

    return check


# Every argument there is: its default and its check. A script names those that it takes.
_KNOWN = {
    "layer": ("conv1", str),
    "every": ("100", every),
    "size": ("1024x768", size),
    "range": (None, colour_range),
    "array": ("weight", one_of("array", ("weight", "gradient", "delta"))),
    "components": ("weights", one_of("components", ("weights", "principal"))),
    "images": ("4", images),
    "of": ("activations", one_of("of", ("activations", "weights"))),
    "fade": ("5", fade),
}


def parse(given, *names, **defaults):
    """Checked values of the arguments `names`, with other `defaults` than the usual ones. A ValueError names the argument, its
    value and the limit."""
    parser = _Parser(add_help=False, allow_abbrev=False)
    for name in names:
        parser.add_argument(f"--{name}", default=defaults.get(name, _KNOWN[name][0]))
    values, unknown = parser.parse_known_args(given)
    if unknown:
        raise ValueError(f"{unknown[0].lstrip('-')}: no such argument; there is {', '.join(names)}")
    checked = {}
    for name in names:
        text = getattr(values, name)
        checked[name] = None if text is None else _KNOWN[name][1](text)
    return argparse.Namespace(**checked)
