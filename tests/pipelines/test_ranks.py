# SPDX-License-Identifier: BSD-3-Clause
"""Ranks side by side: bars are as high as the values, and the one that holds up the others is marked."""

import numpy as np
import pytest

MILLI = 1000


def ranks_table(compute, wait, loss=None, gradient=None, images=None, step=100):
    """The channel `ranks`."""
    from fake_channels import table

    compute, wait = np.asarray(compute, float), np.asarray(wait, float)
    count = len(compute)
    columns = {"rank": np.arange(count), "images": np.full(count, 25.0) if images is None else images}
    columns["loss"] = np.linspace(0.4, 0.8, count) if loss is None else loss
    columns["gradient_norm"] = np.linspace(2.0, 1.0, count) if gradient is None else gradient
    for name in ("step_seconds", "mean_step_seconds"):
        columns[name] = compute + wait
    for name in ("wait_seconds", "mean_wait_seconds"):
        columns[name] = wait
    columns["mean_of"] = np.full(count, 100.0)
    return {"ranks": table(columns, {"step": step, "epoch": 0.5, "loss": 0.6, "accuracy": 0.9}, [], [])}


def colour_at(shown, panel, rank, value):
    """The picture's colour where a panel has a value."""
    from weightscape_pictures import rank_bars

    bars = rank_bars.RankBars(shown.figures[0].bars.columns)
    picture = shown.pictures["ranks"]
    bars.draw((picture.shape[1], picture.shape[0]))
    (x, y), = bars.panels[panel].placed(rank, value)
    return picture[int(picture.shape[0] - y), int(x)]


def assert_is(colour, wanted):
    from weightscape_pictures import page

    wanted = page.rgb(wanted) if isinstance(wanted, str) else wanted
    assert np.abs(colour - 255 * np.array(wanted)).max() <= 3, (colour, wanted)


@pytest.mark.parametrize("count, late", [(2, 1), (4, 2), (64, 40)])
def test_a_straggler_is_marked_and_the_others_wait(draw, count, late):
    from weightscape_pictures.rank_bars import COMPUTE, STRAGGLER, WAIT

    compute = np.full(count, 0.02)
    compute[late] = 0.05
    shown = draw("ranks").show(100, ranks_table(compute, 0.052 - compute))
    assert list(shown.figures[0].bars.stragglers()) == [late]
    for rank in {0, count - 1, late}:
        own = STRAGGLER if rank == late else COMPUTE
        assert_is(colour_at(shown, "time", rank, 0.3 * MILLI * compute[rank]), own)
        assert_is(colour_at(shown, "time", rank, 0.95 * MILLI * compute[rank]), own)
    assert_is(colour_at(shown, "time", 0, MILLI * 0.03), WAIT)
    assert_is(colour_at(shown, "time", late, MILLI * 0.051), WAIT)
    assert f"rank {late} (2.5" in shown.figures[0].notes()


def test_ranks_alike_are_no_stragglers_whatever_the_noise(draw):
    from weightscape_pictures.rank_bars import COMPUTE

    compute = 0.02 * (1 + 0.15 * np.random.default_rng(3).random(16))
    shown = draw("ranks").show(100, ranks_table(compute, 0.03 - compute))
    assert not len(shown.figures[0].bars.stragglers()) and shown.figures[0].notes() == ""
    for rank in range(16):
        assert_is(colour_at(shown, "time", rank, 0.5 * MILLI * compute[rank]), COMPUTE)


def test_one_rank_alone_is_drawn(draw):
    from weightscape_pictures.rank_bars import COMPUTE, MEASURE

    shown = draw("ranks").show(100, ranks_table([0.02], [0.0]))
    assert_is(colour_at(shown, "time", 0, 10), COMPUTE)
    assert_is(colour_at(shown, "loss", 0, 0.2), MEASURE)


@pytest.mark.parametrize("panel", ["loss", "gradient"])
def test_bars_are_as_high_as_the_values(draw, panel):
    from weightscape_pictures.rank_bars import MEASURE

    values = np.array([0.3, 0.9, 0.7, 0.45])  # none of them near their mean, where a line runs
    shown = draw("ranks").show(100, ranks_table(np.full(4, 0.02), np.zeros(4), loss=values, gradient=values))
    for rank, value in enumerate(values):
        # A little aside of the middle, where there is no line of the grid.
        assert_is(colour_at(shown, panel, rank + 0.2, 0.95 * value), MEASURE)
        above = colour_at(shown, panel, rank + 0.2, 1.05 * value if value < 0.9 else 0.925)
        assert above.min() > 180, above


def test_a_loss_that_is_not_finite_is_magenta_and_no_images_are_no_bar(draw):
    from weightscape_pictures import colour_scale, page

    loss, images = np.array([0.5, np.inf, np.nan, 0.5]), np.array([25.0, 25.0, 0.0, 25.0])
    shown = draw("ranks").show(100, ranks_table(np.full(4, 0.02), np.zeros(4), loss=loss, images=images))
    assert_is(colour_at(shown, "loss", 1, 0.4), colour_scale.NOT_FINITE)
    assert_is(colour_at(shown, "loss", 2.1, 0.11), page.WHITE)


def test_before_the_first_step_there_are_axes_and_no_bars(draw, capfd):
    nothing = np.full(4, np.nan)
    shown = draw("ranks").show(0, ranks_table(nothing, nothing, nothing, nothing, nothing, 0))
    picture = shown.pictures["ranks"]
    assert (picture[0, -1] == 255).all() and (picture < 130).all(axis=2).sum() > 1000
    assert "ERR|" not in capfd.readouterr().err
