# SPDX-License-Identifier: BSD-3-Clause
"""Whichever call on a file of a run goes wrong, and however: full, broken, interrupted, cut short, or the last one before a kill;
a training tells what it could not write, never leaves half a file, and goes on to the same bits. A sample of the calls; CALLS=all
in the environment: each one."""

import fnmatch
import shutil
import subprocess

import faults
import pytest
from conftest import Result
from make_files import read_safetensors

LIBRARY = faults.TESTS / "libbad_disk.so"
SAMPLE = 6

WRITES, READS = {"write", "pwrite"}, {"read", "pread"}
# By which calls may go wrong so on a local disk.
WAYS = {
    "ENOSPC": WRITES | {"open", "mkdir", "link", "rename"},
    "EIO": WRITES | READS | {"fsync", "ftruncate", "truncate", "close", "fopen", "opendir", "unlink"},
    "EINTR": WRITES | READS | {"fsync", "ftruncate"},
    "short": WRITES | READS,
    "kill": WRITES | {"open", "rename", "link", "unlink", "ftruncate", "truncate", "mkdir"},
    "torn": WRITES,
}
# What a full or broken disk still does is to forget.
GOOD_DISK = {"ENOSPC": ["write", "pwrite"], "EIO": ["write", "pwrite", "fsync"]}
# A program may not notice them.
HARMLESS = ("EINTR", "short")


def preloaded(run, at=0, how=None, most=1, name="*", log=None):
    # What goes wrong for good does so for those calls that may go wrong so.
    only = None if most == 1 else f" {' '.join(GOOD_DISK[how])} "
    return {"BAD_DISK_ONLY": only, "LD_PRELOAD": str(LIBRARY), "BAD_DISK_PATH": f"{run.path}{name}", "BAD_DISK_AT": str(at), "BAD_DISK_HOW": how,
            "BAD_DISK_MOST": str(most), "BAD_DISK_LOG": log and str(log)}


@pytest.fixture
def training(program):
    return faults.Training(program)


def calls_of(training, call, run):
    """The calls on files that call(run, ...) makes, in order: "write PATH"."""
    log = training.folder / "log"
    log.unlink(missing_ok=True)
    result = call(run, **preloaded(run, log=log))
    assert result.status in (0, 1), result
    return log.read_text().splitlines()


def numbers_of(calls, how):
    numbers = [number for number, call in enumerate(calls, 1) if call.split()[0] in WAYS[how]]
    return faults.sample(numbers, SAMPLE, "CALLS")


def check(training, run, call, how, number):
    result = call(run, **preloaded(run, number, how))
    # A knob that cannot be written down is not turned: those are other weights.
    if any("cannot be replayed" in line for line in result.errors):
        faults.remove(run)
        return None if result.status == 1 else f"{how} at call {number}: {result}"
    problem = training.problem_after(run, result, is_whole=False)
    if not problem and how in HARMLESS and result.status:
        problem = "it makes much of it"
    faults.remove(run)
    return problem and f"{how} at call {number}: {problem}: {result}"


@pytest.mark.parametrize("how", WAYS)
def test_a_new_training(training, how):
    run = training.run("bad")
    calls = calls_of(training, training.begin, run)
    faults.remove(run)
    problems = [check(training, run, training.begin, how, number) for number in numbers_of(calls, how)]
    assert not any(problems), "\n".join(problem for problem in problems if problem)


@pytest.fixture
def half(training):
    """A run that was killed after step 5 was done, with more rows than its checkpoint."""
    run = training.run("half")
    calls = calls_of(training, training.begin, run)
    faults.remove(run)
    number = max(number for number, call in enumerate(calls, 1) if "step_00000006" in call and call.startswith("rename"))
    training.begin(run, **preloaded(run, number, "kill"))
    assert run.saved_steps()[-1] == 4 and len(run.rows()) == 6
    return run


@pytest.mark.parametrize("how", WAYS)
def test_a_resumed_training(training, half, how):
    calls = calls_of(training, training.go_on, faults.copy_of(half, "counted"))
    problems = []
    for number in numbers_of(calls, how):
        run = faults.copy_of(half, "bad")
        problems.append(check(training, run, training.go_on, how, number))
    assert not any(problems), "\n".join(problem for problem in problems if problem)


