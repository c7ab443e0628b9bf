# SPDX-License-Identifier: BSD-3-Clause
"""Whichever allocation fails: the program ends with status 1 (2 if nothing was begun) and a line, or does without; nothing
crashes, and a training goes on to the same bits. Of each place in the program that asks for memory one call fails; ALLOCATIONS=all
in the environment: every call."""

import os
import struct

import faults
import pytest
from conftest import environment

LIBRARY = faults.TESTS / "libno_memory.so"
SAMPLE = 40


def preloaded(at, count=None, lasts=False):
    return {"LD_PRELOAD": str(LIBRARY), "NO_MEMORY_AT": str(at), "NO_MEMORY_COUNT": count and str(count),
            "NO_MEMORY_LASTS": "1" if lasts else None}


def numbers_of(path):
    """The calls that are to fail: the first one from each place, or all."""
    places = [place for place, in struct.iter_unpack("<Q", path.read_bytes())]
    assert len(places) > 50
    if os.environ.get("ALLOCATIONS") == "all":
        return range(1, len(places) + 1)
    first = {}
    for number, place in enumerate(places, 1):
        first.setdefault(place, number)
    return faults.sample(first.values(), SAMPLE, "ALLOCATIONS")


@pytest.fixture
def training(program):
    return faults.Training(program)


@pytest.mark.parametrize("lasts", [False, True], ids=["one", "all-after"])
def test_a_new_training(training, lasts):
    count = training.folder / "count"
    assert training.begin(training.run("counted"), **preloaded(0, count)).status == 0
    problems = []
    for number in numbers_of(count):
        run = training.run("failed")
        result = training.begin(run, **preloaded(number, lasts=lasts))
        problem = training.problem_after(run, result, is_whole=False)
        if problem:
            problems.append(f"allocation {number}: {problem}: {result}")
        faults.remove(run)
    assert not problems, "\n".join(problems)


@pytest.fixture
def half(training):
    """A run that was killed after step 4, so that there is much to mend."""
    run = training.run("half")
    log = training.folder / "log"
    variables = {"LD_PRELOAD": str(faults.TESTS / "libbad_disk.so"), "BAD_DISK_PATH": f"{run.path}/*", "BAD_DISK_LOG": str(log)}
    training.begin(run, **variables)
    calls = log.read_text().splitlines()
    last = max(number for number, call in enumerate(calls, 1) if "step_00000006" in call and call.startswith("rename"))
    faults.remove(run)
    training.begin(run, **variables, BAD_DISK_AT=str(last), BAD_DISK_HOW="kill")
    assert run.saved_steps()[-1] == 4 and len(run.rows()) == 6
    return run


def test_a_resumed_training(training, half):
    count = training.folder / "count"
    counted = faults.copy_of(half, "counted")
    assert training.go_on(counted, **preloaded(0, count)).status == 0
    problems = []
    for number in numbers_of(count):
        run = faults.copy_of(half, "failed")
        result = training.go_on(run, **preloaded(number))
        problem = training.problem_after(run, result, is_whole=False)
        if problem:
            problems.append(f"allocation {number}: {problem}: {result}")
        faults.remove(run)
    assert not problems, "\n".join(problems)


CALLS = {
    "info of a run": ["info", "--json", "whole"],
    "info of a checkpoint": ["info", "whole/checkpoints/last.safetensors"],
    "eval": ["eval", "--json", "--data", "set", "--threads", 1, "whole/checkpoints/last.safetensors"],
    "merge": ["merge", "whole/checkpoints/last.safetensors", "-o", "merged.safetensors", "--data", "set", "--most", 1,
              "--threads", 1],
    "diagnose": ["diagnose", "whole"],
    "export": ["replay", "--list", "whole"],
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_other_commands(training, program, call):
    count, made = training.folder / "count", training.folder / "merged.safetensors"
    faults.copy_of(training.whole, "counted")
    good = program(*call, env=environment(**preloaded(0, count)))
    assert good.status == 0, good
    expected = made.read_bytes() if made.exists() else None
    problems = []
    for number in numbers_of(count):
        made.unlink(missing_ok=True)
        result = program(*call, env=environment(**preloaded(number)))
        is_as_good = result.status == 0 and (made.read_bytes() if made.exists() else None) == expected and result.out == good.out
        told = result.status in (1, 2) and len(result.errors) == 1 and result.errors[0].startswith("weightscape")
        # What is left out is told, too.
        does_without = result.status == 0 and (all(": note: " in line for line in result.errors) if result.errors
                                               else "no memory" in result.out)
        if not is_as_good and not told and not does_without:
            problems.append(f"allocation {number}: {result}")
        if made.exists() and made.read_bytes() != expected:
            problems.append(f"allocation {number}: another file is written: {result}")
        left = list(training.folder.glob("*.tmp"))
        if left:
            problems.append(f"allocation {number}: {left} is left")
    assert not problems, "\n".join(problems)
