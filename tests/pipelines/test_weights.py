# SPDX-License-Identifier: BSD-3-Clause
"""The picture of weights: each box is where its weight is, as high and as coloured as its value says."""

import numpy as np
import pytest

TIGHT = 2  # of 255
WHITE = [255, 255, 255]
MAGENTA = [255, 0, 255]
# Boxes up to this part of the range are too low to hide the middle of the next one.
LOW = 0.45


def image_of(weight, step=1, initial=None):
    from fake_channels import weights_image

    weight = np.asarray(weight, np.float32)
    initial = weight if initial is None else np.asarray(initial, np.float32)
    return {"weights_conv1": weights_image("conv1", weight, initial, np.zeros_like(weight), {"step": step})}


def low_weights(shape, seed=3):
    return np.random.default_rng(seed).uniform(-LOW, LOW, shape)


def top_of(shape, index, value, scale_end=1.0):
    """The middle of a box's upper face, as docs/channels.md places its cell."""
    from fake_channels import cell_of
    from weightscape_pictures import boxes

    x, y = cell_of(shape, *index)
    return [x + 0.5, y + 0.5, max(0.0, boxes.HEIGHT * value / scale_end)]


def pixel_at(shown, point):
    from weightscape_pictures import camera

    (x, y), picture = camera.project(shown.figures[0].view, point)[0], shown.pictures["weights_conv1"]
    return picture[int(y), int(x)]


def assert_colours(shown, weight):
    from weightscape_pictures import colour_scale

    for index in np.ndindex(*weight.shape):
        wanted = 255 * np.array(colour_scale.colour_of(weight[index], 1.0))
        seen = pixel_at(shown, top_of(weight.shape, index, weight[index]))
        assert np.abs(seen - wanted).max() <= TIGHT, (index, weight[index], seen, wanted)


@pytest.mark.parametrize("shape", [(16, 1, 3, 3), (5, 1, 2, 4), (4, 6, 3, 2), (1, 1, 1, 1), (2, 3, 5, 1)])
def test_every_box_has_the_colour_of_its_weight(draw, shape):
    weight = low_weights(shape)
    assert_colours(draw("weights", "--range=1").show(1, image_of(weight)), weight)


def test_colours_follow_a_change_of_shape(draw):
    drawing = draw("weights", "--range=1")
    for step, shape in enumerate([(16, 1, 3, 3), (12, 1, 3, 3), (9, 2, 3, 3)], start=1):
        weight = low_weights(shape, seed=step)
        assert_colours(drawing.show(step, image_of(weight, step)), weight)


def colour_words(red, blue):
    return "red" if red > blue else "blue"


def test_red_is_positive_and_blue_is_negative(draw):
    weight = np.array([0.4, -0.4]).reshape(2, 1, 1, 1)
    shown = draw("weights", "--range=1").show(1, image_of(weight))
    seen = [pixel_at(shown, top_of(weight.shape, (k, 0, 0, 0), weight[k, 0, 0, 0])) for k in (0, 1)]
    assert [colour_words(red, blue) for red, _, blue in seen] == ["red", "blue"]


def test_the_box_of_a_larger_value_reaches_higher(draw):
    """By the picture alone: the highest and lowest pixels of one box in the column through its middle."""
    from weightscape_pictures import camera

    drawing, highest, lowest = draw("weights", "--range=1"), [], []
    values = (-1.0, -0.6, -0.3, 0.3, 0.6, 1.0)
    for step, value in enumerate(values, start=1):
        shown = drawing.show(step, image_of(np.full((1, 1, 1, 1), value), step))
        column = int(camera.project(shown.figures[0].view, [0.5, 0.5, 0])[0, 0])
        rows = np.flatnonzero((shown.pictures["weights_conv1"][100:700, column] != WHITE).any(axis=1))
        highest.append(rows.min())
        lowest.append(rows.max())
    up, down = highest[3:], lowest[:3]
    assert up[0] - up[1] > 20 and up[1] - up[2] > 20, "positive boxes rise"
    assert down[0] - down[1] > 20 and down[1] - down[2] > 20, "negative boxes sink"
    assert max(highest[:3]) - min(highest[:3]) <= 1, "negative boxes hang from the ground"


