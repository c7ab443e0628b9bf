# SPDX-License-Identifier: BSD-3-Clause
"""Disks that are full and folders that cannot be written: said, never silent, and nothing good is lost."""

import os
import resource
import signal
import subprocess

import pytest
from conftest import Run, snapshot
from make_files import read_safetensors

# As if the disk were full for files beyond this size. A checkpoint of the small network has about 10 kB.
BETWEEN, BELOW = 16000, 6000


def limited(size):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def test_metrics_that_do_not_fit(train, tmp_path):
    """The training goes on to its end and is saved; one line, and the exit status, tell what is missing."""
    result = train("--run", "run", "--steps", 200, "--checkpoint-every", 50, preexec_fn=limited(BETWEEN))
    run = Run(tmp_path / "run")
    assert result.status == 1
    told = [line for line in result.errors if "metrics.csv" in line]
    assert len(told) == 1 and "training goes on" in told[0], result
    assert run.last_step() == 200
    steps = run.steps()
    assert steps == list(range(1, len(steps) + 1)) and 1 < len(steps) < 200
    assert (run.path / "metrics.csv").read_bytes().endswith(b"\n")


def test_a_resume_tells_the_rows_that_are_missing(program, train, tmp_path):
    train("--run", "run", "--steps", 200, preexec_fn=limited(BETWEEN))
    result = program.good("train", "--resume", "run", "--steps", 210)
    assert any("rows for the 200 steps" in line for line in result.errors), result
    assert Run(tmp_path / "run").steps()[-10:] == list(range(201, 211))


def test_checkpoints_that_do_not_fit(program, trained):
    """The old one stays whole, nothing half-written is left, and the exit status tells it."""
    run = trained("run", "--steps", 3)
    before = snapshot(run.checkpoints)
    result = program("train", "--resume", "run", "--steps", 6, preexec_fn=limited(BELOW))
    assert result.status == 1
    assert any("step_00000006.safetensors" in line for line in result.errors), result
    assert snapshot(run.checkpoints) == before
    read_safetensors(run.last)


def test_no_room_from_the_start(train, tmp_path):
    result = train("--run", "run", "--steps", 3, preexec_fn=limited(10))
    assert result.status in (1, 2) and result.errors, result
    assert not (tmp_path / "run").exists()


def without_privilege(command):
    """root may write anywhere, unless it gives that up."""
    drop = "-dac_override,-dac_read_search"
    return ["setpriv", "--bounding-set", drop, "--inh-caps", drop, *command] if os.getuid() == 0 else command


def call_without_privilege(program, *arguments):
    return subprocess.run(without_privilege(program.command(*arguments)), cwd=program.folder, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=60)


@pytest.fixture
def locked_run(trained):
    """A run whose files and folders may only be read."""
    run = trained("run", "--steps", 3)
    everything = [run.path, *run.path.rglob("*")]
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield run
    for path in everything:
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_read_only_run_cannot_go_on(program, locked_run):
    before = snapshot(locked_run.path)
    ended = call_without_privilege(program, "train", "--resume", "run", "--steps", 5)
    assert ended.returncode == 2, ended
    assert len(ended.stderr.splitlines()) == 1 and "Permission denied" in ended.stderr, ended
    assert snapshot(locked_run.path) == before


def test_a_read_only_run_can_be_read(program, locked_run, small_set):
    for call in (["info", "run"], ["info", locked_run.last], ["eval", "--data", small_set, locked_run.last]):
        ended = call_without_privilege(program, *call)
        assert ended.returncode == 0 and not ended.stderr, ended


def test_a_new_run_in_a_read_only_folder(program, small_set, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    ended = call_without_privilege(program, "train", "--data", small_set, "--steps", 1, "--run", "locked/run")
    assert ended.returncode == 2, ended
    assert len(ended.stderr.splitlines()) == 1 and "locked/run" in ended.stderr, ended
    assert "Permission denied" in ended.stderr


def test_data_in_a_read_only_folder(program, trained, small_set):
    small_set.chmod(0o555)
    try:
        ended = call_without_privilege(program, "train", "--data", small_set, "--steps", 1, "--run", "run")
        assert ended.returncode == 0, ended
    finally:
        small_set.chmod(0o755)


def test_a_file_size_limit_sends_no_signal(train):
    result = train("--run", "run", "--steps", 200, preexec_fn=limited(BETWEEN))
    assert result.status != -signal.SIGXFSZ
