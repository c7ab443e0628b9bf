# SPDX-License-Identifier: BSD-3-Clause
"""The picture of similar filters: a colour for each group, everyone at the place of the run's beginning, merged ones fading."""

import numpy as np
import pytest

TIGHT = 2  # of 255
KERNEL = (3, 3)
LOW = 0.2


class Layer:
    """Filters of known weights, of which some are left."""

    def __init__(self, count, channels=1):
        self.weight = np.random.default_rng(2).uniform(-LOW, LOW, (count, channels, *KERNEL)).astype(np.float32)

    def channels(self, step, keep, group, merged=(), columns=None):
        """`merged`: (filter, the one that it went into, after which step)."""
        from fake_channels import correlation_image, weights_image

        columns = list(range(self.weight.shape[1])) if columns is None else columns
        weight = self.weight[np.ix_(keep, columns)]
        initial = np.full_like(weight, 0.5)
        gone = [(*each, self.weight[each[0]]) for each in merged]
        return {"weights_conv1": weights_image("conv1", weight, initial, weight, {"step": step}, group, keep, columns,
                                               self.weight.shape[:2], gone),
                "correlation_conv1": correlation_image("conv1", np.eye(len(keep)), {"step": step}, group=group)}


def colour_at(shown, source, part=0):
    """Of the top of a filter's first box."""
    from weightscape_pictures import boxes, camera

    figure = shown.figures[0]
    left, low = figure.field.corner(source, part)
    value = np.nan_to_num(figure.field.filters[source].values[part, 2, 0])
    height = max(0.0, boxes.HEIGHT * value / figure.field.end * figure.field.left_of(source))
    column, row = camera.project(figure.view, [left + 0.5, low + 0.5, height])[0]
    return shown.pictures["merging_conv1"][int(row), int(column)]


def of(colour):
    from weightscape_pictures import merging_field, page

    return 255 * np.array(merging_field.ALONE if colour is None else page.rgb(merging_field.PALETTE[colour]))


WHITE = np.full(3, 255.0)


def is_like(seen, wanted):
    return np.abs(seen - wanted).max() <= TIGHT


@pytest.mark.parametrize("count, channels", [(16, 1), (5, 1), (8, 3)])
def test_filters_have_the_colour_of_their_group(draw, count, channels):
    group = np.full(count, -1)
    group[[1, 3]], group[[0, 4]] = 0, 1
    shown = draw("merging").show(1, Layer(count, channels).channels(1, list(range(count)), group))
    for k in range(count):
        assert is_like(colour_at(shown, k), of({0: 0, 4: 0, 1: 1, 3: 1}.get(k))), k


def test_merged_filters_fade_at_their_places_and_others_stay(draw):
    layer, everyone = Layer(16), list(range(16))
    group = np.full(16, -1)
    group[[2, 9, 12]] = 0
    drawing = draw("merging", "--every=10")
    before = drawing.show(10, layer.channels(10, everyone, group))
    assert is_like(colour_at(before, 9), of(2))
    keep = [k for k in everyone if k not in (9, 12)]
    for gone in range(1, 6):
        shown = drawing.show(10 + 10 * gone, layer.channels(10 + 10 * gone, keep, None, [(9, 12, 10), (12, 2, 10)]))
        field = shown.figures[0].field
        assert field.extent == (15, 15) and field.count == 16 and sorted(field.present) == keep
        assert is_like(colour_at(shown, 2), of(2)), "who has taken others in keeps the colour"
        assert is_like(colour_at(shown, 15), of(None)), "a later filter is where it was"
        faded = of(2) + (255 - of(2)) * gone / 5
        assert is_like(colour_at(shown, 9), faded), gone
    assert shown.figures[0].describe().startswith("14 of 16 filters")


