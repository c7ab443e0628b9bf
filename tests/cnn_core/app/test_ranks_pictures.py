# SPDX-License-Identifier: BSD-3-Clause
"""A training on several ranks is drawn by rank 0, beside it or inside it: its pictures are those of one process, and its ranks are shown."""

import os
import signal
import time

import drawn
import numpy as np
import pytest
from conftest import NET, Launcher, Program, own, require_mpi, small_training, wait_for
from processes import is_alive, ranks_of

STEPS, COUNT = 8, 3
VIEWS = ["activations.py,size=320x240"]
CHANNELS = ["weights_conv1", "activations_conv1", "correlation_conv1"]


@pytest.fixture(scope="module")
def runs(weightscape, build, source, small_set, tmp_path_factory):
    """Of one process, and of ranks in both ways. Of a batch of one image one rank has all, so that no order of sums differs: the
    bits of the training are those of one process at all steps."""
    require_mpi(build)
    folder = tmp_path_factory.mktemp("runs")
    alone, several = Program(weightscape, folder), Launcher(weightscape, folder, COUNT)
    options = ["--data", small_set, "--net", NET, "--batch", 1, "--steps", STEPS, "--probe", 13]
    return {"alone": drawn.draw(alone, source, "alone", "sidecar", VIEWS, CHANNELS, STEPS, *options),
            **{how: drawn.draw(several, source, how, how, VIEWS, [*CHANNELS, "ranks"], STEPS, *options) for how in ("sidecar", "inline")}}


@pytest.mark.parametrize("how", ["sidecar", "inline"])
def test_pictures_of_several_ranks_are_those_of_one_process(runs, how):
    assert runs[how].run.numbers() == runs["alone"].run.numbers()
    assert len(runs["alone"].pictures) == 2
    drawn.assert_same(runs["alone"], runs[how])
    assert (runs[how].arrays["activations_conv1", STEPS]["activation"] > 0).any()


@pytest.mark.parametrize("how", ["sidecar", "inline"])
def test_scripts_see_the_ranks(runs, how):
    found = runs[how]
    table = found.arrays["ranks", STEPS]
    assert list(table["rank"]) == list(range(COUNT)) and sum(table["images"]) == 1
    row = found.run.rows()[-1]
    # The batch's loss is the mean of its images', whoever has them.
    has = table["images"] > 0
    assert np.average(table["loss"][has], weights=table["images"][has]) == pytest.approx(float(row["loss"]), rel=1e-6)
    assert (table["gradient_norm"][has] > 0).all() and (table["mean_of"] == STEPS).all()
    assert ((0 < table["step_seconds"]) & (table["wait_seconds"] <= table["step_seconds"])).all()


def test_a_rank_that_is_lost_while_all_look_ends_all(ranks, source, small_set, notes):
    """Every step is shown, with activations that all ranks compute; now and then the ranks themselves are."""
    script, seen = notes(channel="activations_conv1", every=1)
    several = ranks(COUNT)
    process = several.start("train", *small_training(small_set), "--run", "run", "--steps", 10**9, "--insitu", "inline", "--pipeline", script,
                            "--pipeline", f"{source / 'pipelines' / 'ranks.py'},every=8,size=320x240", "--quiet")
    wait_for(lambda: len(seen()) > 8, process)
    pids = ranks_of(process)
    os.kill(pids[1], signal.SIGKILL)
    began = time.monotonic()
    out, errors = process.communicate(timeout=60)
    lines = own(errors.splitlines())
    assert time.monotonic() - began < 10 and process.returncode != 0
    assert sum("rank 1 on" in line for line in lines) == 1, lines
    wait_for(lambda: not any(map(is_alive, pids)), within=10)
    # The last picture had what rank 0 could compute alone.
    assert seen() == list(range(seen()[-1] + 1)) and not any("is not shown" in line for line in lines)
    images = several.folder / "run/images/ranks.cdb"
    assert {"ranks_000000.png", "ranks_000008.png"} <= {path.name for path in images.glob("*.png")}
