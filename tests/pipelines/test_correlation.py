# SPDX-License-Identifier: BSD-3-Clause
"""The heat map of correlations: the square of a pair has the colour of its correlation, on a scale from -1 to 1."""

import numpy as np
import pytest

TIGHT = 2  # of 255


def channels_of(pearson, step=1, **more):
    from fake_channels import correlation_image, weights_image

    weight = np.zeros((len(pearson), 1, 3, 3), np.float32)
    return {"weights_conv1": weights_image("conv1", weight, weight, weight, {"step": step}),
            "correlation_conv1": correlation_image("conv1", pearson, {"step": step}, **more)}


def some(count, seed=3):
    values = np.random.default_rng(seed).uniform(-1, 1, (count, count))
    values = np.triu(values, 1)
    return values + values.T + np.eye(count)


def place_of(shown, i, j, right=0.5, up=0.5, picture="correlation_conv1"):
    from weightscape_pictures import camera

    figure = shown.figures[0]
    x, y = figure.matrix.place(i, j)
    column, row = camera.project(figure.view, [x + right, y + up, 0])[0]
    return shown.pictures[picture][int(row), int(column)]


def assert_colours(shown, pearson, picture="correlation_conv1"):
    from weightscape_pictures import colour_scale

    for i, j in np.ndindex(*pearson.shape):
        wanted = 255 * np.array(colour_scale.colour_of(pearson[i, j], 1.0))
        seen = place_of(shown, i, j, picture=picture)
        assert np.abs(seen - wanted).max() <= TIGHT, (i, j, pearson[i, j], seen, wanted)


@pytest.mark.parametrize("count", [1, 16, 64])
def test_the_square_of_a_pair_has_the_colour_of_its_correlation(draw, count):
    pearson = some(count)
    assert_colours(draw("correlation").show(1, channels_of(pearson)), pearson)


def test_rows_run_down_and_columns_right(draw):
    """A matrix that is not symmetric, which no network gives, tells rows from columns."""
    from weightscape_pictures import camera

    pearson = np.zeros((4, 4))
    pearson[3, 1] = 1.0
    shown = draw("correlation").show(1, channels_of(pearson))
    places = {pair: camera.project(shown.figures[0].view, [*np.add(shown.figures[0].matrix.place(*pair), 0.5), 0])[0] for pair in ((0, 1), (3, 1), (3, 2))}
    assert places[3, 1][1] > places[0, 1][1] and places[3, 2][0] > places[3, 1][0]
    red, _, blue = place_of(shown, 3, 1)
    assert red > blue + 50
    assert np.ptp(place_of(shown, 1, 3)) <= TIGHT


def test_the_correlation_of_weights_is_another_picture(draw):
    pearson, of_weights = some(6), some(6, seed=8)
    shown = draw("correlation", "--of=weights").show(1, channels_of(pearson, weights=of_weights))
    assert_colours(shown, of_weights, "correlation_conv1_weights")


def test_the_matrix_follows_a_change_of_shape(draw):
    drawing = draw("correlation")
    for step, count in enumerate([16, 12, 16], start=1):
        pearson = some(count, seed=step)
        assert_colours(drawing.show(step, channels_of(pearson, step)), pearson)


def darkest_on(shown, i, j):
    """The darkest pixel on a line across a square."""
    return min(int(place_of(shown, i, j, right, 0.3).sum()) for right in np.linspace(0.1, 0.9, 60))


def test_dead_filters_are_hatched_and_told(draw):
    pearson = np.zeros((8, 8))
    shown = draw("correlation").show(1, channels_of(pearson, dead=[0, 0, 1, 0, 0, 0, 0, 0]))
    light = darkest_on(shown, 4, 5)
    assert darkest_on(shown, 2, 5) < light - 100 and darkest_on(shown, 5, 2) < light - 100
    assert shown.figures[0].notes() == "hatched: dead, never varies (1)"


def test_pairs_of_a_group_are_framed_and_told(draw):
    pearson = np.full((6, 6), 0.95)
    shown = draw("correlation").show(1, channels_of(pearson, group=[0, -1, 0, 1, 1, -1]))

    def brightest(i, j):
        return max(int(place_of(shown, i, j, right).sum()) for right in np.linspace(0.02, 0.3, 40))

    plain = brightest(0, 1)
    assert brightest(0, 2) > plain + 200 and brightest(4, 3) > plain + 200
    assert brightest(0, 0) <= plain + 30 and brightest(0, 3) <= plain + 30
    assert shown.figures[0].describe() == "6 filters; 4 of them in 2 groups of similar ones"
    assert shown.figures[0].notes() == "framed: similar, of one group"


def test_the_scale_never_moves(draw):
    drawing = draw("correlation")
    seen = [place_of(drawing.show(step, channels_of(np.full((3, 3), 0.25) * scale, step)), 0, 0)
            for step, scale in ((1, 1), (2, 1))]
    assert (seen[0] == seen[1]).all()
    weak = place_of(drawing.show(3, channels_of(np.full((3, 3), 0.01), 3)), 0, 0)
    assert np.ptp(weak) <= 12, "small correlations are not stretched"


@pytest.mark.parametrize("count, size", [(1, "1024x768"), (16, "600x800"), (64, "1024x768")])
def test_the_matrix_fits_the_picture(draw, count, size):
    from weightscape_pictures import camera

    shown = draw("correlation", f"--size={size}").show(1, channels_of(some(count)))
    picture = shown.pictures["correlation_conv1"]
    places = camera.project(shown.figures[0].view, camera.corners((0, count, 0, count, 0, 0)))
    assert places.min() > 5 and (places.max(axis=0) < [0.86 * picture.shape[1], picture.shape[0] - 5]).all()
    assert (np.ptp(places, axis=0) / picture.shape[1::-1]).max() > 0.6
