# SPDX-License-Identifier: BSD-3-Clause
"""The charts: curves go through the values of the table, axes hold them all, long histories cost no more."""

import numpy as np
import pytest

STEPS = 400
LAYERS = ("conv1", "fc1")


def run_of(weight=(5.0, 50.0), gradient=(0.01, 0.2), steps=STEPS, **columns):
    """A table of norms that are the same at every step, one value for each layer."""
    from fake_channels import table

    step = np.arange(1, steps + 1)
    names = ("loss", "accuracy", "validation_loss", "validation_accuracy")
    made = {"step": step, **{name: np.full(steps, np.nan) for name in names}, **columns}
    for layer, of_weight, of_gradient in zip(LAYERS, weight, gradient):
        made[f"{layer}_weight_l2"] = np.broadcast_to(of_weight, steps)
        made[f"{layer}_gradient_l2"] = np.broadcast_to(of_gradient, steps)
    return {"norms": table(made, {"step": steps}, LAYERS, LAYERS[:1])}


def place(shown, index, step, value, axis=0):
    """Column and row of the pixel at which a figure's chart draws a value; axis 0 is at the left, 2 at the right."""
    view = shown.figures[index].view
    chart = view.GetClientSideObject().GetContextView().GetScene().GetItem(0)

    def along(axis, number, direction):
        ends = axis.GetPoint1()[direction], axis.GetPoint2()[direction]
        low, high = axis.GetUnscaledMinimum(), axis.GetUnscaledMaximum()
        if axis.GetLogScaleActive():
            low, high, number = np.log10([low, high, number])
        return ends[0] + (number - low) / (high - low) * (ends[1] - ends[0])

    x, y = along(chart.GetAxis(1), step, 0), along(chart.GetAxis(axis), value, 1)
    return round(x), round(view.ViewSize[1] - y)


def assert_coloured(picture, at, colour, reach=2):
    from weightscape_pictures import page

    x, y = at
    wanted = 255 * np.array(page.rgb(colour))
    around = picture[y - reach : y + reach + 1, x - 1 : x + 2].reshape(-1, 3)
    assert np.abs(around - wanted).max(axis=1).min() <= 12, (at, around)


def test_curves_of_weights_go_through_their_values(draw):
    from weightscape_pictures import page

    rising = 2 + np.arange(1, STEPS + 1) / 100
    shown = draw("norms").show(STEPS, run_of(weight=(rising, 50.0)))
    for step in (40, 200, 360):
        for layer, value in ((0, rising[step - 1]), (1, 50.0)):
            assert_coloured(shown.pictures["norms"], place(shown, 0, step, value), page.LAYER_COLOURS[layer])


def test_curves_of_gradients_go_through_their_values(draw):
    from weightscape_pictures import page

    shown = draw("norms").show(STEPS, run_of(gradient=(0.03, 0.2)))
    for layer, value in ((0, 0.03), (1, 0.2)):
        places = [place(shown, 0, step, value) for step in range(100, 130)]
        row, columns = places[0][1], [x for x, _ in places]
        strip = shown.pictures["norms"][row - 1 : row + 2, min(columns) : max(columns) + 1].reshape(-1, 3)
        # Dashes lie between two rows of pixels: white mixed with the curve's colour.
        ink = 255 - 255 * np.array(page.rgb(page.LAYER_COLOURS[layer]))
        parts = (255 - strip) @ ink / (ink @ ink)
        dash = parts.argmax()
        assert parts[dash] >= 0.45
        assert np.abs(255 - strip[dash] - parts[dash] * ink).max() <= 12


def test_loss_is_read_at_the_left_and_accuracy_at_the_right(draw):
    from weightscape_pictures import learning_figure

    channels = run_of(loss=np.full(STEPS, 0.7), accuracy=np.full(STEPS, 0.35))
    shown = draw("norms").show(STEPS, channels)
    for value, axis, colour in ((0.7, 0, learning_figure.LOSS), (35.0, 2, learning_figure.ACCURACY)):
        assert_coloured(shown.pictures["learning"], place(shown, 1, 200, value, axis), colour)


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_short_histories_give_proper_charts(draw, capfd, steps):
    shown = draw("norms").show(steps, run_of(steps=steps))
    for picture in shown.pictures.values():
        assert (picture[0, -1] == 255).all()
        ink = (picture < 100).all(axis=2).sum()
        assert ink > 1000, "axes, titles and legend are there"
    assert set(shown.pictures) == {"norms", "learning"}
    assert "ERR|" not in capfd.readouterr().err


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, -1.0])
def test_values_that_no_logarithm_has_leave_the_rest_alone(draw, bad):
    from weightscape_pictures import page

    weight = np.full(STEPS, 5.0)
    weight[100:200] = bad
    shown = draw("norms").show(STEPS, run_of(weight=(weight, 50.0)))
    for step, layer, value in ((50, 0, 5.0), (300, 0, 5.0), (150, 1, 50.0)):
        assert_coloured(shown.pictures["norms"], place(shown, 0, step, value), page.LAYER_COLOURS[layer])


def test_charts_have_no_stray_lines_after_words_on_a_scene(draw):
    """Words on a scene change how VTK draws those of a chart; see page.keep_words_clean."""
    alone = draw("norms").show(STEPS, run_of()).pictures["norms"]
    from fake_channels import FakeRun

    draw("weights").show(1, FakeRun(1).channels())
    again = draw("norms").show(STEPS, run_of()).pictures["norms"]
    assert (alone == again).all()


def test_thinning_keeps_peaks_and_ends(pipelines):
    from weightscape_pictures import history

    random = np.random.default_rng(1)
    columns = {"step": np.arange(50000.0), "a": random.normal(size=50000), "b": np.full(50000, np.nan)}
    columns["a"][[12345, 34567]] = 99.0, -99.0
    rows = history.rows_to_draw(columns)
    assert len(rows) <= history.MOST_ROWS
    assert {0, 12345, 34567, 49999} <= set(rows)
    assert (np.diff(rows) > 0).all() and np.diff(rows).max() < 500


def test_short_histories_are_not_thinned(pipelines):
    from weightscape_pictures import history

    assert (history.rows_to_draw({"step": np.arange(4000.0)}) == np.arange(4000)).all()


def test_running_mean_skips_rows_without_value(pipelines):
    from weightscape_pictures import history

    values = np.arange(200.0)
    values[50] = np.nan
    means = history.running_mean(values)
    assert means[0] == 0 and means[199] == np.mean([196, 197, 198, 199])
    assert means[51] == np.mean([48, 49, 51])


@pytest.mark.parametrize("low, high, limits", [(2.5, 70, (2, 100)), (0.01, 10, (0.01, 10)), (0.09, 0.6, (0.05, 1))])
def test_axis_limits_are_round(pipelines, low, high, limits):
    from weightscape_pictures import chart

    assert chart.log_range(np.array([low, high, np.nan, 0, -3, np.inf])) == pytest.approx(limits)


@pytest.mark.parametrize("last, wanted", [(1, [0, 1]), (3, [0, 1, 2, 3]), (5500, [0, 1000, 2000, 3000, 4000, 5000])])
def test_ticks_of_steps_are_whole(pipelines, last, wanted):
    from weightscape_pictures.ticks import ticks

    assert ticks(0, last, least=1)[0] == wanted
