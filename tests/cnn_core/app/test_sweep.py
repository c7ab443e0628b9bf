# SPDX-License-Identifier: BSD-3-Clause
"""Sweeps: each run is what `train` would have made, whatever the order; what fails or is killed ends nothing else."""

import csv
import json
import os
import shutil
import signal

import pytest
from conftest import NET, Run, snapshot, wait_for
from processes import command_of, descendants, is_alive

STEPS = 22  # two epochs of the small set
LONG = 800  # steps that take seconds


@pytest.fixture
def sweep(program, small_set):
    """sweep('folder', '--vary', ..., shared=[...]): a call."""

    def call(folder, *arguments, steps=STEPS, shared=(), **how):
        return program(*words(small_set, folder, *arguments, steps=steps, shared=shared), **how)

    return call


def words(small_set, folder, *arguments, steps=STEPS, shared=()):
    return ["sweep", "--data", small_set, "-o", folder, "--no-picture", *arguments, "--", "--net", NET, "--batch", 20,
            "--steps", steps, *shared]


def runs_in(folder):
    return {path.name: Run(path) for path in sorted(folder.iterdir()) if path.is_dir()}


def table(folder):
    with open(folder / "sweep.csv", newline="") as file:
        return list(csv.DictReader(file))


def trainings_of(process):
    return [child for child in descendants(process.pid) if "train" in command_of(child)]


def test_each_run_is_what_train_makes(sweep, trained, tmp_path):
    result = sweep("s", "--vary", "lr=1e-3..1e-1:log:3", "--vary", "optimizer=sgd,adam")
    assert result.status == 0 and not result.errors, result
    made = runs_in(tmp_path / "s")
    assert list(made) == [f"{i:02}_lr={lr}_optimizer={name}" for i, (lr, name) in enumerate(
        [(lr, name) for lr in ("0.001", "0.01", "0.1") for name in ("sgd", "adam")], 1)]
    by_hand = trained("by-hand", "--steps", STEPS, "--lr", "0.01", "--optimizer", "sgd")
    run = made["03_lr=0.01_optimizer=sgd"]
    assert run.last.read_bytes() == by_hand.last.read_bytes()
    assert run.numbers() == by_hand.numbers()


def test_the_table_is_sorted_and_tells_what_the_records_tell(sweep, tmp_path):
    result = sweep("s", "--vary", "lr=0.1,1e-4,0.01", "--vary", "seed=1,2,3")
    rows, made = table(tmp_path / "s"), runs_in(tmp_path / "s")
    assert len(rows) == 9 and {row["run"] for row in rows} == set(made)
    keys = [(-float(row["validation_accuracy"]), float(row["validation_loss"])) for row in rows]
    assert keys == sorted(keys)
    for row in rows:
        record = made[row["run"]].record()
        assert float(row["lr"]) == record["options"]["lr"] and int(row["seed"]) == record["options"]["seed"]
        assert float(row["validation_accuracy"]) == record["validation"]["accuracy"]
        assert float(row["seconds"]) == record["seconds"]
        assert (row["status"], row["step"], row["steps"]) == ("complete", str(STEPS), str(STEPS))
    lines = result.out.splitlines()
    assert [line for line in lines if line.startswith("[9/9] ")] and f"best: lr={rows[0]['lr']} " in result.out
    shown = [line.split() for line in lines[lines.index(next(x for x in lines if "validation" in x)) + 1:][:9]]
    # The highest rate is best here; of seeds no such thing is said.
    assert rows[0]["lr"] == "0.1" and "lr=0.1 is the highest that was tried" in result.out and "seed=1 is" not in result.out
    assert [(line[-2], line[-1]) for line in shown] == [(row["lr"], row["seed"]) for row in rows]


def test_side_by_side_gives_the_same_bits(sweep, tmp_path):
    axes = ["--vary", "lr=0.01,0.1", "--vary", "batch=10,20"]
    # The batch is an axis here, and so must not be shared.
    for folder, jobs in (("one", 1), ("two", 2)):
        shared = [*axes, "-j", jobs]
        result = sweep(folder, *shared, shared=())
        assert result.status == 2 and "--batch is given, too" in result.errors[0]
    axes = ["--vary", "lr=0.01,0.1", "--vary", "weight-decay=0,0.01"]
    for folder, jobs in (("one", 1), ("two", 2)):
        assert sweep(folder, *axes, "-j", jobs).status == 0
    one, two = runs_in(tmp_path / "one"), runs_in(tmp_path / "two")
    assert list(one) == list(two) and len(one) == 4
    for name in one:
        assert one[name].last.read_bytes() == two[name].last.read_bytes()
        assert one[name].numbers() == two[name].numbers()


