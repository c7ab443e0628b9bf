# SPDX-License-Identifier: BSD-3-Clause
"""watch: a run that has ended, and what cannot be watched."""

import pytest
from conftest import EVERY, Run, boxes_every, picture_steps, snapshot


def test_a_finished_run_with_a_recording(program, trained, notes):
    """All that is recorded, and nothing of the run changes."""
    script, seen = notes()
    run = trained("run", "--steps", 40, "--record", 5)
    before = snapshot(run.path)
    program.good("watch", "run", "--pipeline", script, "-o", "out")
    assert seen() == [0, 10, 20, 30, 40]
    assert snapshot(run.path) == before


@pytest.mark.parametrize("latest", [[], ["--latest"]])
def test_a_finished_run_without_a_recording(program, trained, source, latest):
    """Its last state, although that is no step of the script's, and it says so."""
    run = trained("run", "--steps", 23)
    before = snapshot(run.path)
    result = program.good("watch", "run", "--pipeline", boxes_every(source, EVERY), "-o", "out", *latest)
    assert len(result.errors) == 1 and "step 23" in result.errors[0] and "no recording" in result.errors[0], result
    assert picture_steps(Run(program.folder / "out"), ".") == [23]
    assert "1 of 1 images" in result.out
    assert snapshot(run.path) == before


def test_the_default_folder(program, trained, source):
    run = trained("run", "--steps", 10)
    program.good("watch", "run", "--pipeline", boxes_every(source, EVERY))
    assert picture_steps(run, "watch/weights") == [10]


@pytest.mark.parametrize("call, words", [
    (["nosuch", "--pipeline", "x.py"], ["nosuch"]),
    (["run", "--pipeline", "nosuch.py"], ["nosuch.py"]),
    (["run", "--pipeline", "broken.py"], ["broken.py", "SyntaxError"]),
    (["run"], ["run", "--pipeline"]),
    (["run", "--latest"], ["run", "--pipeline"]),
])
def test_what_cannot_be_watched(program, trained, tmp_path, call, words):
    run = trained("run", "--steps", 10, "--record", 5)
    (tmp_path / "broken.py").write_text("# script-version: 2.0\ndef broken(:\n")
    before = snapshot(run.path)
    result = program("watch", *call)
    assert result.status == 2 and len(result.errors) == 1, result
    for word in words:
        assert word in result.errors[0], result
    assert snapshot(run.path) == before


def test_a_script_that_fails(program, trained, notes):
    trained("run", "--steps", 20, "--record", 10)
    script, seen = notes("trouble.py", at_step="raise RuntimeError('today')")
    result = program("watch", "run", "--pipeline", script, "-o", "out")
    assert result.status == 1, result
    assert len([line for line in result.errors if "trouble.py:15" in line]) == 1, result
    assert seen() == [0, 10, 20]
