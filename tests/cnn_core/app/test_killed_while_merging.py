# SPDX-License-Identifier: BSD-3-Clause
"""A training that is killed in the midst of a merge, or of an undo, goes on with what was before it or with what is after."""

import json
import os
import pathlib
import shutil
import signal

import pytest
from conftest import Run, environment, wait_for
from control import Client, ask, turn
from test_merging import KEEP, is_resting, options, resting  # noqa: F401 (a fixture)

DIES = pathlib.Path(os.environ["WEIGHTSCAPE_BUILD"]) / "tests" / "libdies_at.so"
END = 40
MOST_CALLS = 60


class Scene:
    """A run that was saved where it rests, from which many begin."""

    def __init__(self, program, run, process, rest):
        self.program, self.run, self.rest = program, run, rest
        # It rests again one step after the one at which it was killed.
        turn(run.path, pause_at=rest)
        ask(run.path, "checkpoint")
        process.kill()
        process.communicate()
        (run.path / "control").unlink()

    def killed_at(self, number, command, **keys):
        """(run, whether it was killed): a copy that gets a command, and dies of the call of that number."""
        run = Run(self.program.folder / f"died-{number}")
        shutil.copytree(self.run.path, run.path)
        armed = run.path.with_suffix(".armed")
        process = self.program.start("train", "--resume", run.path, "--steps", 10**6, env=environment(
            LD_PRELOAD=str(DIES), DIES_FROM=str(armed), DIES_AT=str(number), ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=0"))
        wait_for((run.path / "control").exists, process)
        wait_for(lambda: is_resting(run, self.rest), process)
        armed.touch()
        is_whole = self.is_answered(run, command, **keys)
        armed.unlink()
        if is_whole:
            process.kill()
        process.communicate(timeout=30)
        assert process.returncode == -signal.SIGKILL, "nothing else ends it"
        return run, not is_whole

    @staticmethod
    def is_answered(run, command, **keys):
        """Whether the training has answered, and done what comes after the answer."""
        with Client(run.path) as client:
            try:
                return bool(client.ask(command, **keys) and client.ask("status"))
            except OSError:
                return False

    def end_of(self, run):
        """Weights and rows of the run when it has gone on to the end, without a rest."""
        log = run.path / "steering.jsonl"
        log.write_text("".join(line for line in log.read_text().splitlines(keepends=True) if '"pause_at"' not in line))
        self.program.good("train", "--resume", run.path, "--steps", END)
        return run.last.read_bytes(), json.dumps(run.numbers())

    def check(self, command, **keys):
        plain = Run(self.program.folder / "plain")
        shutil.copytree(self.run.path, plain.path)
        before, ends = self.end_of(plain), []
        for number in range(1, MOST_CALLS):
            run, has_died = self.killed_at(number, command, **keys)
            ends.append(self.end_of(run))
            assert not list(run.path.rglob("*.tmp")), number
            if not has_died:
                break
        else:
            pytest.fail("it always died")
        after = ends[-1]
        assert after != before
        assert [number for number, end in enumerate(ends, 1) if end not in (before, after)] == []
        assert before in ends, "some were killed before it counted"
        assert ends.count(after) > 1, "and some after"
        return len(ends)


def test_a_merge(program, resting):
    run, process = resting("run", 20)
    assert Scene(program, run, process, 21).check("merge", spec=KEEP) > 4


def test_an_undo(program, resting):
    run, process = resting("run", 20)
    ask(run.path, "merge", spec=KEEP)
    ask(run.path, "step", count=5)
    wait_for(lambda: is_resting(run, 25), process)
    assert Scene(program, run, process, 26).check("undo_merge") > 10
