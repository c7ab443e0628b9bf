# SPDX-License-Identifier: BSD-3-Clause
"""A run that was stopped goes on to the same bits as one that never stopped, and loses and repeats nothing."""

import json
import shutil

import pytest
from conftest import Run, small_training, snapshot, wait_for

EVERY = ("--checkpoint-every", 10, "--keep-checkpoints", 0)


def forget_after(run, step):
    """Makes the folder that of a run killed after `step` was saved: later checkpoints are gone, later rows are not."""
    for path in run.checkpoints.glob("step_*"):
        if int(path.stem[5:]) > step:
            path.unlink()
    run.last.unlink()
    shutil.copy(run.checkpoints / f"step_{step:08}.safetensors", run.last)


@pytest.mark.parametrize("options", [
    (),
    ("--optimizer", "momentum", "--momentum", "0.8", "--weight-decay", "0.01"),
    ("--optimizer", "sgd", "--schedule", "cosine,warmup=5", "--lr", "0.1"),
    ("--threads", 1, "--validation", 0, "--batch", 32),
])
def test_same_bits_as_a_run_that_never_stopped(program, trained, options):
    whole = trained("whole", "--steps", 40, *EVERY, *options)
    part = trained("part", "--steps", 40, *EVERY, *options)
    forget_after(part, 20)
    program.good("train", "--resume", part.path)
    assert part.last.read_bytes() == whole.last.read_bytes()
    for step in (30, 40):
        name = f"step_{step:08}.safetensors"
        assert (part.checkpoints / name).read_bytes() == (whole.checkpoints / name).read_bytes()
    assert part.numbers() == whole.numbers()


def test_rows_after_the_checkpoint_are_cut_and_kept(program, trained):
    run = trained("run", "--steps", 33, "--seed", 3, *EVERY)
    before = (run.path / "metrics.csv").read_text().splitlines()
    with open(run.path / "metrics.csv", "a") as file:
        file.write("34,3.09,0.1")  # torn
    forget_after(run, 20)
    program.good("train", "--resume", run.path, "--steps", 50, "--lr", "0.002")
    assert run.steps() == list(range(1, 51))
    assert {row["learning_rate"] for row in run.rows()[20:]} == {"0.002"}
    aside = (run.path / "metrics.csv.after-20").read_text()
    assert aside.splitlines() == before[21:] + ["34,3.09,0.1"]
    times = [float(row["time_s"]) for row in run.rows()]
    assert times == sorted(times)

    forget_after(run, 20)
    program.good("train", "--resume", run.path)
    assert (run.path / "metrics.csv.after-20").read_text() == aside
    assert (run.path / "metrics.csv.after-20.2").exists()
    assert run.steps() == list(range(1, 51))


def test_no_earlier_file_changes(program, trained):
    run = trained("run", "--steps", 40, *EVERY)
    forget_after(run, 30)
    before = snapshot(run.checkpoints)
    program.good("train", "--resume", run.path, "--steps", 60)
    after = snapshot(run.checkpoints)
    assert {name: after[name] for name in before if name != "last.safetensors"} == \
        {name: before[name] for name in before if name != "last.safetensors"}
    assert run.saved_steps() == [10, 20, 30, 40, 50, 60]


def test_steps_may_be_relative(program, trained):
    run = trained("run", "--steps", 5)
    for end in (6, 7):
        program.good("train", "--resume", run.path, "--steps", "+1")
        assert run.last_step() == end
    program.good("train", "--resume", run.path)
    assert run.last_step() == 7 and run.record()["options"]["steps"] == "7"
    program.good("train", "--resume", run.path, "--epochs", 1)
    assert run.last_step() == 11 and run.record()["options"]["steps"] is None


def test_nothing_to_do(program, trained):
    run = trained("run", "--steps", 5)
    before = snapshot(run.checkpoints)
    assert "nothing to do" in program.good("train", "--resume", run.path).out
    assert snapshot(run.checkpoints) == before and run.steps() == [1, 2, 3, 4, 5]


