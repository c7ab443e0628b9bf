# SPDX-License-Identifier: BSD-3-Clause
"""The picture of activations: each square is where its activation is, and as coloured as its value says."""

import numpy as np
import pytest

TIGHT = 2  # of 255
MAGENTA = [255, 0, 255]


def channels_of(activation, step=1, layer="conv1"):
    from fake_channels import activations_image, weights_image

    weight = np.zeros((activation.shape[1], 1, 3, 3), np.float32)
    return {f"weights_{layer}": weights_image(layer, weight, weight, weight, {"step": step}),
            f"activations_{layer}": activations_image(layer, activation, {"step": step})}


def some(shape, seed=3, low=0.0):
    return np.random.default_rng(seed).uniform(low, 1, shape).astype(np.float32)


def pixel_at(shown, k, n, p, q):
    from weightscape_pictures import camera, maps

    figure = shown.figures[0]
    x, y = maps.cell_middle(figure.maps, figure.layout, k, n, p, q)
    column, row = camera.project(figure.view, [x, y, 0])[0]
    return shown.pictures["activations_conv1"][int(row), int(column)]


def assert_colours(shown, activation, images):
    from weightscape_pictures import colour_scale

    random = np.random.default_rng(1)
    count, filters, rows, columns = activation.shape
    for _ in range(60):
        k, n, p, q = (int(random.integers(most)) for most in (filters, min(images, count), rows, columns))
        wanted = 255 * np.array(colour_scale.colour_of(activation[n, k, p, q], 1.0))
        seen = pixel_at(shown, k, n, p, q)
        assert np.abs(seen - wanted).max() <= TIGHT, (k, n, p, q, activation[n, k, p, q], seen, wanted)


# Images, filters, rows, columns: one image is a grid in the channel; maps need not be square.
@pytest.mark.parametrize("shape, images", [((10, 16, 8, 8), 4), ((1, 5, 6, 6), 4), ((3, 32, 4, 6), 10), ((2, 1, 5, 3), 1)])
def test_every_square_has_the_colour_of_its_activation(draw, shape, images):
    activation = some(shape)
    assert_colours(draw("activations", "--range=1", f"--images={images}").show(1, channels_of(activation)), activation, images)


def test_maps_follow_a_change_of_shape(draw):
    drawing = draw("activations", "--range=1")
    for step, shape in enumerate([(4, 16, 8, 8), (4, 12, 8, 8), (4, 16, 8, 8)], start=1):
        activation = some(shape, seed=step)
        assert_colours(drawing.show(step, channels_of(activation, step)), activation, 4)


def test_negative_values_have_their_colours(draw):
    activation = some((2, 4, 5, 5), low=-1.0)
    assert_colours(draw("activations", "--range=1").show(1, channels_of(activation)), activation, 4)


def test_the_scale_is_round_and_told(draw):
    activation = np.zeros((2, 4, 40, 40), np.float32)
    activation[0, 0, :2] = 1.7
    activation[0, 1, 0, 0] = 100
    figure = draw("activations").show(1, channels_of(activation)).figures[0]
    assert figure.end == 2
    assert figure.notes().startswith("0.0078 % beyond 2")


def test_values_that_are_not_finite_are_marked(draw):
    activation = some((2, 4, 5, 5))
    activation[1, 2, 3, 4], activation[0, 3, 0, 0] = np.nan, np.inf
    shown = draw("activations", "--range=1").show(1, channels_of(activation))
    assert (pixel_at(shown, 2, 1, 3, 4) == MAGENTA).all()
    assert (pixel_at(shown, 3, 0, 0, 0) == MAGENTA).all()
    assert "2 not finite" in shown.figures[0].notes()


@pytest.mark.parametrize("filters, size", [(1, "1024x768"), (32, "1024x768"), (64, "600x800")])
def test_the_maps_fit_the_picture(draw, filters, size):
    from weightscape_pictures import camera

    shown = draw("activations", f"--size={size}").show(1, channels_of(some((4, filters, 7, 7))))
    layout, picture = shown.figures[0].layout, shown.pictures["activations_conv1"]
    places = camera.project(shown.figures[0].view, camera.corners((0, layout.width, 0, layout.height, 0, 0)))
    assert places.min() > 2 and (places.max(axis=0) < [0.87 * picture.shape[1], picture.shape[0] - 2]).all()
    assert (np.ptp(places, axis=0) / picture.shape[1::-1]).max() > 0.55, "the maps fill the page in one direction"


def test_a_layer_or_all(draw, capfd):
    from fake_channels import FakeRun

    channels = FakeRun(3).channels()
    assert set(draw("activations").show(3, channels).pictures) == {"activations_conv1", "activations_conv2"}
    assert set(draw("activations", "--layer=conv2").show(4, channels).pictures) == {"activations_conv2"}
    with pytest.raises(RuntimeError):
        draw("activations", "--layer=fc1").show(5, channels)
    assert "layer=fc1: no such convolution; there is conv1, conv2" in capfd.readouterr().err


def test_a_run_without_them_says_so(draw, capfd):
    channels = {name: data for name, data in channels_of(some((1, 2, 3, 3))).items() if name.startswith("weights")}
    with pytest.raises(RuntimeError):
        draw("activations").show(1, channels)
    assert "this run has no channel activations_L" in capfd.readouterr().err
