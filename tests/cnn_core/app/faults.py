# SPDX-License-Identifier: BSD-3-Clause
"""One small training that uses all of a run's files, under faults; what must hold however it ended: it told why, and goes on
to the same bits as one that nothing happened to."""

import json
import os
import random
import shutil
import signal
import struct
from pathlib import Path

import make_files
import numpy as np
from conftest import Run, environment

TESTS = Path(os.environ["WEIGHTSCAPE_BUILD"]) / "tests"
STEPS = 6
FIRST_BLOCK = 16  # frames that the index of a recording begins with, at least
NET = "conv 3 3x3, relu, maxpool 2, dropout 0.2, linear 10"
TURNS = [(2, "learning_rate", "0.001", "0.002"), (4, "momentum", "0.9", "0.8")]


def history_rows(path):
    """The rows of a history by column, without the time; cells of sketches are left out."""
    content = path.read_bytes()
    start = 16 + struct.unpack("<Q", content[8:16])[0]
    columns = json.loads(content[16:start])["columns"]
    kind = np.dtype([(name, dtype, (count,)) for name, dtype, count in columns])
    rows = np.frombuffer(content[start:], kind)
    return {name: rows[name].tobytes() for name in kind.names if name != "time_s"}


def recorded(path):
    """(step, rows so far) of each frame of a short recording."""
    if not path.exists():
        return None
    content = path.read_bytes()
    count, block = (struct.unpack_from("<Q", content, offset)[0] for offset in (64, 96))
    assert count <= FIRST_BLOCK
    return [struct.unpack_from("<QQ", content, block + 32 * number + 8) for number in range(count)]


def without_time(text):
    return [{key: value for key, value in json.loads(line).items() if key not in ("time", "origin")}
            for line in text.splitlines()]


def everything(run):
    """All that must be as in a run that nothing happened to."""
    return {"checkpoint": run.last.read_bytes(), "saved": run.saved_steps(), "metrics": run.numbers(),
            "steering": without_time((run.path / "steering.jsonl").read_text()),
            "history": history_rows(run.path / "history.ws"), "recording": recorded(run.path / "recording.wsrec"), "status": run.record()["status"]}


def write_turns(program, folder, arguments, turns):
    """The folder of a run in which knobs were turned: (step, name, old, new)."""
    program.good("train", *arguments, "--steps", 1, "--run", folder)
    with open(folder / "steering.jsonl", "w") as file:
        for step, name, old, new in turns:
            file.write(json.dumps({"step": step, "name": name, "old": old, "new": new, "origin": "test",
                                   "time": "2026-01-01T00:00:00Z"}) + "\n")
    return folder


class Training:
    """The training, called again and again; `expected` is what an undisturbed one leaves."""

    def __init__(self, program):
        self.program, self.folder = program, program.folder
        make_files.write_idx(self.folder / "set", train=80, test=20, size=(8, 8))
        plain = ["--data", self.folder / "set", "--net", NET, "--batch", 20, "--validation", 20, "--optimizer", "momentum",
                 "--lr", 0.001, "--threads", 1, "--quiet"]
        turned = write_turns(program, self.folder / "turned", plain, TURNS)
        self.arguments = [*plain, "--steps", STEPS, "--checkpoint-every", 2, "--insitu", "record", "--record", 4, "--merge",
                          "at=3,threshold=-1,most=1", "--replay-steering", turned]
        whole = self.run("whole")
        result = self.begin(whole)
        assert result.status == 0 and not result.errors, result
        self.whole, self.expected = whole, everything(whole)

    def run(self, name):
        return Run(self.folder / name)

    def begin(self, run, **variables):
        return self.program("train", *self.arguments, "--run", run.path, env=environment(**variables))

    def go_on(self, run, **variables):
        return self.program("train", "--resume", run.path, "--steps", STEPS, "--quiet", env=environment(**variables))

    def problem_after(self, run, result, is_whole=True):
        """What is wrong with how a call ended and what it left in `run`, or None. is_whole: rows that could not be written may not
        be missing either."""
        if result.status == -signal.SIGKILL:
            pass
        elif result.status not in (0, 1, 2):
            return "it does not end in order"
        elif result.status and not result.errors:
            return "it does not tell why"
        elif any(not line.startswith("weightscape") for line in result.errors):
            return "it tells what is not for people"
        elif result.status == 0 and everything(run) != self.expected:
            return "it says that all is well"
        again = self.go_on(run) if (run.path / "run.json").exists() else self.begin(run)
        if again.status:
            return f"it cannot go on: {again}"
        left = [str(path) for path in run.path.rglob("*") if path.suffix in (".tmp", ".part", ".aside")]
        if left:
            return f"{left} is left"
        now = everything(run)
        wrong = [name for name in self.expected if now[name] != self.expected[name]]
        if not is_whole and result.status == 1:
            wrong = [name for name in wrong if name == "checkpoint"]
        return f"it goes on to other {wrong}" if wrong else None


def sample(numbers, count, variable):
    """A seeded sample; all of them if the environment says so."""
    numbers = list(numbers)
    if os.environ.get(variable) == "all" or len(numbers) <= count:
        return numbers
    return sorted(random.Random(7).sample(numbers, count))


def copy_of(run, name):
    copy = Run(run.path.parent / name)
    # The socket of a training that was killed cannot be copied.
    shutil.copytree(run.path, copy.path, ignore=shutil.ignore_patterns("control"))
    return copy


def remove(run):
    shutil.rmtree(run.path, ignore_errors=True)
