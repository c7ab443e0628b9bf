# SPDX-License-Identifier: BSD-3-Clause
"""A training on several ranks is drawn by rank 0, beside it or inside it, and its ranks are shown."""

import numpy
import pytest
from conftest import Run, small_training


@pytest.mark.parametrize("how", ["sidecar", "inline"])
def test_the_ranks_are_in_the_pictures(ranks, small_set, source, how):
    pair, steps = ranks(2), 8
    script = f"{source / 'pipelines' / 'ranks.py'},every={steps},size=320x240"
    pair.good("train", *small_training(small_set), "--run", how, "--steps", steps, "--insitu", how, "--pipeline", script, "--record", steps,
              "--insitu-required", "--strict")
    run = Run(pair.folder / how)
    assert {path.name for path in (run.path / "images/ranks.cdb").glob("*.png")} == {"ranks_000000.png", f"ranks_{steps:06d}.png"}
    pair.count = 1
    pair.good("replay", how, "--export", steps, "-o", f"{how}-out")
    table = numpy.genfromtxt(pair.folder / f"{how}-out" / "ranks.csv", delimiter=",", names=True)
    assert list(table["rank"]) == [0, 1]
    row = run.rows()[-1]
    # The batch's loss is the mean of its images', whoever has them.
    assert numpy.average(table["loss"], weights=table["images"]) == pytest.approx(float(row["loss"]), rel=1e-6)
    assert (table["gradient_norm"] > 0).all() and (table["mean_of"] == steps).all()
    assert ((0 < table["step_seconds"]) & (table["wait_seconds"] <= table["step_seconds"])).all()