def test_a_picture_does_not_depend_on_those_before(draw):
    """Of a process that begins after a merge, or goes back over one."""
    layer, everyone, merged = Layer(12, 3), list(range(12)), [(1, 0, 12), (4, -1, 12), (7, 5, 17)]
    late = layer.channels(20, [k for k in everyone if k not in (1, 4, 7)], None, merged, [0, 2])
    drawing = draw("merging", "--every=10")
    first = drawing.show(20, late).pictures["merging_conv1"]
    for step in (30, 10):
        drawing.show(step, layer.channels(step, everyone, None))
    assert (drawing.show(20, late).pictures["merging_conv1"] == first).all()


def test_channels_keep_their_columns_when_the_layer_before_is_merged(draw):
    layer, everyone = Layer(6, 5), list(range(6))
    shown = draw("merging").show(2, layer.channels(2, everyone, None, columns=[0, 3, 4]))
    field = shown.figures[0].field
    assert field.layout == (5, 6) and field.parts_of(2) == [0, 3, 4]
    np.testing.assert_array_equal(field.filters[2].values[[0, 3, 4]], layer.weight[2, [0, 3, 4]])
    for part in range(5):
        assert is_like(colour_at(shown, 3, part), WHITE if part in (1, 2) else of(None)), part


def test_a_group_keeps_its_colour_when_its_number_changes(draw):
    layer, everyone = Layer(8), list(range(8))
    drawing = draw("merging")
    first = drawing.show(1, layer.channels(1, everyone, [-1, -1, -1, 0, 0, -1, -1, -1]))
    assert is_like(colour_at(first, 3), of(3))
    second = drawing.show(2, layer.channels(2, everyone, [0, 0, -1, 1, 1, -1, -1, -1]))
    assert is_like(colour_at(second, 3), of(3)) and is_like(colour_at(second, 0), of(0))


def test_two_groups_have_two_colours(draw):
    from weightscape_pictures.merging_field import PALETTE

    group = np.full(16, -1)
    group[[1, 2]], group[[13, 14]] = 0, 1
    assert len(PALETTE) == 12, "1 and 13 would have the same"
    shown = draw("merging").show(1, Layer(16).channels(1, list(range(16)), group))
    assert is_like(colour_at(shown, 1), of(1)) and is_like(colour_at(shown, 13), of(2))


def test_who_comes_back_is_there_again(draw):
    """An undone merge, and going back over one."""
    layer, everyone = Layer(9), list(range(9))
    drawing = draw("merging")
    drawing.show(1, layer.channels(1, everyone, None))
    drawing.show(2, layer.channels(2, [0, 1, 2, 3], None))
    shown = drawing.show(3, layer.channels(3, everyone, None))
    assert sorted(shown.figures[0].field.present) == everyone
    assert all(is_like(colour_at(shown, k), of(None)) for k in everyone)


def test_a_picture_that_begins_after_a_merge(draw):
    shown = draw("merging").show(5, Layer(16).channels(5, [0, 3, 4, 11], None))
    field = shown.figures[0].field
    assert field.count == 16 and sorted(field.present) == [0, 3, 4, 11]
    assert is_like(colour_at(shown, 11), of(None))


@pytest.mark.parametrize("count, channels, size", [(1, 1, "1024x768"), (64, 1, "600x800"), (32, 16, "1024x768")])
def test_the_field_fits_the_picture(draw, count, channels, size):
    from weightscape_pictures import boxes, camera

    shown = draw("merging", f"--size={size}").show(1, Layer(count, channels).channels(1, list(range(count)), None))
    figure, picture = shown.figures[0], shown.pictures["merging_conv1"]
    width, depth = figure.field.extent
    places = camera.project(figure.view, camera.corners((0, width, 0, depth, -boxes.HEIGHT, boxes.HEIGHT)))
    assert places.min() > 2 and (places.max(axis=0) < np.array(picture.shape[1::-1]) - 2).all()
    assert (np.ptp(places, axis=0) / picture.shape[1::-1]).max() > 0.6
