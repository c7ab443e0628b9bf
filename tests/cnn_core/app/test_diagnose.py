# SPDX-License-Identifier: BSD-3-Clause
"""diagnose: what a run's folder says, against the same numbers computed here."""

import csv
import json
import math
import shutil

import numpy as np
import pytest
from conftest import Run, small_training, wait_for
from make_files import read_safetensors, write_safetensors

STEPS = 330


@pytest.fixture(scope="module")
def run(weightscape, small_set, tmp_path_factory):
    """One run of 30 epochs, for all that only look at it."""
    from conftest import Program

    folder = tmp_path_factory.mktemp("diagnosed")
    Program(weightscape, folder).good("train", *small_training(small_set), "--steps", STEPS, "--run", "run")
    return Run(folder / "run")


def diagnosis(program, run, *options):
    def refuse(token):
        raise ValueError(f"{token} is not JSON")

    return json.loads(program.good("diagnose", "--json", run, *options).out, parse_constant=refuse)


def column(run, name):
    with open(run.path / "metrics.csv", newline="") as file:
        return np.array([float(row[name]) for row in csv.DictReader(file)])


def test_norms_are_those_of_the_metrics(program, run):
    told = diagnosis(program, run.path)
    assert (told["step"], told["status"], told["window_from"]) == (STEPS, "complete", STEPS // 2)
    assert [layer["name"] for layer in told["layers"]] == ["conv1", "fc1"]
    for layer in told["layers"]:
        for kind in ("weight", "gradient", "distance"):
            assert layer[f"{kind}_l2"] == column(run, f"{layer['name']}_{kind}_l2")[-1]
        # The norm before the first step: as far from that after it as the first step is long.
        first = column(run, f"{layer['name']}_weight_l2")[0]
        assert abs(layer["initial_l2"] - first) <= column(run, f"{layer['name']}_distance_l2")[0] * (1 + 1e-6)
        assert layer["initial_l2"] != first


def slope(run, layer, from_step):
    steps = column(run, "step")
    there = steps >= from_step
    return 2 * np.polyfit(np.log(steps[there]), np.log(column(run, f"{layer}_distance_l2")[there]), 1)[0]


def test_slopes_and_exponents_are_like_plain_fits(program, run):
    for layer in diagnosis(program, run.path)["layers"]:
        plain = slope(run, layer["name"], STEPS // 2)
        gamma = layer["gamma"]
        assert gamma["low"] <= gamma["value"] <= gamma["high"]
        assert gamma["low"] - 0.2 <= plain <= gamma["high"] + 0.2
        growth = layer["distance_growth"]
        assert growth["state"] == "known" and growth["first_step"] == 10 and growth["last_step"] == STEPS
        assert growth["exponent"]["low"] <= growth["exponent"]["value"] <= growth["exponent"]["high"]
        assert growth["exponent"]["value"] == pytest.approx(slope(run, layer["name"], 10) / 2, abs=0.15)
        assert growth["law"] in ("open", "sqrt", "log")


def test_the_last_update_is_that_of_the_moments(program, run):
    """Adam's formula, on the checkpoint's own moments."""
    tensors, _ = read_safetensors(run.last)
    told = diagnosis(program, run.path)
    for layer in told["layers"]:
        name = f"{layer['name']}.weight"
        first, second = (tensors[f"optimizer.{name}.{moment}"].astype(float) for moment in ("exp_avg", "exp_avg_sq"))
        update = 1e-3 * first / (1 - 0.9**STEPS) / (np.sqrt(second / (1 - 0.999**STEPS)) + 1e-8)
        wanted = np.linalg.norm(update) / np.linalg.norm(tensors[name].astype(float))
        assert layer["last_update_ratio"] == pytest.approx(wanted, rel=1e-5)
        assert layer["last_update_step"] == STEPS


@pytest.mark.parametrize("optimizer, factor", [("sgd", None), ("momentum", "momentum_buffer")])
def test_updates_of_other_optimisers(program, trained, optimizer, factor):
    run = trained("run", "--steps", 11, "--optimizer", optimizer, "--lr", 0.01)
    tensors, _ = read_safetensors(run.last)
    for layer in diagnosis(program, run.path)["layers"]:
        length = np.linalg.norm(tensors[f"optimizer.{layer['name']}.weight.{factor}"].astype(float)) if factor else \
            column(run, f"{layer['name']}_gradient_l2")[-1]
        assert layer["last_update_ratio"] == pytest.approx(0.01 * length / layer["weight_l2"], rel=1e-5)


def test_straightness_and_components(program, run):
    conv, linear = diagnosis(program, run.path, "--window", 50)["layers"]
    assert conv["walk_steps"] == 50
    assert 1 / 50 <= conv["straightness"] <= 1
    assert 0 < conv["mean_update_ratio"] < 0.1
    assert 1 >= conv["explained"][0] > conv["explained"][1] > conv["explained"][2] > 0
    assert sum(conv["explained"]) <= 1 + 1e-12
    assert linear["straightness"] is None and linear["explained"] == [None] * 3
    told = diagnosis(program, run.path)
    assert told["random_walk_explained"] == pytest.approx([6 / (math.pi * k) ** 2 for k in (1, 2, 3)])


def test_filters_over_time(program, run):
    told = diagnosis(program, run.path)
    assert told["threshold"] == 0.9
    assert [row["step"] for row in told["filters"]] == [0, *run.saved_steps()]
    for row in told["filters"]:
        assert row["layer"] == "conv1" and row["filters"] == 4
        assert 1 <= row["distinct"] <= 4 and 0 <= row["dead"] <= 4
    # With no likeness asked for all are alike; dead ones are like each other only.
    for row in diagnosis(program, run.path, "--threshold", 0)["filters"]:
        assert row["distinct"] <= 4
    assert diagnosis(program, run.path, "--layer", "fc1")["filters"] == []
    assert "filters          step" in program.good("diagnose", run.path).out


def test_copies_and_dead_filters_are_counted(program, run, tmp_path):
    """A copy that is scaled says the same; a bias far below zero says nothing."""
    shutil.copytree(run.path, tmp_path / "run")
    path = tmp_path / f"run/checkpoints/step_{STEPS:08d}.safetensors"
    tensors, metadata = read_safetensors(path)
    tensors = {name: values.copy() for name, values in tensors.items()}
    for part in ("weight", "bias"):
        tensors[f"conv1.{part}"][1] = 2 * tensors[f"conv1.{part}"][0]
    tensors["conv1.bias"][2] = -1e4
    write_safetensors(path, tensors, metadata)
    row = diagnosis(program, "run", "--threshold", 1)["filters"][-1]
    assert (row["step"], row["filters"], row["dead"], row["distinct"]) == (STEPS, 4, 1, 3)


def test_images_that_are_not_there_any_more(program, run, small_set, tmp_path):
    shutil.copytree(run.path, tmp_path / "run")
    record = json.loads((tmp_path / "run/run.json").read_text())
    record["options"]["data"] = str(tmp_path / "gone")
    (tmp_path / "run/run.json").write_text(json.dumps(record))
    result = program.good("diagnose", "run")
    assert len(result.errors) == 1 and "filters are not compared" in result.errors[0] and "gone" in result.errors[0]
    assert "conv1: the norm" in result.out and "distinct" not in result.out
    assert "distinct" in program.good("diagnose", "run", "--data", small_set).out
    result = program("diagnose", "run", "--data", tmp_path / "nowhere")
    assert result.status == 2 and len(result.errors) == 1 and "nowhere" in result.errors[0]


def test_one_layer(program, run):
    assert [layer["name"] for layer in diagnosis(program, run.path, "--layer", "fc1")["layers"]] == ["fc1"]
    text = program.good("diagnose", run.path, "--layer", "fc1").out
    assert "fc1: the norm" in text and "conv1" not in text


def test_for_people(program, run):
    text = program.good("diagnose", run.path).out
    for word in ("conv1", "fc1", "gamma", "sqrt(t)", "60.8  15.2   6.8", "no warnings", "conv1: the norm"):
        assert word in text, word
    assert "nan" not in text and "inf" not in text


def test_short_runs_are_told_so(program, trained):
    for steps in (1, 2, 60):
        run = trained(f"run{steps}", "--steps", steps)
        text = program.good("diagnose", run.path).out
        assert "too short" in text and "nan" not in text
        for layer in diagnosis(program, run.path)["layers"]:
            assert layer["distance_growth"] == {"state": "too short",
                                                "exponent": {"value": None, "low": None, "high": None}}
            assert layer["gamma"]["value"] is None


def test_a_run_that_trains(program, small_set, tmp_path):
    process = program.start("train", *small_training(small_set), "--steps", 10**9, "--run", "run")
    history = tmp_path / "run/history.ws"
    # Rows are written once a second.
    wait_for(lambda: history.exists() and history.stat().st_size > 10000, process)
    told = diagnosis(program, tmp_path / "run")
    assert told["status"] == "running" and told["step"] >= 1
    process.kill()
    process.communicate()
    assert diagnosis(program, tmp_path / "run")["status"] == "killed"


def test_a_history_alone(program, run, tmp_path):
    """What another host has left: no record, no checkpoints."""
    (tmp_path / "other").mkdir()
    shutil.copy(run.path / "history.ws", tmp_path / "other")
    told = diagnosis(program, "other")
    assert told["step"] == STEPS and told["status"] == "not told"
    assert told["layers"][0]["last_update_ratio"] is None


def damaged(run, folder, how):
    folder.mkdir()
    for name in ("history.ws", "run.json"):
        shutil.copy(run.path / name, folder)
    content = (folder / "history.ws").read_bytes()
    change = {"no history": lambda: (folder / "history.ws").unlink(),
              "another file": lambda: (folder / "history.ws").write_bytes(b"hello, world, this is no history"),
              "no row": lambda: (folder / "history.ws").write_bytes(content[:700]),
              "a wrong step": lambda: (folder / "history.ws").write_bytes(content[:-40000] + bytes(40000)),
              "a pipe": lambda: None,
              "no JSON": lambda: (folder / "run.json").write_text("{")}
    change[how]()


@pytest.mark.parametrize("how", ["no history", "another file", "no row", "a wrong step", "no JSON"])
def test_bad_runs_are_refused_in_one_line(program, run, tmp_path, how):
    damaged(run, tmp_path / "bad", how)
    result = program("diagnose", "bad", within=10)
    assert result.status == 2 and len(result.errors) == 1 and not result.out, result
    assert ("run.json" if how == "no JSON" else "history.ws") in result.errors[0]


@pytest.mark.parametrize("options, words", [
    (["--layer", "conv9"], ["--layer", "conv9", "conv1, fc1"]), (["--window", "0"], ["--window", "8"]),
    (["--window", "x"], ["--window"]), (["--frobnicate"], ["--frobnicate"])])
def test_bad_calls(program, run, options, words):
    result = program("diagnose", run.path, *options)
    assert result.status == 2 and len(result.errors) == 1 and not result.out, result
    assert all(word in result.errors[0] for word in words)


def test_an_edited_checkpoint_is_no_matter(program, run, tmp_path):
    """The walk is in the history; only the last update needs the checkpoint."""
    shutil.copytree(run.path, tmp_path / "run")
    for path in (tmp_path / "run/checkpoints").iterdir():
        path.write_bytes(b"damaged")
    result = program.good("diagnose", "--json", "run")
    filters, updates = result.errors
    assert "filters are not compared" in filters and "the last updates are not told" in updates, result
    for layer in json.loads(result.out)["layers"]:
        assert layer["last_update_ratio"] is None and layer["distance_growth"]["state"] == "known"
