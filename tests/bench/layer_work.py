# SPDX-License-Identifier: BSD-3-Clause
"""Layers with the seconds that they took and what was done in them: FLOP, and bytes that must pass through memory if nothing
stays in the caches from one layer to the next. Layers that the program does in one are one group: only the first of it has
seconds, and what lies between them need not pass through memory."""
import math

from networks import layers_of

FLOAT = 4  # bytes


def _groups(layers, seconds):
    """Each layer that has seconds, with those after it that have none."""
    groups = []
    for layer in layers:
        if seconds[layer.name] or not groups:
            groups.append([])
        groups[-1].append(layer)
    return [(group, seconds[group[0].name]) for group in groups if seconds[group[0].name]]


def _facts(names, seconds, flop, values):
    return {"name": " ".join(names), "seconds": seconds, "flop": flop, "bytes": FLOAT * values}


def forward_groups(network, batch, seconds):
    """From the first layer to the last: input, output and weights pass."""
    found = []
    for group, took in _groups(layers_of(network), seconds):
        values = math.prod(group[0].inside) + math.prod(group[-1].out)
        found.append(_facts([layer.name for layer in group], took, batch * sum(layer.forward_flop() for layer in group),
                            batch * values + sum(layer.weights for layer in group)))
    return found


def backward_groups(network, batch, seconds):
    """From the last layer to the first: input, gradient of the output and, where it is wanted, of the input pass; weights and
    their gradients."""
    found = []
    for group, took in _groups(reversed(layers_of(network)), seconds):
        first = group[-1]
        values = math.prod(first.inside) * (1 + first.needs_input_gradient) + math.prod(group[0].out)
        found.append(_facts([layer.name for layer in group], took,
                            batch * sum(layer.backward_flop() for layer in group),
                            batch * values + 2 * sum(layer.weights for layer in group)))
    return found
