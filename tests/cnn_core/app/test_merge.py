# SPDX-License-Identifier: BSD-3-Clause
"""merge: a checkpoint with similar units merged, its prediction, what it refuses, and what others make of it."""

import json

import numpy as np
import pytest
from conftest import snapshot
from make_files import read_safetensors, write_safetensors

NET = "conv 6 3x3, relu, maxpool 2, conv 5 3x3, relu, linear 12, relu, linear 10"


@pytest.fixture
def checkpoint(trained, tmp_path):
    """A network of two convolutions, outside of its run; unit 1 of conv1 is 0.7 times unit 0."""
    path = tmp_path / "net.safetensors"
    path.write_bytes(trained("run", "--net", NET, "--steps", 8).last.read_bytes())
    change(path, copy_of_first)
    return path


def change(path, edit, without=(), **metadata):
    """Writes the file again as somebody's Python would."""
    tensors, about = read_safetensors(path)
    tensors = {name: np.array(values) for name, values in tensors.items()}
    tensors = edit(tensors) or tensors
    kept = {name: values for name, values in tensors.items() if not name.startswith(tuple(without) or ("?",))}
    about = {key: value for key, value in {**about, **metadata}.items() if value is not None}
    write_safetensors(path, kept, about)


def copy_of_first(tensors):
    for name in ("conv1.weight", "conv1.bias"):
        tensors[name][1] = np.float32(0.7) * tensors[name][0]


def nothing(tensors):
    pass


@pytest.fixture
def merge(program, small_set):
    """merge(file, ...): the call; the new file is `merged.safetensors`."""
    return lambda path, *arguments, output="merged.safetensors": program(
        "merge", path, "-o", output, "--data", small_set, *arguments)


def report_of(result):
    assert result.status == 0, result
    return json.loads(result.out)


def evaluate(program, small_set, path):
    return json.loads(program.good("eval", "--json", "--data", small_set, path).out)


def test_a_copy_is_merged_and_nothing_changes(program, merge, small_set, checkpoint, tmp_path):
    before = snapshot(tmp_path / "run"), checkpoint.read_bytes()
    report = report_of(merge(checkpoint, "--threshold", 1, "--layers", "conv1", "--json"))
    layer, = report["layers"]
    assert (layer["layer"], layer["before"], layer["after"]) == ("conv1", 6, 5)
    group, = layer["groups"]
    assert {group["stays"], *(other["unit"] for other in group["speaks_for"])} == {0, 1}
    assert abs(layer["predicted"]) < 1e-6 and abs(layer["measured"]) < 1e-6
    assert report["net"] == NET.replace("conv 6", "conv 5")
    assert snapshot(tmp_path / "run") == before[0] and checkpoint.read_bytes() == before[1]
    old, new = (evaluate(program, small_set, path) for path in (checkpoint, "merged.safetensors"))
    assert new["loss"] == pytest.approx(old["loss"], abs=1e-6) and new["correct"] == old["correct"]
    assert new["loss"] == report["loss_after"] and old["loss"] == report["loss_before"]
    assert new["accuracy"] == report["accuracy_after"]


def test_what_is_told_is_what_is_measured_and_kept(program, merge, small_set, checkpoint):
    """Every method at the same sizes; the history tells what was predicted and measured."""
    for method in ("similar", "norm", "random"):
        report = report_of(merge(checkpoint, "--keep", 3, "--method", method, "--json"))
        assert [(layer["before"], layer["after"]) for layer in report["layers"]] == [(6, 3), (5, 3)]
        change = report["loss_after"] - report["loss_before"]
        assert sum(layer["measured"] for layer in report["layers"]) == pytest.approx(change, abs=1e-12)
        assert report["predicted"] == pytest.approx(sum(layer["predicted"] for layer in report["layers"]))
        assert evaluate(program, small_set, "merged.safetensors")["loss"] == report["loss_after"]
        merges = json.loads(program.good("info", "--json", "merged.safetensors").out)["merges"]
        for merged, layer in zip(merges, report["layers"], strict=True):
            assert merged["step"] == 8 and merged["method"] == method
            assert merged["threshold"] == (-1 if method == "similar" else None)
            assert {key: merged[key] for key in ("layer", "before", "after", "predicted", "measured")} == \
                   {key: layer[key] for key in ("layer", "before", "after", "predicted", "measured")}
        assert [bool(layer["removed"]) for layer in report["layers"]] == [method != "similar"] * 2


def test_a_number_for_each_layer(merge, checkpoint):
    for layers, keep, expected in ((None, "4+2", [("conv1", 4), ("conv2", 2)]),
                                   ("fc1+conv1", "7+5", [("conv1", 5), ("fc1", 7)])):
        chosen = ["--layers", layers] if layers else []
        report = report_of(merge(checkpoint, "--keep", keep, *chosen, "--method", "norm", "--json"))
        assert [(layer["layer"], layer["after"]) for layer in report["layers"]] == expected


