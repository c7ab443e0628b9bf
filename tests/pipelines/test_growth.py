# SPDX-License-Identifier: BSD-3-Clause
"""What pictures say of the walk: true numbers, beside those of chance, in the room that there is, and nothing unknown."""

import numpy as np
import pytest

STEPS = 300
NAN3 = (np.nan, np.nan, np.nan)


def with_triples(data, **arrays):
    """`data` with field data of three numbers each."""
    from vtkmodules.util.numpy_support import numpy_to_vtk

    for name, values in arrays.items():
        array = numpy_to_vtk(np.array(values, float).reshape(-1, 3), deep=True)
        array.SetName(name)
        data.GetFieldData().AddArray(array)
    return data


def norms(exponents):
    from test_norms import LAYERS, run_of

    channels = run_of(steps=STEPS)
    with_triples(channels["norms"], norm_exponent=exponents)
    return LAYERS, channels


def walk(**arrays):
    from test_trajectory import line, walk_of

    channels = walk_of(line((-0.2, 0.1), (0.3, 0.25)))
    with_triples(channels["trajectory_conv1"], **arrays)
    return channels


def test_exponents_of_norms(draw):
    _, channels = norms([(0.464, 0.42, 0.509), (0.5, 0.25, 0.75)])
    title = draw("norms").show(STEPS, channels).figures[0].view.ChartTitle
    assert title.splitlines()[-1] == "increase of the norm ~ t^p, p = conv1 0.46 [0.42, 0.51], fc1 0.50 [0.25, 0.75]"


def test_what_is_not_known_is_not_said(draw):
    _, channels = norms([NAN3, (0.5, 0.25, 0.75)])
    title = draw("norms").show(STEPS, channels).figures[0].view.ChartTitle
    assert "conv1" not in title and "fc1 0.50" in title
    _, channels = norms([NAN3, NAN3])
    assert "t^p" not in draw("norms").show(STEPS, channels).figures[0].view.ChartTitle


@pytest.mark.parametrize("width, layers", [(1024, 2), (350, 1), (200, 0)])
def test_as_many_layers_as_there_is_room_for(pipelines, display, width, layers):
    from weightscape_pictures import growth

    _, channels = norms([(0.464, 0.42, 0.509), (0.5, 0.25, 0.75)])
    line = growth.of_norms(channels["norms"], width, 10)
    assert line.count("[") == layers and len(line) * 5 <= width


def test_the_walk_beside_chance(draw):
    channels = walk(distance_exponent=[(0.33, 0.31, 0.36)], explained=[(0.907, 0.06, 0.011)],
                    explained_at_random=[(0.608, 0.152, 0.068)])
    figure = draw("trajectory").show(100, channels).figures[0]
    assert figure.said == ("distance from the start ~ t^p, p = 0.33 [0.31, 0.36]; "
                           "along components 1, 2, 3: 90.7, 6.0, 1.1 % (at random 60.8, 15.2, 6.8 %)")


def test_a_walk_of_which_nothing_is_known(draw):
    channels = walk(distance_exponent=[NAN3], explained=[NAN3], explained_at_random=[(0.608, 0.152, 0.068)])
    assert draw("trajectory").show(100, channels).figures[0].said == ""
    assert draw("trajectory").show(100, walk()).figures[0].said == ""


def test_the_words_are_in_the_picture(draw):
    """Above the plot and nowhere else."""
    without = draw("trajectory").show(100, walk()).pictures["trajectory_conv1"]
    channels = walk(distance_exponent=[(0.33, 0.31, 0.36)])
    there = draw("trajectory").show(100, channels).pictures["trajectory_conv1"]
    rows = np.flatnonzero((there != without).any(axis=(1, 2)))
    assert len(rows) and 0.08 * len(there) < rows.min() and rows.max() < 0.13 * len(there)
