# SPDX-License-Identifier: BSD-3-Clause
"""info: what a file or a run holds, for people and for programs."""

import json

import numpy as np
import pytest
from conftest import NET, wait_for, small_training
from make_files import read_safetensors, write_idx


def info(program, path):
    return json.loads(program.good("info", "--json", path).out)


def test_checkpoint(program, trained):
    last = trained("run", "--steps", 3, "--seed", 7).last
    told = info(program, last)
    assert {key: told[key] for key in ("kind", "net", "step", "seed", "optimizer", "input", "classes")} == {
        "kind": "checkpoint", "net": NET, "step": 3, "seed": 7, "optimizer": "adam", "input": [1, 8, 8], "classes": 10}
    tensors, _ = read_safetensors(last)
    assert {tensor["name"]: tensor["shape"] for tensor in told["tensors"]} == \
        {name: list(values.shape) for name, values in tensors.items()}
    for tensor in told["tensors"]:
        if tensor["dtype"] == "F32":
            assert tensor["l2"] == pytest.approx(np.linalg.norm(tensors[tensor["name"]].astype(float)), rel=1e-12)
    assert "conv1.weight" in program.good("info", last).out


@pytest.mark.parametrize("gz", [False, True])
def test_idx(program, tmp_path, gz):
    paths = write_idx(tmp_path / "set", train=5, size=(6, 7), gz=gz)
    assert info(program, paths["train-images"])["shape"] == [5, 6, 7]
    labels = info(program, paths["train-labels"])
    assert labels == {"kind": "idx", "shape": [5], "lowest": 0, "highest": 4}
    assert "5 x 6 x 7" in program.good("info", paths["train-images"]).out


def test_run(program, trained):
    run = trained("run", "--epochs", 2)
    told = info(program, run.path)
    assert (told["kind"], told["status"], told["step"], told["checkpoints"]) == ("run", "complete", 22, [11, 22])
    assert "complete" in program.good("info", run.path).out


def test_a_run_that_was_killed_says_so(program, small_set, tmp_path):
    process = program.start("train", *small_training(small_set), "--steps", 10**9, "--run", "run")
    wait_for((tmp_path / "run/checkpoints/last.safetensors").exists, process)
    assert info(program, "run")["status"] == "running"
    process.kill()
    process.communicate()
    assert info(program, "run")["status"] == "killed"


@pytest.mark.parametrize("name, content", [("nothing", None), ("empty", b""), ("text", b"hello, world"),
                                           ("gz", b"\x1f\x8b\x08\x00")])
def test_what_is_neither(program, tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    result = program("info", name)
    assert result.status == 2 and len(result.errors) == 1, result
    assert name in result.errors[0]