def test_history_is_shown_and_grows(program, merge, checkpoint):
    merge(checkpoint, "--threshold", 1, "--layers", "conv1")
    report = report_of(merge("merged.safetensors", "--most", 2, "--method", "norm", "--layers", "conv2+fc1", "--json",
                             output="again.safetensors"))
    assert [(layer["layer"], layer["before"] - layer["after"]) for layer in report["layers"]] == [("conv2", 2), ("fc1", 2)]
    out = program.good("info", "again.safetensors").out
    for line in ("conv1 6 -> 5, similar from 1, loss predicted ", "conv2 5 -> 3, norm, loss predicted ", "fc1 12 -> 10, norm"):
        assert line in out
    tensors, _ = read_safetensors(program.folder / "again.safetensors")
    assert list(tensors["source.conv1"]) in ([0, 2, 3, 4, 5], [1, 2, 3, 4, 5])
    assert "merges" not in program.good("info", checkpoint).out.split("tensors")[0]


@pytest.mark.parametrize("history", ["{}", "[", "merged", ""])
def test_a_history_that_is_none_is_refused_by_all(program, merge, small_set, checkpoint, history):
    change(checkpoint, nothing, merges=history)
    for result in (program("info", checkpoint), program("eval", "--data", small_set, checkpoint),
                   merge(checkpoint, "--threshold", 1)):
        assert result.status == 2 and len(result.errors) == 1, result
        assert "net.safetensors: metadata merges is not a JSON list" in result.errors[0]


def test_twice_is_once(merge, checkpoint, program):
    merge(checkpoint, "--threshold", 0.3)
    report = report_of(merge("merged.safetensors", "--threshold", 0.3, "--json", output="again.safetensors"))
    assert all(layer["before"] == layer["after"] for layer in report["layers"])
    first, second = ((program.folder / name).read_bytes() for name in ("merged.safetensors", "again.safetensors"))
    assert first == second


def test_threads_do_not_matter(merge, checkpoint, program):
    results = []
    for threads in (1, 2, 3):
        assert merge(checkpoint, "--keep", 3, "--threads", threads).status == 0
        results.append((program.folder / "merged.safetensors").read_bytes())
    assert results[0] == results[1] == results[2]


def test_beyond_the_bound_nothing_is_written(merge, checkpoint, tmp_path):
    files = snapshot(tmp_path)
    result = merge(checkpoint, "--keep", 1, "--method", "norm", "--bound", "0")
    if result.status == 0:
        pytest.fail(f"taking most filters did not raise the loss: {result}")
    assert result.status == 1 and len(result.errors) == 1 and "--bound allows 0" in result.errors[0], result
    assert not result.out and snapshot(tmp_path) == files
    assert merge(checkpoint, "--keep", 1, "--method", "norm", "--bound", 1e9).status == 0


def test_over_the_file_itself_when_asked(merge, checkpoint, program):
    assert merge(checkpoint, "--threshold", 1, output=checkpoint).status == 0
    assert json.loads(program.good("info", "--json", checkpoint).out)["merges"]


def all_equal(tensors):
    for name in ("conv1.weight", "conv1.bias"):
        tensors[name][:] = tensors[name][0]


def all_zero(tensors):
    tensors["conv1.weight"][:] = 0
    tensors["conv1.bias"][:] = 0


@pytest.mark.parametrize("edit", [all_equal, all_zero])
@pytest.mark.parametrize("minimum", [1, 4])
def test_a_layer_that_collapses_keeps_its_minimum(program, merge, small_set, checkpoint, edit, minimum):
    change(checkpoint, edit)
    report = report_of(merge(checkpoint, "--threshold", 1, "--layers", "conv1", "--minimum", minimum, "--json"))
    assert report["layers"][0]["after"] == minimum
    assert abs(report["loss_after"] - report["loss_before"]) < 1e-5
    evaluate(program, small_set, "merged.safetensors")


def test_one_filter_is_left_alone(program, merge, trained):
    last = trained("one", "--net", "conv 1 3x3, relu, linear 10", "--steps", 2).last
    result = merge(last, "--threshold", 0)
    assert result.status == 0 and "conv1: 1 units, nothing to merge" in result.out


def one_nan(tensors):
    tensors["conv1.weight"][2, 0, 1, 1] = np.nan


def narrower(tensors):
    tensors["conv1.weight"], tensors["conv1.bias"] = tensors["conv1.weight"][:4], tensors["conv1.bias"][:4]


