# SPDX-License-Identifier: BSD-3-Clause
"""eval: every image once whatever the batch, and numbers that an independent computation confirms."""

import json

import numpy as np
import pytest
from make_files import read_safetensors, write_idx

IMAGES = 10


@pytest.fixture
def tiny(tmp_path):
    """Ten training and ten test images."""
    write_idx(tmp_path / "tiny", train=IMAGES, test=IMAGES)
    return tmp_path / "tiny"


def evaluate(program, *arguments):
    return json.loads(program.good("eval", "--json", *arguments).out)


@pytest.mark.parametrize("batch, steps", [(1, 10), (3, 4), (7, 2), (10, 1), (11, 1), (64, 1)])
def test_any_batch_trains_on_every_image(trained, tiny, batch, steps):
    run = trained("run", "--data", tiny, "--batch", batch, "--epochs", 1, "--validation", 0)
    assert run.record()["steps_per_epoch"] == steps
    assert run.steps() == list(range(1, steps + 1))
    assert float(run.rows()[-1]["epoch"]) == 1


def test_any_batch_evaluates_every_image(program, trained, tiny):
    last = trained("run", "--data", tiny, "--steps", 5).last
    results = [evaluate(program, "--data", tiny, "--batch", batch, last) for batch in (1, 3, 7, 10, 11, 64)]
    for result in results:
        assert result["evaluated"] == IMAGES
        assert result["correct"] == results[0]["correct"]
        assert result["accuracy"] == result["correct"] / IMAGES
        assert result["loss"] == pytest.approx(results[0]["loss"], abs=1e-6)


def test_one_image(program, trained, tmp_path):
    write_idx(tmp_path / "one", train=1, test=1)
    run = trained("run", "--data", "one", "--steps", 2)
    assert run.steps() == [1, 2]
    assert evaluate(program, "--data", "one", run.last)["evaluated"] == 1


def test_no_images(program, tmp_path):
    write_idx(tmp_path / "none", train=0, test=0)
    result = program("train", "--data", "none", "--run", "run")
    assert result.status == 2 and len(result.errors) == 1, result
    assert not (tmp_path / "run").exists()


def test_loss_and_accuracy_of_a_linear_network(program, trained, small_set):
    """Softmax regression, written down in numpy."""
    last = trained("run", "--net", "linear 10", "--steps", 30).last
    images = np.frombuffer((small_set / "t10k-images-idx3-ubyte").read_bytes()[16:], np.uint8).reshape(50, 64) / 255
    labels = np.frombuffer((small_set / "t10k-labels-idx1-ubyte").read_bytes()[8:], np.uint8)
    tensors, _ = read_safetensors(last)
    logits = images @ tensors["fc1.weight"].astype(float).T + tensors["fc1.bias"].astype(float)
    chosen = logits[np.arange(50), labels]
    loss = np.mean(np.log(np.exp(logits).sum(axis=1)) - chosen)
    result = evaluate(program, "--data", small_set, last)
    assert result["loss"] == pytest.approx(loss, rel=1e-5)
    assert result["correct"] == np.sum(logits.argmax(axis=1) == labels)


def test_sets(program, trained, small_set):
    run = trained("run", "--epochs", 1)
    counts = {name: evaluate(program, "--data", small_set, "--set", name, run.last) for name in
              ("train", "validation", "test")}
    assert [counts[name]["evaluated"] for name in ("train", "validation", "test")] == [220, 20, 50]
    assert counts["validation"]["loss"] == run.record()["validation"]["loss"]
    assert counts["validation"]["loss"] == float(run.rows()[-1]["validation_loss"])


def test_for_people(program, trained, small_set):
    out = program.good("eval", "--data", small_set, trained("run", "--steps", 1).last).out
    assert out.startswith("accuracy ") and "of 50" in out


def test_training_learns(program, trained, small_set):
    """An untrained network guesses: one of ten. This one has learned most of the set."""
    run = trained("run", "--epochs", 15, "--lr", "0.01")
    assert evaluate(program, "--data", small_set, run.last)["accuracy"] > 0.8


def test_threads_change_no_bit(trained):
    assert trained("one", "--steps", 20, "--threads", 1).last.read_bytes() == \
        trained("two", "--steps", 20, "--threads", 2).last.read_bytes()


def test_repeats_to_the_bit_and_the_seed_matters(trained):
    first, second, other = (trained(name, "--steps", 20, "--seed", seed) for name, seed in
                            (("a", 5), ("b", 5), ("c", 6)))
    assert first.last.read_bytes() == second.last.read_bytes() != other.last.read_bytes()
    assert first.numbers() == second.numbers() != other.numbers()
