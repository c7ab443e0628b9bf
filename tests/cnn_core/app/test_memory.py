# SPDX-License-Identifier: BSD-3-Clause
"""A long run costs no more at its end than at its beginning: time of a step, memory and descriptors of both processes."""

import signal
import statistics
import time

from conftest import Run, boxes_every, small_training, wait_for
from processes import descriptors_of, memory_of, sidecar_of

SECONDS = 25
GROWTH = 10_000_000


def usage(pid):
    return memory_of(pid), descriptors_of(pid)


def fast(seconds):
    return statistics.quantiles(seconds, n=10)[0]


def test_a_long_run_stays_as_it_was(program, small_set, source, tmp_path):
    run = Run(tmp_path / "run")
    process = program.start("train", *small_training(small_set), "--steps", 10**9, "--run", "run", "--pipeline",
                            boxes_every(source, 1000, "240x240"), "--checkpoint-every", 5000, "--threads", 1, "--quiet")
    wait_for(lambda: len(list((run.path / "images").rglob("*.png"))) > 3, process, within=60)
    trainer, sidecar = process.pid, sidecar_of(process.pid)
    time.sleep(SECONDS / 4)
    early = usage(trainer), usage(sidecar)
    time.sleep(3 * SECONDS / 4)
    assert sidecar_of(process.pid) == sidecar, "another sidecar has taken its place"
    late = usage(trainer), usage(sidecar)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    for before, after in zip(early, late):
        assert after[0] <= before[0] + GROWTH, (early, late)
        assert after[1] <= before[1] + 2, (early, late)

    times = [float(row["time_s"]) for row in run.rows()]
    steps = [after - before for before, after in zip(times, times[1:])]
    tenth = len(steps) // 10
    assert tenth > 1000
    # What grows with the run makes all steps longer, what else the machine does some of them.
    assert fast(steps[-tenth:]) < 1.3 * fast(steps[3 * tenth:4 * tenth])
