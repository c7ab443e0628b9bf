# SPDX-License-Identifier: BSD-3-Clause
"""What becomes of the process that draws beside a training without end, and of the training."""

import os
import signal
import time

import pytest
from conftest import Run, boxes_every, environment, picture_steps, pictures, start_training, wait_for
from processes import descendants, is_alive, sidecar_of

SELDOM = 10000  # steps between pictures
# One thread leaves the sidecar, which runs at idle priority, a processor. Nobody reads what it says.
ENDLESS = ["--steps", 10**9, "--threads", 1, "--checkpoint-every", 500, "--quiet"]


def wait_for_sidecar(process):
    wait_for(lambda: sidecar_of(process.pid), process, within=120)
    return sidecar_of(process.pid)


def end(program, process, run):
    """Ends an endless training by a signal, lets a resume draw what it left, and returns its last step."""
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT, errors
    step = run.last_step()
    program.good("train", "--resume", run.path, "--steps", step, within=180)
    assert run.last_step() == step
    return step


def assert_same_training(trained, run, step):
    plain = trained("plain", "--steps", step, "--insitu", "none", "--checkpoint-every", step, "--threads", 1,
                    "--quiet", within=180)
    assert run.last.read_bytes() == plain.last.read_bytes()
    assert run.numbers() == plain.numbers()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_sidecar_that_dies(program, trained, small_set, source, tmp_path, number):
    run = Run(tmp_path / "run")
    process = start_training(program, small_set, *ENDLESS, "--pipeline", boxes_every(source, SELDOM))
    wait_for(lambda: pictures(run), process, within=120)
    first = wait_for_sidecar(process)
    os.kill(first, number)
    wait_for(lambda: sidecar_of(process.pid) not in (None, first), process, within=120)
    wait_for(lambda: run.record()["insitu"]["restarts"], process, within=120)
    step = end(program, process, run)
    assert_same_training(trained, run, step)
    assert sorted(set(picture_steps(run))) == list(range(0, step + 1, SELDOM))


def test_a_sidecar_that_is_stopped(program, trained, small_set, source, tmp_path):
    """Training does not wait for it, and loses nothing of what it was to draw."""
    run = Run(tmp_path / "run")
    process = start_training(program, small_set, *ENDLESS, "--pipeline", boxes_every(source, SELDOM))
    wait_for(lambda: pictures(run), process, within=120)
    sidecar = wait_for_sidecar(process)
    os.kill(sidecar, signal.SIGSTOP)
    before = run.last_step() if run.last.exists() else 0
    time.sleep(4)
    assert process.poll() is None
    wait_for(lambda: run.last.exists() and run.last_step() > before + SELDOM, process)
    if is_alive(sidecar):
        os.kill(sidecar, signal.SIGCONT)
    step = end(program, process, run)
    assert run.steps() == list(range(1, step + 1))
    assert_same_training(trained, run, step)
    assert picture_steps(run) == list(range(0, step + 1, SELDOM))


def test_a_training_that_is_killed_leaves_nothing_behind(program, small_set, source, tmp_path):
    run = Run(tmp_path / "run")
    process = start_training(program, small_set, *ENDLESS, "--pipeline", boxes_every(source, SELDOM),
                             env=environment(DISPLAY=None))
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
