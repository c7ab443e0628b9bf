# SPDX-License-Identifier: BSD-3-Clause
"""Several ranks for long: the published accuracy, any few images on any few ranks, and ends at any moment."""
import math
import os
import random
import signal
import sys
import time
from pathlib import Path

import make_files
import pytest
from conftest import Run, own, small_training, wait_for
from control import ask
from processes import ranks_of

sys.path.append(str(Path(__file__).resolve().parents[2] / "long"))
from trainings import SETTING, evaluate

PUBLISHED = 0.992
SEED = 20261126


def test_two_ranks_reach_the_published_accuracy(weightscape, ranks, mnist, tmp_path):
    ranks(2).good("train", "--data", mnist, "--epochs", 16, *SETTING, "--run", "run", "--insitu", "none", within=7000)
    assert evaluate(weightscape, mnist, tmp_path / "run", "test")["accuracy"] >= PUBLISHED


@pytest.mark.parametrize("count", [1, 2, 5, 10])
def test_few_images_on_few_ranks(program, ranks, tmp_path, count):
    make_files.write_idx(tmp_path / "set", train=count + 1, test=4)
    for batch in (1, 3, 8):
        options = ["train", "--data", "set", "--validation", 1, "--batch", batch, "--epochs", 2, "--insitu", "none",
                   "--optimizer", "sgd", "--lr", 0.1, "--net", "conv 4 3x3, relu, maxpool 2, dropout 0.2, linear 10"]
        program.good(*options, "--run", f"alone{batch}")
        alone = Run(tmp_path / f"alone{batch}").rows()
        for number in (1, 2, 3, 4):
            ranks(number).good(*options, "--run", f"of{number}_{batch}", within=20)
            shared = Run(tmp_path / f"of{number}_{batch}").rows()
            assert len(shared) == len(alone)
            for a, b in zip(alone, shared):
                for name in ("loss", "validation_loss", "conv1_gradient_l2"):
                    assert a[name] == b[name] or math.isclose(float(a[name]), float(b[name]), abs_tol=1e-5), (name, a, b)


def started(launcher, small_set, name):
    process = launcher.start("train", *small_training(small_set), "--run", name, "--insitu", "none", "--steps", 10**9,
                             "--checkpoint-every", 20, "--quiet")
    wait_for((launcher.folder / name / "control").exists, process)
    return process, Run(launcher.folder / name)


def test_stopped_at_any_moment(ranks, small_set):
    chance = random.Random(SEED)
    for i in range(50):
        process, run = started(ranks(3), small_set, f"run{i}")
        time.sleep(chance.random())
        ask(run.path, "stop")
        out, errors = process.communicate(timeout=30)
        assert process.returncode == 0, errors
        assert run.steps() == list(range(1, run.last_step() + 1))


def test_one_rank_killed_at_any_moment(program, ranks, small_set):
    """What is resumed by as many ranks has the bits of the undisturbed run."""
    chance = random.Random(SEED)
    whole = None
    for i in range(20):
        process, run = started(ranks(2), small_set, f"run{i}")
        pids = ranks_of(process)
        wait_for(run.last.exists, process)
        time.sleep(chance.random())
        os.kill(chance.choice(pids), chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))
        out, errors = process.communicate(timeout=30)
        assert process.returncode != 0 and own(errors.splitlines())
        steps = run.last_step() + 5
        ranks(2).good("train", "--resume", f"run{i}", "--steps", steps, "--quiet")
        if whole is None or len(whole) < steps:
            ranks(2).good("train", *small_training(small_set), "--run", f"whole{i}", "--insitu", "none", "--steps", 2 * steps,
                          "--quiet")
            whole = Run(program.folder / f"whole{i}").numbers()
        assert run.numbers() == whole[:steps]
