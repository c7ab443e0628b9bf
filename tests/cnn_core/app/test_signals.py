# SPDX-License-Identifier: BSD-3-Clause
"""A training that is asked to end, and one that is killed."""

import os
import random
import re
import shlex
import signal
import time
from pathlib import Path

import faults
import pytest
from conftest import Run, small_training, wait_for

ENDLESS = 10**9
KILLS = int(os.environ.get("KILLS", 20))
MOST_TURNS = 100 * KILLS
# Seconds for one step, also on a fast machine.
SLOW_NET = "conv 512 7x7, relu, conv 512 7x7, relu, conv 512 7x7, relu, linear 10"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_after_its_step_with_a_checkpoint(program, small_set, tmp_path, number):
    run = Run(tmp_path / "a run")
    process = program.start("train", *small_training(small_set), "--steps", ENDLESS, "--run", "a run",
                            "--checkpoint-every", ENDLESS)
    wait_for(lambda: (run.path / "metrics.csv").exists() and len(run.rows()) > 3, process)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert run.record()["status"] == "interrupted"
    assert run.steps() == list(range(1, run.last_step() + 1))
    hint = re.search(r"weightscape (train --resume .*) goes on", errors)
    program.good(*shlex.split(hint[1]), "--steps", "+5")
    assert run.record()["status"] == "complete"


def busy_for(process, seconds):
    """Waits until a process has computed that long from now on."""
    def computed():
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    start = computed()
    wait_for(lambda: computed() > start + seconds, process)


def test_a_second_signal_ends_it_at_once(program, small_set, tmp_path):
    run = Run(tmp_path / "run")
    process = program.start("train", "--data", small_set, "--net", SLOW_NET, "--batch", 220, "--optimizer", "sgd",
                            "--steps", ENDLESS, "--run", "run")
    wait_for((run.path / "run.json").exists, process)
    busy_for(process, 0.5)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None, "the step was not slow enough to be interrupted"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=5)
    assert process.returncode == 128 + signal.SIGINT
    assert not run.last.exists() and run.steps() == []


def test_an_ignored_signal_stays_ignored(program, small_set, tmp_path):
    """What `nohup` and shells do for jobs in the background."""
    run = Run(tmp_path / "run")
    process = program.start("train", *small_training(small_set), "--steps", ENDLESS, "--run", "run",
                            before=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    wait_for(run.last.exists, process)
    process.send_signal(signal.SIGINT)
    before = run.last_step()
    wait_for(lambda: run.last_step() > before, process)
    process.terminate()
    process.communicate()
    assert process.returncode == 128 + signal.SIGTERM


def test_a_reader_of_the_progress_that_goes_away(program, small_set, tmp_path):
    run = Run(tmp_path / "run")
    process = program.start("train", *small_training(small_set), "--epochs", 50, "--run", "run")
    process.stdout.close()
    process.wait(timeout=60)
    process.stderr.close()
    assert process.returncode == 1
    assert run.record()["status"] == "complete" and run.last_step() == 550


def steered(program, small_set):
    """Options by which a knob is turned at every seventh step."""
    rates = ["0.001", "0.002"]
    turns = [(step, "learning_rate", rates[number % 2], rates[1 - number % 2])
             for number, step in enumerate(range(7, 7 * MOST_TURNS, 7))]
    return ["--replay-steering", faults.write_turns(program, program.folder / "turned", small_training(small_set), turns)]


def test_killed_again_and_again(program, small_set, tmp_path):
    """Whenever it is killed, and wherever the folder is moved to, the next call goes on, and at most one save is lost. In the end
    there is all that an undisturbed run has, to the bit."""
    delays = random.Random(1)
    places = [Run(tmp_path / "here"), Run(tmp_path / "there")]
    run = places[0]
    options = [*small_training(small_set), *steered(program, small_set), "--threads", 1, "--checkpoint-every", 1, "--keep-checkpoints", 3]
    process = program.start("train", *options, "--steps", ENDLESS, "--run", run.path)
    wait_for(run.last.exists, process)
    for number in range(KILLS):
        time.sleep(delays.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        before = run.last_step()
        run.path.rename(places[1 - number % 2].path)
        run = places[1 - number % 2]
        program.good("train", "--resume", run.path, "--steps", "+1")
        assert run.last_step() > before
        process = program.start("train", "--resume", run.path, "--steps", f"+{ENDLESS}")
        wait_for(lambda: process.poll() is not None or run.record()["status"] == "running", within=30)
    process.kill()
    process.communicate()
    program.good("train", "--resume", run.path, "--steps", "+1")
    last = run.last_step()
    assert run.steps() == list(range(1, last + 1))
    program.good("train", *options, "--steps", last, "--run", "whole", within=10 * KILLS)
    whole, found = faults.everything(Run(tmp_path / "whole")), faults.everything(run)
    assert [name for name in whole if found[name] != whole[name]] == []
    assert len(whole["steering"]) == (last - 1) // 7


def test_killed_between_two_checkpoints(program, small_set, tmp_path):
    run = Run(tmp_path / "run")
    options = [*small_training(small_set), "--checkpoint-every", 50]
    process = program.start("train", *options, "--steps", ENDLESS, "--run", "run")
    wait_for(lambda: run.last.exists() and run.steps()[-1] > run.last_step(), process)
    process.kill()
    process.communicate()
    end = run.steps()[-1] + 60
    program.good("train", "--resume", "run", "--steps", end)
    program.good("train", *options, "--steps", end, "--run", "whole")
    assert run.steps() == list(range(1, end + 1))
    assert run.numbers() == Run(tmp_path / "whole").numbers()
    assert run.last.read_bytes() == Run(tmp_path / "whole").last.read_bytes()
