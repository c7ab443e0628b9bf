# SPDX-License-Identifier: BSD-3-Clause
"""Round numbers along an axis."""

import math

ROUND = (1.0, 2.0, 5.0)


def ticks(low, high, most=7, least=0.0):
    """Round numbers from low to high, at most so many and at least `least` apart, and the step between them."""
    span = high - low
    decade = 10.0 ** math.floor(math.log10(span / most))
    step = next(part * decade for part in (*ROUND, 10.0, 20.0) if span / (part * decade) <= most - 1)
    step = max(step, least)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)], step