def test_from_another_folder_and_through_a_link(program, trained, small_set, tmp_path):
    """The record holds no path that depends on where the first call was made."""
    shutil.copytree(small_set, tmp_path / "set")
    run = trained("run", "--data", "set", "--steps", 5)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("run")
    program.good("train", "--resume", "../link", "--steps", 8, cwd=tmp_path / "elsewhere")
    assert run.last_step() == 8


def test_a_new_run_in_a_linked_folder(trained, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    trained("link", "--steps", 2)
    assert Run(tmp_path / "real").steps() == [1, 2]


@pytest.mark.parametrize("call, words", [
    (["--net", "conv 5 3x3, relu, maxpool 2, linear 10"], ["--net", "conv 5 3x3", "conv 4 3x3"]),
    (["--batch", "7"], ["--batch", "7", "20"]),
    (["--seed", "2"], ["--seed", "2", "1"]),
    (["--optimizer", "sgd"], ["--optimizer", "sgd", "adam"]),
    (["--weight-decay", "0.5"], ["--weight-decay", "0.5", "0"]),
    (["--validation", "3"], ["--validation", "3", "20"]),
    (["--steps", "4"], ["--steps", "4", "12"]),
    (["--lr", "x"], ["--lr"]),
    (["--pipeline", "nosuch.py"], ["nosuch.py"]),
])
def test_contradictions_are_refused_by_name(program, trained, call, words):
    run = trained("run", "--steps", 12)
    before = snapshot(run.path)
    result = program("train", "--resume", run.path, *call)
    assert result.status == 2 and len(result.errors) == 1, result
    for word in words:
        assert word in result.errors[0], result
    assert snapshot(run.path) == before


def test_what_does_not_contradict(program, trained):
    run = trained("run", "--steps", 12)
    program.good("train", "--resume", run.path, "--steps", 13, "--batch", 20, "--seed", 1, "--validation", 20,
                 "--weight-decay", "0.0", "--net", "conv 4 3x3,relu,  maxpool 2 ,dropout 0.2,linear 10")
    assert run.last_step() == 13


def test_other_data_is_refused(program, trained, tmp_path):
    import make_files
    run = trained("run", "--steps", 3)
    make_files.write_idx(tmp_path / "other", train=240, test=50, seed=1)
    before = snapshot(run.path)
    result = program("train", "--resume", run.path, "--data", "other")
    assert result.status == 2 and len(result.errors) == 1 and "--data" in result.errors[0], result
    assert snapshot(run.path) == before


def test_data_that_was_moved(program, trained, small_set, tmp_path):
    run = trained("run", "--steps", 3)
    shutil.copytree(small_set, tmp_path / "moved")
    program.good("train", "--resume", run.path, "--data", "moved", "--steps", 4)
    assert run.record()["options"]["data"] == str(tmp_path / "moved")


@pytest.mark.parametrize("make_bad", [
    lambda path: path.write_bytes(path.read_bytes()[:-7]),
    lambda path: path.write_bytes(b""),
    lambda path: path.unlink() or path.symlink_to("nowhere"),
    # One bit of the last value, a mantissa's lowest: nothing but the checksum shows it. (Links hold the same file.)
    lambda path: path.write_bytes(path.read_bytes()[:-4] + bytes([path.read_bytes()[-4] ^ 1]) + path.read_bytes()[-3:])
    if path.stem == "last" else None,
], ids=["truncated", "empty", "dangling", "one-bit"])
def test_falls_back_to_the_newest_good_checkpoint(program, trained, make_bad):
    whole = trained("whole", "--steps", 40, *EVERY)
    run = trained("run", "--steps", 30, *EVERY)
    make_bad(run.last)
    make_bad(run.checkpoints / "step_00000030.safetensors")
    (run.checkpoints / "step_99999.safetensors").write_bytes(b"half")
    (run.checkpoints / "last.safetensors.tmp").write_bytes(b"left")
    result = program.good("train", "--resume", run.path, "--steps", 40)
    for name in ("last", "step_00000030", "step_99999"):
        assert [line for line in result.errors if f"{name}.safetensors" in line and "(skipped)" in line], result
    assert not list(run.checkpoints.glob("*.tmp"))
    assert run.last.read_bytes() == whole.last.read_bytes()
    assert run.numbers() == whole.numbers()


def test_no_good_checkpoint(program, trained):
    run = trained("run", "--steps", 3)
    for path in run.checkpoints.iterdir():
        path.write_bytes(b"half")
    before = snapshot(run.path)
    result = program("train", "--resume", run.path)
    assert result.status == 2 and "no checkpoint" in result.errors[-1], result
    assert snapshot(run.path) == before


def test_killed_before_the_first_checkpoint(program, trained):
    run = trained("run", "--steps", 12)
    final = run.last.read_bytes()
    for path in run.checkpoints.iterdir():
        path.unlink()
    result = program.good("train", "--resume", run.path)
    assert any("starts again" in line for line in result.errors), result
    assert run.last.read_bytes() == final and run.steps() == list(range(1, 13))


@pytest.mark.parametrize("content, words", [
    (None, ["run.json", "no run"]),
    ("", ["run.json"]),
    ('{"options": 3}', ["run.json", "options"]),
    ('{"options": {"batch": "many"}}', ["run.json", "--batch", "many"]),
    ('{"options": {"batch": 20, "batch": 30}}', ["run.json", "batch"]),
])
def test_a_record_that_is_no_record(program, trained, content, words):
    run = trained("run", "--steps", 2)
    (run.path / "run.json").unlink()
    if content is not None:
        (run.path / "run.json").write_text(content)
    result = program("train", "--resume", run.path)
    assert result.status == 2 and len(result.errors) == 1, result
    for word in words:
        assert word in result.errors[0], result


def test_metrics_of_another_network(program, trained):
    run = trained("run", "--steps", 2)
    (run.path / "metrics.csv").write_text("step,loss\n1,2\n")
    result = program("train", "--resume", run.path, "--steps", 3)
    assert result.status == 2 and len(result.errors) == 1 and "metrics.csv" in result.errors[0], result


def test_metrics_that_are_gone(program, trained):
    run = trained("run", "--steps", 2)
    (run.path / "metrics.csv").unlink()
    result = program.good("train", "--resume", run.path, "--steps", 3)
    assert any("0 rows for the 2 steps" in line for line in result.errors), result
    assert run.steps() == [3]


def test_two_trainings_in_one_folder(program, small_set, tmp_path):
    first = program.start("train", *small_training(small_set), "--steps", 10**9, "--run", "run")
    wait_for((tmp_path / "run/checkpoints/last.safetensors").exists, first)
    for call in (["--resume", "run"], [*small_training(small_set), "--run", "run"]):
        result = program("train", *call)
        assert result.status == 2 and len(result.errors) == 1, result
        assert "another training" in result.errors[0]
    first.terminate()
    first.communicate()
    assert Run(tmp_path / "run").steps() == list(range(1, Run(tmp_path / "run").last_step() + 1))


def test_keeps_the_newest_checkpoints(trained):
    assert trained("three", "--steps", 50, "--checkpoint-every", 10, "--keep-checkpoints", 3).saved_steps() == [30, 40, 50]
    assert trained("all", "--steps", 50, "--checkpoint-every", 10, "--keep-checkpoints", 0).saved_steps() == \
        [10, 20, 30, 40, 50]
    run = trained("epochs", "--epochs", 7)
    assert run.saved_steps() == [33, 44, 55, 66, 77]
    assert run.last.read_bytes() == (run.checkpoints / "step_00000077.safetensors").read_bytes()


def test_the_record_tells_the_run(trained, small_set):
    run = trained("run", "--steps", 12, "--pipeline", "x.py", "--insitu", "none")
    record = run.record()
    assert record["status"] == "complete" and record["step"] == record["total_steps"] == 12
    assert record["options"]["data"] == str(small_set)
    assert record["options"]["lr"] == 0.001 and record["options"]["seed"] == 1
    assert record["options"]["pipeline"] == ["x.py"]
    assert record["data"]["train"] == 220 and record["data"]["validation"] == 20
    assert json.loads(json.dumps(record, allow_nan=False)) == record
