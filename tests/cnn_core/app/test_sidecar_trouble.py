# SPDX-License-Identifier: BSD-3-Clause
"""What becomes of the process that draws beside a training without end, and of the training."""

import os
import signal
import time

import pytest
from conftest import Run, boxes_every, environment, picture_steps, pictures, wait_for
from endless import assert_undisturbed, end, start
from processes import descendants, is_alive, sidecar_of

SELDOM = 10000  # steps between pictures


def wait_for_sidecar(process):
    wait_for(lambda: sidecar_of(process.pid), process, within=120)
    return sidecar_of(process.pid)


def end_and_draw(program, process, run):
    """Ends a training, lets a resume draw what it left, and returns its last step."""
    step = end(process, run)
    program.good("train", "--resume", run.path, "--steps", step, within=180)
    assert run.last_step() == step
    return step


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_sidecar_that_dies(program, trained, small_set, source, tmp_path, number):
    run = Run(tmp_path / "run")
    process = start(program, small_set, "--pipeline", boxes_every(source, SELDOM))
    wait_for(lambda: pictures(run), process, within=120)
    first = wait_for_sidecar(process)
    os.kill(first, number)
    wait_for(lambda: sidecar_of(process.pid) not in (None, first), process, within=120)
    wait_for(lambda: run.record()["insitu"]["restarts"], process, within=120)
    step = end_and_draw(program, process, run)
    assert_undisturbed(trained, run, step)
    assert sorted(set(picture_steps(run))) == list(range(0, step + 1, SELDOM))


def test_a_sidecar_that_is_stopped(program, trained, small_set, source, tmp_path):
    """Training does not wait for it, and loses nothing of what it was to draw."""
    run = Run(tmp_path / "run")
    process = start(program, small_set, "--pipeline", boxes_every(source, SELDOM))
    wait_for(lambda: pictures(run), process, within=120)
    sidecar = wait_for_sidecar(process)
    os.kill(sidecar, signal.SIGSTOP)
    before = run.last_step() if run.last.exists() else 0
    time.sleep(4)
    assert process.poll() is None
    wait_for(lambda: run.last.exists() and run.last_step() > before + SELDOM, process)
    if is_alive(sidecar):
        os.kill(sidecar, signal.SIGCONT)
    step = end_and_draw(program, process, run)
    assert run.steps() == list(range(1, step + 1))
    assert_undisturbed(trained, run, step)
    assert picture_steps(run) == list(range(0, step + 1, SELDOM))


def test_a_training_that_is_killed_leaves_nothing_behind(program, small_set, source, tmp_path):
    run = Run(tmp_path / "run")
    process = start(program, small_set, "--pipeline", boxes_every(source, SELDOM), env=environment(DISPLAY=None))
    wait_for(lambda: len(pictures(run)) > 1, process, within=120)
    wait_for(run.last.exists, process)
    below = descendants(process.pid)
    assert sidecar_of(process.pid) in below and len(below) > 1, "no Xvfb was started"
    process.kill()
    process.communicate()
    wait_for(lambda: not any(map(is_alive, below)), within=10)
    assert "killed" in program.good("info", "run").out
    step = run.last_step() + SELDOM
    program.good("train", "--resume", "run", "--steps", step, within=180)
    assert picture_steps(run) == list(range(0, step + 1, SELDOM))
    assert run.steps() == list(range(1, step + 1))
