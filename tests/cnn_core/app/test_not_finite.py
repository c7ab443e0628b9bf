# SPDX-License-Identifier: BSD-3-Clause
"""A training that blows up: said once, with step and layer, and the last good checkpoint stays."""

import csv
import math

import pytest
from conftest import Run
from make_files import read_safetensors

EXPLODING = ("--net", "conv 4 3x3, relu, maxpool 2, linear 10", "--optimizer", "sgd", "--lr", "1e30")
STEPS = 20


def numbers(row):
    """Every cell as a number; None where it is empty. Raises for anything else."""
    return {name: float(cell) if cell else None for name, cell in row.items()}


def first_bad(run):
    """The first step of the metrics with a value that is not finite."""
    for row in run.rows():
        if not all(math.isfinite(value) for value in numbers(row).values() if value is not None):
            return int(row["step"])
    raise AssertionError("every row is finite")


def test_stops_and_keeps_the_good_checkpoint(train, tmp_path):
    result = train("--run", "run", "--steps", STEPS, "--checkpoint-every", 1, *EXPLODING)
    run = Run(tmp_path / "run")
    bad = first_bad(run)
    assert result.status == 1
    assert len(result.errors) == 1, result
    assert f"step {bad}:" in result.errors[0]
    assert "conv1" in result.errors[0] or "fc1" in result.errors[0] or "loss" in result.errors[0]
    assert run.steps() == list(range(1, bad + 1))
    assert run.record()["status"] == "failed"
    if bad > 1:
        assert run.last_step() == bad - 1
    for path in run.checkpoints.glob("*.safetensors"):
        for values in read_safetensors(path)[0].values():
            assert all(map(math.isfinite, values.ravel().tolist()))


def test_stops_at_once_and_goes_on_with_a_lower_rate(program, trained, train, tmp_path):
    """The state before the blow-up is all there is to go on from, and it is enough."""
    run = trained("run", "--steps", 5, "--optimizer", "sgd", "--lr", "0.1")
    before = run.last.read_bytes()
    result = program("train", "--resume", "run", "--steps", STEPS, "--lr", "1e30")
    assert result.status == 1 and len(result.errors) == 1, result
    assert run.last.read_bytes() == before
    program.good("train", "--resume", "run", "--lr", "0.1")
    assert run.steps() == list(range(1, STEPS + 1))
    assert all(math.isfinite(float(row["loss"])) for row in run.rows())


def test_goes_on_when_asked_to(program, train, tmp_path):
    result = train("--run", "run", "--steps", STEPS, "--checkpoint-every", 1, "--on-nan", "continue", *EXPLODING)
    run = Run(tmp_path / "run")
    assert result.status == 0
    assert len(result.errors) == 1, result
    assert f"step {first_bad(run)}:" in result.errors[0]
    assert run.steps() == list(range(1, STEPS + 1))
    assert run.record()["status"] == "complete"
    assert run.last_step() == STEPS
    with open(run.path / "metrics.csv", newline="") as file:
        for row in csv.DictReader(file):
            numbers(row)


def test_the_final_state_can_be_looked_at_but_not_used(program, train, small_set, tmp_path):
    train("--run", "run", "--steps", STEPS, "--on-nan", "continue", *EXPLODING)
    last = Run(tmp_path / "run").last
    assert "not finite" in program.good("info", last).out
    result = program("eval", "--data", small_set, last)
    assert result.status == 2 and len(result.errors) == 1, result


@pytest.mark.parametrize("policy, status", [("stop", 1), ("continue", 0)])
def test_the_record_is_strict_json(train, tmp_path, policy, status):
    assert train("--run", "run", "--steps", STEPS, "--on-nan", policy, *EXPLODING).status == status
    Run(tmp_path / "run").record()
