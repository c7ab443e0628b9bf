# SPDX-License-Identifier: BSD-3-Clause
"""The budget of pictures: what it may be, where it is told, and that going beyond it is said, not enforced."""

import signal

import pytest
from conftest import Run, boxes_every, small_training, wait_for

COUNTS = {"frames", "images_written", "images_expected", "script_failures", "steps_waiting", "steps_given_up", "restarts",
          "live_dropped", "frames_spilled", "frames_recorded", "recording_bytes"}
SECONDS = {"seconds", "dump_seconds", "live_seconds"}


@pytest.mark.parametrize("given, budget", [(None, 0.02), ("2%", 0.02), ("2", 0.02), ("0.5%", 0.005), ("100", 1),
                                           ("1e-3", 1e-5)])
def test_what_it_may_be(trained, given, budget):
    run = trained("run", "--steps", 3, *(["--overhead", given] if given else []))
    assert run.record()["insitu"]["budget"] == pytest.approx(budget, rel=1e-12)


@pytest.mark.parametrize("transport", ["none", "inline", "sidecar", "record"])
def test_the_record_tells_all(trained, boxes, transport):
    told = trained("run", "--steps", 20, "--pipeline", boxes, "--insitu", transport).record()["insitu"]
    assert set(told) == {"transport", "budget", "pictures", *COUNTS, *SECONDS}
    assert told["transport"] == transport
    assert told["pictures"] is (transport in ("inline", "sidecar"))
    assert all(isinstance(told[name], int) and told[name] >= 0 for name in COUNTS)
    assert 0 <= told["dump_seconds"] + told["live_seconds"] <= told["seconds"] + 1e-9
    assert told["frames"] == (0 if transport == "none" else 3)
    assert told["frames_recorded"] == (3 if transport == "record" else 0)


def test_a_resume_keeps_and_changes_it(program, trained):
    run = trained("run", "--steps", 3, "--overhead", "5%", "--lag", "wait")
    program.good("train", "--resume", "run", "--steps", 4)
    assert run.record()["options"]["overhead"] == "5%" and run.record()["insitu"]["budget"] == 0.05
    assert run.record()["options"]["lag"] == "wait"
    program.good("train", "--resume", "run", "--steps", 5, "--overhead", "1", "--lag", "catch-up")
    assert run.record()["insitu"]["budget"] == 0.01 and run.record()["options"]["lag"] == "catch-up"


@pytest.mark.parametrize("overhead, lines", [("2%", 1), ("100%", 0)])
def test_more_than_the_budget_is_told_once(program, small_set, source, tmp_path, overhead, lines):
    """Pictures in every step, between two steps: far more than two per cent, and all of them are made."""
    run = Run(tmp_path / "run")
    process = program.start("train", *small_training(small_set), "--steps", 10**9, "--run", "run", "--insitu", "inline",
                            "--pipeline", boxes_every(source, 1, "240x240"), "--overhead", overhead)
    wait_for((run.path / "metrics.csv").exists, process)
    wait_for(lambda: run.rows() and float(run.rows()[-1]["time_s"]) > 12, process, within=60)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=30)
    told = [line for line in errors.splitlines() if "--overhead" in line]
    assert len(told) == lines, errors
    assert all("2.0 %" in line and "all the same" in line for line in told)
    insitu = run.record()["insitu"]
    assert insitu["dump_seconds"] > 0.2 * run.record()["seconds"]
    assert insitu["images_written"] == insitu["images_expected"] == run.last_step() + 1
    assert "in situ: " in out