def middle_write(training, run, name, how):
    """The number, among the calls on files of that name that may go wrong for good, of a write when training is under way."""
    log = [call.split() for call in calls_of(training, training.begin, run)]
    faults.remove(run)
    calls = [call for call, path in log if fnmatch.fnmatch(path, f"{run.path}{name}") and call in GOOD_DISK[how]]
    writes = [number for number, call in enumerate(calls, 1) if call in WRITES]
    assert len(writes) > 2, calls
    return writes[len(writes) // 2]


# Once, or for each write: the training waits for none of them.
FILES = {"metrics.csv": 1, "history.ws": 1, "recording.wsrec": 1, "run.json.tmp": None}


@pytest.mark.parametrize("name, lines", FILES.items(), ids=FILES)
@pytest.mark.parametrize("how", GOOD_DISK)
def test_a_file_that_fails_for_good(training, name, lines, how):
    """It is told, the training goes on and is saved, and the exit status shows it."""
    run = training.run("full")
    number = middle_write(training, run, f"/{name}", how)
    result = training.begin(run, **preloaded(run, number, how, most=10**6, name=f"/{name}"))
    assert result.status == 1, result
    assert result.errors and all(name.removesuffix(".tmp") in line for line in result.errors), result
    assert lines is None or len(result.errors) == lines, result
    assert run.last.read_bytes() == training.expected["checkpoint"]
    assert training.problem_after(run, result, is_whole=False) is None


def test_a_log_of_knobs_that_fails_for_good(training):
    """What cannot be written down is not turned."""
    run = training.run("full")
    name = "/steering.jsonl"
    result = training.begin(run, **preloaded(run, 1, "ENOSPC", most=10**6, name=name))
    assert result.status == 1 and all(name in line for line in result.errors), result
    assert (run.path / "steering.jsonl").read_bytes() == b""
    assert {row["learning_rate"] for row in run.rows()} == {"0.001"}
    assert training.go_on(run).status == 0


@pytest.mark.parametrize("how", GOOD_DISK)
def test_checkpoints_that_fail_for_good(training, how):
    """The one before stays, whole, nothing half-written does, and a later call goes on from there."""
    run, name = training.run("full"), "/checkpoints/step_*.tmp"
    number = middle_write(training, run, name, how)
    result = training.begin(run, **preloaded(run, number, how, most=10**6, name=name))
    assert result.status == 1, result
    assert run.last_step() in (2, 4) and not list(run.checkpoints.glob("*.tmp"))
    read_safetensors(run.last)
    assert len(run.rows()) == faults.STEPS
    assert training.problem_after(run, result) is None


def can_mount(folder):
    return subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "none", folder], capture_output=True).returncode == 0


# What a call does on a disk of its own, and what it leaves there.
ON_A_DISK = 'mount -t tmpfs -o size="$1" none disk; shift; "$@"; status=$?; cp -r disk/. left; exit $status'


def test_a_real_disk_that_is_full(training):
    """Not a library's word for it: file systems of some pages, where root may mount them."""
    disk, left = training.folder / "disk", training.folder / "left"
    disk.mkdir()
    if not can_mount(disk):
        return
    run, ends = training.run("left/run"), set()
    for kilobytes in range(8, 72, 8):
        left.mkdir()
        command = training.program.command("train", *training.arguments, "--run", disk / "run")
        result = Result(subprocess.run(["unshare", "--mount", "sh", "-c", ON_A_DISK, "sh", f"{kilobytes}k", *command],
                                       cwd=training.folder, capture_output=True, text=True, timeout=60))
        ends.add(result.status)
        assert result.status in (0, 1, 2) and bool(result.status) == bool(result.errors), result
        assert not list(left.rglob("*.tmp")), result
        assert result.status != 2 or not run.path.exists(), result
        for path in left.rglob("*.safetensors"):
            read_safetensors(path)
        if (run.path / "run.json").exists():
            assert training.go_on(run).status == 0, result
            assert run.last.read_bytes() == training.expected["checkpoint"], result
        shutil.rmtree(left)
    assert 1 in ends