@pytest.mark.parametrize("edit, arguments, words", [
    (one_nan, ["--threshold", 0.9], ["conv1.weight", "nan"]),
    (narrower, ["--threshold", 0.9], ["conv1.weight", "[4,1,3,3]", "[6,1,3,3]"]),
    (nothing, ["--threshold", 1.1], ["--threshold", "1.1"]),
    (nothing, ["--threshold=-1.1"], ["--threshold", "-1.1"]),
    (nothing, ["--threshold", "nan"], ["--threshold", "nan"]),
    (nothing, ["--threshold", "0,9"], ["--threshold", "0,9"]),
    (nothing, [], ["--threshold, --keep or --most"]),
    (nothing, ["--method", "norm"], ["--keep or --most", "norm"]),
    (nothing, ["--method", "norm", "--keep", 3, "--threshold", 0.9], ["--threshold", "norm"]),
    (nothing, ["--method", "best", "--keep", 3], ["--method", "best"]),
    (nothing, ["--keep", 0], ["--keep", "0"]),
    (nothing, ["--keep", "3+"], ["--keep", '""']),
    (nothing, ["--keep", "3+0"], ["--keep", "0"]),
    (nothing, ["--keep", "3+3+3"], ["--keep", "3 numbers for 2 layers"]),
    (nothing, ["--keep", "three"], ["--keep", "three"]),
    (nothing, ["--keep", 3, "--layers", "conv1+conv1"], ["--layers", "conv1", "twice"]),
    (nothing, ["--minimum", 0, "--keep", 3], ["--minimum", "0"]),
    (nothing, ["--threshold", 0.9, "--layers", "fc2"], ["--layers", "fc2", "classes"]),
    (nothing, ["--threshold", 0.9, "--layers", "conv1+relu1"], ["--layers", "relu1", "no units"]),
    (nothing, ["--threshold", 0.9, "--layers", "conv1+conv9"], ["--layers", "conv9"]),
    (nothing, ["--threshold", 0.9, "--layers", ""], ["--layers"]),
    (nothing, ["--threshold", 0.9, "--bound", "-1"], ["--bound", "-1"]),
    (nothing, ["--threshold", 0.9, "--bound", "nan"], ["--bound", "nan"]),
    (nothing, ["--threshold", 0.9, "--probe", 0], ["--probe", "0"]),
    (nothing, ["--threshold", 0.9, "--set", "validation", "--validation", 0], ["--set", "validation"]),
])
def test_what_cannot_be_done_is_refused_in_a_line(merge, checkpoint, tmp_path, edit, arguments, words):
    change(checkpoint, edit)
    files = snapshot(tmp_path)
    result = merge(checkpoint, *arguments)
    assert result.status == 2 and len(result.errors) == 1 and not result.out, result
    for word in words:
        assert word in result.errors[0], result
    assert snapshot(tmp_path) == files


@pytest.mark.parametrize("call, word", [(["merge", "x"], "--output"), (["merge", "x", "-o", "y"], "--data"),
                                        (["merge"], "CHECKPOINT")])
def test_a_call_without_what_it_needs(program, call, word):
    result = program(*call)
    assert result.status == 2 and len(result.errors) == 1 and word in result.errors[0], result


def test_a_place_that_cannot_be_written(merge, checkpoint, tmp_path):
    result = merge(checkpoint, "--threshold", 1, output="no/such/folder.safetensors")
    assert result.status == 1 and len(result.errors) == 1 and "no/such/folder.safetensors" in result.errors[0], result
    (tmp_path / "folder").mkdir()
    result = merge(checkpoint, "--threshold", 1, output="folder")
    assert result.status == 1 and len(result.errors) == 1 and "folder" in result.errors[0], result


def test_weights_without_moments_are_welcome(program, merge, checkpoint):
    change(checkpoint, nothing, without=["optimizer.", "gradient.", "random."])
    result = merge(checkpoint, "--threshold", 1)
    assert result.status == 0 and len(result.errors) == 1 and "no state of an optimizer" in result.errors[0], result
    assert json.loads(program.good("info", "--json", "merged.safetensors").out).get("optimizer") is None


def test_a_foreign_file_is_welcome_with_its_network(program, merge, small_set, checkpoint):
    change(checkpoint, nothing, without=["optimizer.", "gradient.", "random."], net=None, input=None, classes=None,
           step=None, seed=None, optimizer=None, weightscape=None)
    result = merge(checkpoint, "--threshold", 1)
    assert result.status == 2 and len(result.errors) == 1 and "--net" in result.errors[0], result
    assert merge(checkpoint, "--threshold", 1, "--net", NET).status == 0
    evaluate(program, small_set, "merged.safetensors")


def test_a_net_that_was_cut_elsewhere_is_welcome_with_its_widths(merge, checkpoint):
    def cut(tensors):
        narrower(tensors)
        tensors["conv2.weight"] = tensors["conv2.weight"][:, :4]

    change(checkpoint, cut, without=["optimizer.", "gradient."], optimizer=None)
    result = merge(checkpoint, "--keep", 3, "--net", NET.replace("conv 6", "conv 4"))
    assert result.status == 0 and not result.errors, result
