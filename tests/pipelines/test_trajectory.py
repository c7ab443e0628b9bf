# SPDX-License-Identifier: BSD-3-Clause
"""The walk: each stretch is where its weights are, in the colour of its step, whatever the range."""

import numpy as np
import pytest

STEPS = 100
FRACTIONS = (0.2, 0.4, 0.6, 0.8)


def walk_of(points, step=STEPS):
    from fake_channels import table

    points = np.asarray(points, float)
    columns = {"step": np.arange(len(points)), "w0": points[:, 0], "w1": points[:, 1]}
    columns.update(pc1=points[:, 1] * 3, pc2=points[:, 0] * 2)
    empty = table({"step": []}, {"step": step}, ["conv1"], ["conv1"])
    # The layer's weights are not drawn here, but their channel says that the layer is there.
    return {"trajectory_conv1": table(columns, {"step": step}, ["conv1"], ["conv1"]), "weights_conv1": empty}


def line(start, end):
    return np.linspace(start, end, STEPS + 1)


def pixel_at(shown, point):
    from weightscape_pictures import camera

    figure, picture = shown.figures[0], next(iter(shown.pictures.values()))
    x, y = camera.project(figure.view, [*figure.walk.placed(point)[0], 0.0])[0]
    return picture[int(y), int(x)]


def wanted(fraction):
    from weightscape_pictures import trajectory_figure

    return 255 * np.array(trajectory_figure.colour_of(fraction))


def assert_coloured(shown, points):
    for fraction in FRACTIONS:
        seen = pixel_at(shown, points[int(fraction * STEPS)])
        assert np.abs(seen - wanted(fraction)).max() <= 10, (fraction, seen, wanted(fraction))


def test_colour_says_the_step(draw):
    points = line((-0.2, 0.1), (0.3, 0.25))
    assert_coloured(draw("trajectory").show(STEPS, walk_of(points)), points)


@pytest.mark.parametrize("span, offset", [(1e-7, 0.5), (1e-3, -2.0), (1e6, 0.0)])
def test_a_walk_of_any_range_looks_the_same(draw, span, offset):
    points = line((-0.2, 0.1), (0.3, 0.25)) * span + offset
    shown = draw("trajectory").show(STEPS, walk_of(points))
    assert_coloured(shown, points)
    ends = shown.figures[0].walk.placed(points[[0, -1]])
    usual = draw("trajectory").show(STEPS, walk_of(line((-0.2, 0.1), (0.3, 0.25))))
    assert ends == pytest.approx(usual.figures[0].walk.placed([(-0.2, 0.1), (0.3, 0.25)]), abs=1e-6)


def test_principal_components(draw):
    points = line((-0.2, 0.1), (0.3, 0.25))
    shown = draw("trajectory", "--components=principal").show(STEPS, walk_of(points))
    assert list(shown.pictures) == ["trajectory_conv1_principal"]
    assert_coloured(shown, np.stack([points[:, 1] * 3, points[:, 0] * 2], axis=1))


def test_the_plot_has_axes_with_true_numbers(pipelines, display):
    from fake_channels import table
    from weightscape_pictures import walk

    data = table({"step": [0, 1], "w0": [0.5, 0.5 + 1e-7], "w1": [-3, 40]}, {"step": 1}, [], [])
    drawn = walk.Walk(data, ("w0", "w1"))
    (across, step), (up, step_up) = drawn.ticks()
    labels = [walk.number(value, step) for value in across]
    assert len(set(labels)) == len(labels) >= 3, "neighbours differ"
    assert [float(label) for label in labels] == pytest.approx(across, abs=step / 10)
    assert [walk.number(value, step_up) for value in up] == ["0", "10", "20", "30", "40"]


@pytest.mark.parametrize("points", [[(0.1, 0.2)], [(0.1, 0.2)] * 50, [(0.1, np.nan)] * 5, np.empty((0, 2))])
def test_walks_that_go_nowhere_are_proper_plots(draw, capfd, points):
    shown = draw("trajectory").show(STEPS, walk_of(points))
    picture = shown.pictures["trajectory_conv1"]
    assert (picture[0, 0] == 255).all() and (picture < 100).all(axis=2).sum() > 1000
    assert "ERR|" not in capfd.readouterr().err


def test_a_long_walk_is_thinned(draw):
    random = np.random.default_rng(1)
    points = random.normal(size=(50000, 2)).cumsum(0)
    figure = draw("trajectory").show(STEPS, walk_of(points)).figures[0]
    assert figure.drawn_points() <= 4000
