# SPDX-License-Identifier: BSD-3-Clause
"""Bad data, networks and numbers: one line that names the thing and the limit, status 2, and no run folder."""

import gzip
import shutil

import make_files
import pytest
from conftest import NET, Run, snapshot


def refuse(result, *words):
    """The call was refused in one line that holds these words."""
    assert result.status == 2, result
    assert len(result.errors) == 1, result
    for word in words:
        assert word in result.errors[0], result


def cut(paths):
    path = paths["train-images"]
    path.write_bytes(path.read_bytes()[:-1])


def wrong_magic(paths):
    path = paths["train-images"]
    path.write_bytes(b"\x01" + path.read_bytes()[1:])


def cut_gzip(paths):
    path = paths["train-images"]
    path.write_bytes(gzip.compress(path.read_bytes())[:-1])


def swapped(paths):
    shutil.copy(paths["train-labels"], paths["train-images"])


def html(paths):
    paths["train-images"].write_text("<!DOCTYPE html><html></html>")


def fewer_labels(paths):
    paths["train-labels"].write_bytes(make_files.idx_bytes([0] * 39))


def label_ten(paths):
    paths["train-labels"].write_bytes(make_files.idx_bytes([0] * 39 + [10]))


def labels_from_one(paths):
    paths["train-labels"].write_bytes(make_files.idx_bytes([1 + i % 10 for i in range(40)]))


def missing(paths):
    paths["t10k-labels"].unlink()


def empty_folder(paths):
    for path in paths.values():
        path.unlink()


@pytest.mark.parametrize("spoil, words", [
    (cut, ["train-images-idx3-ubyte"]),
    (wrong_magic, ["train-images-idx3-ubyte"]),
    (cut_gzip, ["train-images-idx3-ubyte", "gzip"]),
    (swapped, ["train-images-idx3-ubyte", "labels"]),
    (html, ["train-images-idx3-ubyte", "HTML"]),
    (fewer_labels, ["train-labels-idx1-ubyte", "39", "40"]),
    (label_ten, ["train-labels-idx1-ubyte", "10", "39", "0..9"]),
    (labels_from_one, ["train-labels-idx1-ubyte", "count from 1"]),
    (missing, ["t10k-labels"]),
    (empty_folder, ["train-images", "make data"]),
])
def test_data(program, tmp_path, spoil, words):
    spoil(make_files.write_idx(tmp_path / "set"))
    refuse(program("train", "--data", "set", "--run", "run"), *words)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("call, words", [
    (["--data", "nowhere"], ["nowhere", "make data"]),
    (["--batch", "0"], ["--batch", '"0"', "1.."]),
    (["--batch", "-1"], ["--batch", '"-1"']),
    (["--batch", "1000000000000"], ["--batch", "..1000000"]),
    (["--lr", "abc"], ["--lr", '"abc"']),
    (["--lr", "-1"], ["--lr", '"-1"']),
    (["--lr", "0"], ["--lr", '"0"']),
    (["--lr", "nan"], ["--lr", '"nan"']),
    (["--lr", "0,01"], ["--lr", '"0,01"']),
    (["--lr", "1e-2x"], ["--lr", '"1e-2x"']),
    (["--lr="], ["--lr"]),
    (["--epochs", "0"], ["--epochs"]),
    (["--steps", "+0"], ["--steps"]),
    (["--steps", "3", "--epochs", "3"], ["--steps", "--epochs"]),
    (["--threads", "257"], ["--threads", "256"]),
    (["--optimizer", "lion"], ["--optimizer", '"lion"', "adam"]),
    (["--momentum", "0.5"], ["--momentum", "adam"]),
    (["--optimizer", "momentum", "--momentum", "1"], ["--momentum", '"1"']),
    (["--schedule", "linear"], ["--schedule", '"linear"', "cosine"]),
    (["--schedule", "step,factor=0.1"], ["--schedule", "every"]),
    (["--validation", "240"], ["validation", "240"]),
    (["--classes", "3"], ["label", "0..2"]),
    (["--net", "conv 4 3x3, swish, linear 10"], ["--net", "swish"]),
    (["--net", "conv 4 9x9 valid, linear 10"], ["--net", "conv", "9", "8"]),
    (["--net", "linear 9"], ["--net", "9", "10"]),
    (["--net", "conv 4 3x3"], ["--net", "linear"]),
    (["--insitu", "beside"], ["--insitu", '"beside"', "sidecar"]),
    (["--lag", "drop"], ["--lag", '"drop"', "catch-up"]),
    (["--overhead", "0"], ["--overhead", "0", "100"]),
    (["--overhead", "0%"], ["--overhead", "0%", "100"]),
    (["--overhead", "100.5%"], ["--overhead", "100.5", "100"]),
    (["--overhead", "-1"], ["--overhead", "-1", "100"]),
    (["--overhead", "2,5"], ["--overhead", "2,5"]),
    (["--overhead", "%"], ["--overhead"]),
    (["--overhead", "nan"], ["--overhead", "nan"]),
    (["--record", "0"], ["--record", '"0"', "1.."]),
    (["--record", "all"], ["--record", '"all"', "wanted"]),
    (["--record", "1000000000001"], ["--record", "1000000000001", "1000000000000"]),
    (["--record", "wanted"], ["--record", "--pipeline"]),
    (["--insitu", "record"], ["--insitu", "record", "--pipeline"]),
    (["--insitu", "none", "--record", "5"], ["--record", "none"]),
    (["--on-nan", "pause"], ["--on-nan", '"pause"']),
    (["--run", "run", "--resume", "run"], ["--run", "--resume"]),
])
def test_options(program, small_set, tmp_path, call, words):
    data = [] if "--data" in call else ["--data", small_set]
    run = [] if "--run" in call else ["--run", "run"]
    refuse(program("train", *data, *run, *call), *words)
    assert not list(tmp_path.iterdir())


