# SPDX-License-Identifier: BSD-3-Clause
"""At which steps triggers say yes, as rules that can be worked out ahead."""

import math
from typing import NamedTuple

from paraview.servermanager import _getPyProxy

_LAST = 2**64 - 1


class Rule(NamedTuple):
    """Steps s with first <= s <= last and (s - phase) % every == 0."""

    first: int
    last: int
    every: int
    phase: int


ALWAYS = Rule(0, _LAST, 1, 0)


def of_trigger(proxy):
    """The rule of a trigger's proxy. One that goes by time or by code can only be asked at its step, so any step may be one."""
    if proxy is None or proxy.GetXMLName() != "TimeStep":
        return ALWAYS
    trigger = _getPyProxy(proxy)
    first = max(0, trigger.StartTimeStep) if trigger.UseStartTimeStep else 0
    last = max(0, trigger.EndTimeStep) if trigger.UseEndTimeStep else _LAST
    return Rule(first, last, max(1, trigger.Frequency), first)


def both(one, other):
    """The rule of the steps at which both say yes, None if there are none."""
    first, last = max(one.first, other.first), min(one.last, other.last)
    every = math.lcm(one.every, other.every)
    # The first common step, if any, comes within one period; steps of the rarer rule are tried.
    rare, often = (one, other) if one.every >= other.every else (other, one)
    start = first + (rare.phase - first) % rare.every
    found = next((step for step in range(start, start + every, rare.every) if (step - often.phase) % often.every == 0), None)
    return None if found is None or found > last else Rule(found, last, every, found)
