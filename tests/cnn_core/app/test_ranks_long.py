# SPDX-License-Identifier: BSD-3-Clause
"""Several ranks for long: the published accuracy, the same pictures, any few images on any few ranks, and ends at any moment."""
import math
import os
import random
import signal
import sys
import time
from pathlib import Path

import drawn
import make_files
import pytest
from conftest import NET, Run, own, small_training, wait_for
from control import ask
from processes import ranks_of

sys.path.append(str(Path(__file__).resolve().parents[2] / "long"))
from trainings import SETTING, evaluate

PUBLISHED = 0.992
SEED = 20261126
STEPS, EVERY = 20, 10
VIEWS = ["poster.py,size=640x480"]  # every view of every layer, two of the whole network
CHANNELS = ["norms", *(f"{what}_{layer}" for layer in ("conv1", "conv2") for what in ("weights", "activations", "correlation", "trajectory"))]


@pytest.mark.parametrize("count", [2, 3, 4])
def test_the_published_accuracy(weightscape, ranks, mnist, tmp_path, count):
    ranks(count).good("train", "--data", mnist, "--epochs", 16, *SETTING, "--run", "run", "--insitu", "none", within=7000)
    found = evaluate(weightscape, mnist, tmp_path / "run", "test")
    print(found)
    assert found["accuracy"] >= PUBLISHED


def skip_without_pictures(build):
    if not (build / "lib/weightscape/libweightscape-bridge.so").exists():
        pytest.skip("no pictures in this build")


@pytest.mark.parametrize("batch", [1, 100])
def test_pictures_of_the_posters_network(ranks, build, source, mnist, batch):
    """All views and arrays of 1 to 4 ranks, beside rank 0 and inside it. Of a batch of one image one rank has all, so that the bits
    of the training do not depend on the number of ranks; with more images they do, by rounding, from the first step on."""
    skip_without_pictures(build)
    found = {}
    for count in (1, 2, 3, 4):
        for how in ("sidecar", "inline"):
            found[count, how] = drawn.draw(ranks(count), source, f"of{count}_{how}", how, VIEWS, CHANNELS, EVERY, "--data", mnist, "--batch",
                                           batch, "--steps", STEPS)
        drawn.assert_same(found[count, "sidecar"], found[count, "inline"])
        drawn.assert_same(found[1, "sidecar"], found[count, "sidecar"], None if batch == 1 else {0})
        if batch == 1:
            assert found[count, "sidecar"].run.numbers() == found[1, "sidecar"].run.numbers()
    assert len(found[1, "sidecar"].pictures) == (STEPS // EVERY + 1) * (2 + 2 * 5)


@pytest.mark.parametrize("probe", [1, 2, 3])
def test_fewer_images_to_look_at_than_ranks(program, ranks, build, source, small_set, probe):
    skip_without_pictures(build)
    options = ["--data", small_set, "--net", NET, "--batch", 1, "--steps", 4, "--probe", probe]
    channels = ["activations_conv1", "correlation_conv1"]
    alone, shared = (drawn.draw(launcher, source, name, "inline", [], channels, 4, *options)
                     for launcher, name in ((program, "alone"), (ranks(4), "shared")))
    assert len(alone.arrays) == 2 * len(channels)
    drawn.assert_same(alone, shared)


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