def test_the_legend_shows_the_scale(draw):
    from weightscape_pictures import colour_scale

    picture = draw("weights", "--range=1").show(1, image_of(low_weights((16, 1, 3, 3)))).pictures["weights_conv1"]
    bar = picture[:, int(0.883 * picture.shape[1])]
    coloured = (bar != WHITE).any(axis=1)
    middle = picture.shape[0] // 2
    top = max(row for row in range(middle) if not coloured[row]) + 1
    bottom = min(row for row in range(middle, len(bar)) if not coloured[row]) - 1
    for value, row in ((0.98, top + 4), (0.0, (top + bottom) // 2), (-0.98, bottom - 4)):
        assert np.abs(bar[row] - 255 * np.array(colour_scale.colour_of(value, 1.0))).max() <= 8, value


def test_scale_and_camera_stay_through_a_run_and_a_resume(draw):
    initial = low_weights((16, 1, 3, 3))
    seen = []
    for steps in ((0, 100), (200,)):
        drawing = draw("weights")
        for step in steps:
            figure = drawing.show(step, image_of(initial * (1 + step / 50), step, initial)).figures[0]
            view = figure.view
            seen.append((figure.field.end, [*view.CameraPosition, *view.CameraFocalPoint, view.CameraParallelScale]))
    assert seen[0] == seen[1] == seen[2]
    largest = np.abs(initial).max()
    assert 2 * largest <= seen[0][0] <= 3 * largest


def test_values_beyond_the_scale_saturate_and_are_told(draw):
    from weightscape_pictures import colour_scale

    weight = np.array([7.0, -7.0, 0.1, 0.1]).reshape(4, 1, 1, 1)
    shown = draw("weights", "--range=1").show(1, image_of(weight))
    assert shown.figures[0].notes() == "2 beyond \u00b11: colour and height end there"
    for k, end in ((0, 1.0), (1, -1.0)):
        seen = pixel_at(shown, top_of(weight.shape, (k, 0, 0, 0), end))
        assert np.abs(seen - 255 * np.array(colour_scale.colour_of(end, 1.0))).max() <= TIGHT


def test_values_that_are_not_finite_are_marked(draw):
    weight = low_weights((16, 1, 3, 3)).astype(np.float32)
    bad = {(2, 0, 1, 1): np.nan, (5, 0, 0, 2): np.inf, (9, 0, 2, 0): -np.inf}
    for index, value in bad.items():
        weight[index] = value
    shown = draw("weights", "--range=1").show(1, image_of(weight, initial=np.ones_like(weight)))
    for index in bad:
        assert (pixel_at(shown, top_of(weight.shape, index, 0)) == MAGENTA).all(), index
    assert shown.figures[0].notes() == "3 not finite (NaN or infinite): magenta"


def test_a_network_of_nan_is_still_a_picture(draw):
    shown = draw("weights").show(1, image_of(np.full((16, 1, 3, 3), np.nan)))
    picture = shown.pictures["weights_conv1"]
    assert (picture[0, 0] == WHITE).all()
    assert (picture == MAGENTA).all(axis=2).sum() > 10000


@pytest.mark.parametrize("shape", [(512, 1, 3, 3), (32, 16, 3, 3), (16, 1, 3, 3), (2, 64, 3, 3), (64, 1, 7, 7)])
@pytest.mark.parametrize("size", ["1024x768", "600x800"])
def test_the_field_fits_the_picture(draw, shape, size):
    from weightscape_pictures import boxes, camera

    shown = draw("weights", "--range=1", f"--size={size}").show(1, image_of(np.resize([1.0, -1.0, 1.0], shape)))
    figure, picture = shown.figures[0], shown.pictures["weights_conv1"]
    width, depth = figure.field.extent
    places = camera.project(figure.view, camera.corners((0, width, 0, depth, -boxes.HEIGHT, boxes.HEIGHT)))
    assert places.min() > 5
    assert (places.max(axis=0) < [0.86 * picture.shape[1], picture.shape[0] - 5]).all()
    span = np.ptp(places, axis=0) / picture.shape[1::-1]
    assert span.max() > 0.6, "the field fills the page in one direction"
    assert (picture[-3:] == WHITE).all() and (picture[:, :3] == WHITE).all(), "nothing is cut off"


def test_gradient_and_delta_are_drawn(draw):
    from weightscape_pictures import colour_scale

    initial = low_weights((4, 1, 3, 3)) / 2
    weight = initial + 0.2
    drawing = draw("weights", "--array=delta", "--range=1")
    shown = drawing.show(1, image_of(weight, initial=initial))
    shown.pictures["weights_conv1"] = shown.pictures.pop("deltas_conv1")
    seen = pixel_at(shown, top_of(weight.shape, (0, 0, 0, 0), 0.2))
    assert np.abs(seen - 255 * np.array(colour_scale.colour_of(0.2, 1.0))).max() <= TIGHT
    assert list(draw("weights", "--array=gradient").show(1, image_of(weight)).pictures) == ["gradients_conv1"]