def test_a_file_with_the_network(trained, tmp_path):
    """Comments and lines as people write them; a spec and its file are the same network."""
    (tmp_path / "my net").write_text("# small\n" + NET.replace(", ", "\n") + "\n")
    by_file = trained("by-file", "--net", "my net", "--steps", 3)
    assert by_file.last.read_bytes() == trained("by-line", "--steps", 3).last.read_bytes()


def test_a_file_that_is_no_network(program, small_set, tmp_path):
    (tmp_path / "image").write_bytes(bytes(range(256)))
    (tmp_path / "large").write_text("# " + "x" * 70000)
    for name, word in (("image", "text"), ("large", "70002")):
        refuse(program("train", "--data", small_set, "--net", name, "--run", "run"), "--net", name, word)
    assert not (tmp_path / "run").exists()


def test_run_folder_that_exists(train, trained, tmp_path):
    run = trained("run", "--steps", 2)
    before = snapshot(run.path)
    refuse(train("--run", "run", "--steps", 2), "run", "not empty", "--resume")
    assert snapshot(run.path) == before
    (tmp_path / "file").touch()
    refuse(train("--run", "file"), "file")
    refuse(train("--run", "file/run"), "file/run")


def test_an_empty_run_folder_is_taken(trained, tmp_path):
    (tmp_path / "empty").mkdir()
    assert trained("empty", "--steps", 1).steps() == [1]


def test_folders_around_the_run_are_made(trained):
    assert trained("a/b/c", "--steps", 1).steps() == [1]


def test_runs_are_numbered(train, tmp_path):
    for _ in range(2):
        assert train("--steps", 1).status == 0
    (tmp_path / "runs/2").rename(tmp_path / "runs/17")
    assert train("--steps", 1).status == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["1", "17", "18"]
    assert Run(tmp_path / "runs/18").steps() == [1]