def test_processors_are_shared_out(sweep, tmp_path):
    processors = len(os.sched_getaffinity(0))
    sweep("s", "--vary", "lr=0.01,0.1", "--jobs", 2, steps=1)
    assert {run.record()["threads"] for run in runs_in(tmp_path / "s").values()} == {max(1, processors // 2)}
    sweep("t", "--vary", "lr=0.01,0.1", "--jobs", 2, steps=1, shared=["--threads", 3])
    assert {run.record()["threads"] for run in runs_in(tmp_path / "t").values()} == {3}
    sweep("u", "--vary", "threads=1,2", steps=1)
    assert [run.record()["threads"] for run in runs_in(tmp_path / "u").values()] == [1, 2]


def test_a_run_that_diverges_ends_nothing_else(sweep, tmp_path):
    axes = ["--vary", "lr=0.01,1e30,0.1"]
    result = sweep("s", *axes)
    assert result.status == 1 and len(result.errors) == 1, result
    assert "02_lr=1e+30" in result.errors[0] and "not finite" in result.errors[0]
    assert "lr=1e+30: diverged after step" in result.out
    rows = table(tmp_path / "s")
    assert [row["status"] for row in rows] == ["complete", "complete", "diverged"]
    assert rows[2]["validation_accuracy"] == "" and int(rows[2]["step"]) < STEPS
    before = {name: snapshot(run.path) for name, run in runs_in(tmp_path / "s").items()}
    again = sweep("s", *axes)
    assert again.status == 1 and "3 of 3 runs were done before" in again.out
    assert {name: snapshot(run.path) for name, run in runs_in(tmp_path / "s").items()} == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_killed_is_told_and_gone_on_with(program, small_set, tmp_path, number):
    call = words(small_set, "s", "--vary", "lr=0.01,0.02", steps=LONG)
    process = program.start(*call)
    first = Run(tmp_path / "s/01_lr=0.01")
    wait_for(lambda: (first.path / "metrics.csv").exists() and len(first.rows()) > 40, process)
    os.kill(trainings_of(process)[0], number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1 and f"01_lr=0.01: was ended by signal {number:d}" in errors
    assert [row["status"] for row in table(tmp_path / "s")] == ["complete", "failed"]
    result = program(*call)
    assert result.status == 0 and "1 of 2 runs were done before" in result.out
    assert first.record()["status"] == "complete" and first.steps() == list(range(1, LONG + 1))


def test_a_run_that_was_killed_at_its_start_is_begun_anew(sweep, tmp_path):
    axes = ["--vary", "lr=0.01,0.02"]
    assert sweep("s", *axes).status == 0
    first = Run(tmp_path / "s/01_lr=0.01")
    whole = first.last.read_bytes()
    shutil.rmtree(first.path)
    for folder in ("checkpoints", "images"):
        (first.path / folder).mkdir(parents=True)
    for file in ("metrics.csv", "history.ws", "steering.jsonl", "run.json.tmp"):
        (first.path / file).write_text("{")
    result = sweep("s", *axes)
    assert result.status == 0 and "1 of 2 runs were done before" in result.out, result
    assert first.record()["status"] == "complete" and first.last.read_bytes() == whole


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_goes_on_where_it_was_ended(program, small_set, sweep, tmp_path, number):
    axes = ["--vary", "lr=0.01,0.02,0.03", "-j", 2]
    assert sweep("whole", *axes, steps=LONG).status == 0
    process = program.start(*words(small_set, "s", *axes, steps=LONG))
    second = Run(tmp_path / "s/02_lr=0.02")
    wait_for(lambda: (second.path / "metrics.csv").exists() and len(second.rows()) > 40, process)
    trainings = trainings_of(process)
    assert len(trainings) == 2
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL)
    # Either way the trainings have ended with a checkpoint, by themselves where nobody could ask them to.
    wait_for(lambda: not any(map(is_alive, trainings)))
    assert second.record()["status"] == "interrupted" and 0 < second.last_step() < LONG
    assert not (tmp_path / "s/03_lr=0.03").exists()
    if number == signal.SIGINT:
        assert errors.splitlines() == ["weightscape sweep: note: ended by a signal; the same call goes on"]
    result = sweep("s", *axes, steps=LONG)
    assert result.status == 0, result
    whole, resumed = runs_in(tmp_path / "whole"), runs_in(tmp_path / "s")
    assert list(whole) == list(resumed)
    for name in whole:
        assert whole[name].last.read_bytes() == resumed[name].last.read_bytes()
        assert whole[name].numbers() == resumed[name].numbers()


def test_a_folder_that_a_kill_left_without_a_record_is_begun_again(sweep, tmp_path):
    assert sweep("s", "--vary", "lr=0.01,0.1").status == 0
    run = Run(tmp_path / "s/02_lr=0.1")
    expected = run.last.read_bytes()
    for path in [run.path / "run.json", *run.checkpoints.iterdir()]:
        path.unlink()
    metrics = run.path / "metrics.csv"
    metrics.write_text(metrics.read_text().splitlines(keepends=True)[0])
    assert sweep("s", "--vary", "lr=0.01,0.1").status == 0
    assert run.last.read_bytes() == expected


def test_another_sweep_is_refused(sweep, tmp_path):
    assert sweep("s", "--vary", "lr=0.01,0.1").status == 0
    before = snapshot(tmp_path / "s")
    for arguments, word in ((["--vary", "lr=0.01,0.2"], "--vary lr=0.01,0.1"),
                            (["--vary", "lr=0.01..0.1:log", "--random", 2], "--vary lr=0.01,0.1")):
        result = sweep("s", *arguments)
        assert result.status == 2 and len(result.errors) == 1 and word in result.errors[0], result
    result = sweep("s", "--vary", "lr=0.01,0.1", steps=STEPS + 1)
    assert result.status == 2 and "other options of train" in result.errors[0]
    assert snapshot(tmp_path / "s") == before
    # How many at a time, and how many threads, are another matter.
    assert sweep("s", "--vary", "lr=0.01,0.1", "-j", 2, "--quiet", shared=["--threads", 1]).status == 0


def test_a_folder_that_is_no_sweep_is_refused(sweep, tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s/file").write_text("mine")
    result = sweep("s", "--vary", "lr=0.01,0.1")
    assert result.status == 2 and "is not empty" in result.errors[0]
    (tmp_path / "s/file").unlink()
    (tmp_path / "s/sweep.json").write_text("[]")
    result = sweep("s", "--vary", "lr=0.01,0.1")
    assert result.status == 2 and "sweep.json" in result.errors[0]
    assert [path.name for path in (tmp_path / "s").iterdir()] == ["sweep.json"]


def test_two_at_once_are_refused(program, small_set, tmp_path):
    call = words(small_set, "s", "--vary", "lr=0.01,0.1", steps=LONG)
    process = program.start(*call)
    wait_for((tmp_path / "s/01_lr=0.01/metrics.csv").exists, process)
    result = program(*call)
    assert result.status == 2 and len(result.errors) == 1 and "another sweep" in result.errors[0], result
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130


def test_random_values(sweep, tmp_path):
    axes = ["--vary", "lr=1e-4..1e-1:log", "--vary", "seed=1..1000", "--vary", "optimizer=sgd,adam"]

    def drawn(folder, *arguments):
        assert sweep(folder, *axes, *arguments, steps=1).status == 0
        return [run["values"] for run in json.loads((tmp_path / folder / "sweep.json").read_text())["runs"]]

    first = drawn("a", "--random", 12)
    assert first == drawn("b", "--random", 12, "-j", 2) and first != drawn("c", "--random", 12, "--seed", 2)
    # More of them are those there were, and others.
    assert drawn("d", "--random", 13)[:12] == first
    assert len({tuple(run.values()) for run in first}) == 12 and {run["optimizer"] for run in first} == {"sgd", "adam"}
    assert all(1e-4 <= float(run["lr"]) <= 1e-1 and 1 <= int(run["seed"]) <= 1000 for run in first)
    # On a logarithmic scale about a third lies in each of the three decades.
    assert 1 <= sum(float(run["lr"]) < 1e-3 for run in first) <= 8


def test_values_that_hold_commas(sweep, tmp_path):
    result = sweep("s", "--vary", "schedule=constant|step,every=5,factor=0.5|cosine,floor=0.1")
    assert result.status == 0, result
    assert [run.record()["options"]["schedule"] for run in runs_in(tmp_path / "s").values()] == [
        "constant", "step,every=5,factor=0.5", "cosine,floor=0.1"]
    assert {row["schedule"] for row in table(tmp_path / "s")} == {"constant", "step,every=5,factor=0.5", "cosine,floor=0.1"}


def test_quiet(sweep):
    result = sweep("s", "--vary", "lr=0.01,0.1", "--quiet")
    assert (result.status, result.out, result.errors) == (0, "", [])


@pytest.mark.parametrize("arguments, expected", [
    ([], ["--vary is missing"]),
    (["--vary", "lr"], ["--vary", '"lr"', "OPTION=VALUES"]),
    (["--vary", "rate=1,2"], ["--vary", '"rate"', "no option of train"]),
    (["--vary", "strict=1"], ["--vary", '"strict"', "varied"]),
    (["--vary", "run=a,b"], ["--vary", '"run"', "varied"]),
    (["--vary", "lr="], ["--vary lr=", "empty"]),
    (["--vary", "lr=0.1,,0.2"], ["--vary lr=0.1,,0.2", "empty"]),
    (["--vary", "lr=0.1,"], ["--vary lr=0.1,", "empty"]),
    (["--vary", "lr=0.1,abc"], ["--vary", "--lr", '"abc"']),
    (["--vary", "lr=0.1,1e-1"], ["--vary", "0.1 twice"]),
    (["--vary", "optimizer=sgd,lion"], ["--vary", '"lion"', "adam"]),
    (["--vary", "lr=0.1..0.001:3"], ["--vary", "range is empty"]),
    (["--vary", "lr=0.1..0.1:3"], ["--vary", "range is empty"]),
    (["--vary", "lr=0.1..0.2"], ["--vary", "count is missing"]),
    (["--vary", "lr=0.1..0.2:1"], ["--vary", "count", '"1"', "2.."]),
    (["--vary", "lr=0.1..0.2:ln:3"], ["--vary", '"ln:3"']),
    (["--vary", "lr=0.1..:3"], ["--vary", "--lr", '""']),
    (["--vary", "weight-decay=0..1:log:3"], ["--vary", "logarithmic", "above 0"]),
    (["--vary", "seed=1..3:log:9"], ["--vary", "1 twice"]),
    (["--vary", "lr=0.1..0.2:100", "--vary", "seed=1..1000:11"], ["1100 runs", "at most 1000"]),
    (["--vary", "lr=0.1,0.2", "--vary", "learning_rate=0.3"], ["--vary lr", "varied twice"]),
    (["--vary", "steps=1,2"], ["--vary steps", "--steps is given, too"]),
    (["--vary", "lr=0.1,0.2", "--random", "3"], ["--random", "3 runs", "only 2"]),
    (["--vary", "lr=0.1..0.2:3", "--random", "3"], ["--vary", "--random", "count"]),
    (["--vary", "lr=0.1,0.2", "--random", "0"], ["--random", '"0"']),
    (["--vary", "lr=0.1,0.2", "--seed", "4"], ["--seed", "--random"]),
    (["--vary", "lr=0.1,0.2", "--jobs", "0"], ["--jobs", '"0"']),
    (["--vary", "momentum=0.5,0.9"], ["momentum=0.5", "--momentum", "adam"]),
    (["--vary", "validation=10,240"], ["validation=240"]),
    (["--vary", "lr=0.1,0.2", "stray"], ['"stray"']),
])
def test_a_call_that_is_not_understood(sweep, tmp_path, arguments, expected):
    result = sweep("s", *arguments)
    assert result.status == 2 and len(result.errors) == 1 and not result.out, result
    for word in expected:
        assert word in result.errors[0], result
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("call, expected", [
    (["--vary", "lr=0.1,0.2"], ["--output is missing"]),
    (["-o", "s", "--vary", "lr=0.1,0.2"], ["--data is missing"]),
    (["-o", "s", "--vary", "lr=0.1,0.2", "--data", "nowhere"], ["nowhere", "make data"]),
    (["-o", "s", "--vary", "lr=0.1,0.2", "--", "--data", "nowhere"], ["nowhere", "make data"]),
    (["-o", "s", "--vary", "lr=0.1,0.2", "--", "--run", "r"], ["--run", "--output"]),
    (["-o", "s", "--vary", "lr=0.1,0.2", "--", "--foo"], ["--foo", "unknown option"]),
])
def test_what_must_be_given(program, tmp_path, call, expected):
    result = program("sweep", *call)
    assert result.status == 2 and len(result.errors) == 1 and not result.out, result
    for word in expected:
        assert word in result.errors[0], result
    assert not list(tmp_path.iterdir())
