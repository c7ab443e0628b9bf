# SPDX-License-Identifier: BSD-3-Clause
"""What the walk says, in few words: exponents with their 95 % intervals, and the random walk beside the components."""

import math

from . import channels

_LETTER = 0.5  # width of a letter in parts of its font's size


def exponent(values):
    """'0.46 [0.42, 0.51]', or nothing where it is not known."""
    value, low, high = values
    return f"{value:.2f} [{low:.2f}, {high:.2f}]" if math.isfinite(value) else ""


def of_norms(table, width, points):
    """How the norms of the layers grow, in one line of at most `width` pixels: of as many layers as there is room for."""
    known = zip(channels.strings(table, "layers"), map(exponent, channels.triples(table, "norm_exponent")))
    parts = [f"{layer} {words}" for layer, words in known if words]
    while parts:
        line = f"increase of the norm ~ t^p, p = {', '.join(parts)}"
        if len(line) * _LETTER * points <= width:
            return line
        parts.pop()
    return ""


def of_walk(table):
    """How the distance grows and how much lies along the components, in one line; nothing before that is known."""
    parts = []
    for words in map(exponent, channels.triples(table, "distance_exponent")):
        if words:
            parts.append(f"distance from the start ~ t^p, p = {words}")
    explained, null = (channels.triples(table, name) for name in ("explained", "explained_at_random"))
    if explained and null and all(map(math.isfinite, explained[0])):
        there, at_random = (", ".join(f"{100 * part:.1f}" for part in values[0]) for values in (explained, null))
        parts.append(f"along components 1, 2, 3: {there} % (at random {at_random} %)")
    return "; ".join(parts)
