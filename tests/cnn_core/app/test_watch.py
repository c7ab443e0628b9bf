# SPDX-License-Identifier: BSD-3-Clause
"""watch: looking at a run from outside, which never notices."""

import signal

import pytest
from conftest import EVERY, Run, boxes_every, picture_steps, pictures, small_training, snapshot, wait_for

SELDOM = 5000


def start(program, small_set, *options):
    return program.start("train", *small_training(small_set), "--steps", 10**9, "--threads", 1, "--checkpoint-every", 500, "--quiet",
                         "--run", "run", *options)


def end(process, run, number=signal.SIGINT):
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number, errors
    return run.last_step()


def assert_undisturbed(trained, run, step):
    plain = trained("plain", "--steps", step, "--insitu", "none", "--checkpoint-every", step, "--threads", 1,
                    "--quiet", within=180)
    assert run.last.read_bytes() == plain.last.read_bytes()
    assert run.numbers() == plain.numbers()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_attach_and_detach(program, trained, small_set, notes, tmp_path, number):
    run = Run(tmp_path / "run")
    own, own_seen = notes("own.py", every=SELDOM)
    other, other_seen = notes("other.py", every=SELDOM // 2, channel="norms")
    training = start(program, small_set, "--pipeline", own)
    wait_for(lambda: own_seen(), training, within=120)
    watch = program.start("watch", "run", "--pipeline", other)
    wait_for(lambda: len(other_seen()) >= 3, watch, within=120)
    watch.send_signal(number)
    _, errors = watch.communicate(timeout=30)
    assert watch.returncode == 128 + number and not errors, errors
    assert training.poll() is None
    step = end(training, run)
    assert_undisturbed(trained, run, step)
    drawn = other_seen()
    assert drawn == list(range(drawn[0], drawn[-1] + 1, SELDOM // 2)) and drawn[0] > 0


def test_a_run_without_scripts_can_be_watched(program, trained, small_set, notes, tmp_path):
    """Until it ends, and so does the watch."""
    run = Run(tmp_path / "run")
    script, seen = notes(every=SELDOM)
    training = start(program, small_set)
    wait_for(run.last.exists, training)
    watch = program.start("watch", "run", "--pipeline", script)
    wait_for(lambda: len(seen()) >= 2, watch, within=120)
    step = end(training, run)
    _, errors = watch.communicate(timeout=60)
    assert watch.returncode == 0, errors
    assert_undisturbed(trained, run, step)


def test_nobody_attaches_where_nobody_may(program, small_set, notes, tmp_path):
    run = Run(tmp_path / "run")
    script, _ = notes()
    training = start(program, small_set, "--insitu", "none")
    wait_for(run.last.exists, training)
    result = program("watch", "run", "--pipeline", script)
    assert result.status == 2 and len(result.errors) == 1, result
    end(training, run)
    assert not (run.path / "watch").exists()


def test_two_at_once(program, trained, small_set, source, tmp_path):
    """They draw into folders of their own, and one that is named cannot be shared."""
    run = Run(tmp_path / "run")
    training = start(program, small_set)
    wait_for(run.last.exists, training)
    script = boxes_every(source, SELDOM)
    first = program.start("watch", "run", "--pipeline", script)
    wait_for(lambda: pictures(run, "watch/weights"), first, within=120)
    second = program.start("watch", "run", "--pipeline", script)
    wait_for(lambda: pictures(run, "watch/weights-2"), second, within=120)
    named = program("watch", "run", "--pipeline", script, "-o", run.path / "watch/weights")
    assert named.status == 2 and len(named.errors) == 1 and "another process" in named.errors[0], named
    step = end(training, run)
    for watch in (first, second):
        _, errors = watch.communicate(timeout=60)
        assert watch.returncode == 0, errors
    assert_undisturbed(trained, run, step)
    for folder in ("watch/weights", "watch/weights-2"):
        steps = picture_steps(run, folder)
        assert steps == list(range(steps[0], steps[-1] + 1, SELDOM))


def test_the_latest_state(program, trained, small_set, source, tmp_path):
    """At whatever step: the script itself would draw nothing in this time."""
    run = Run(tmp_path / "run")
    training = start(program, small_set)
    wait_for(run.last.exists, training)
    watch = program.start("watch", "run", "--latest", "--pipeline", boxes_every(source, 100_000_000), "-o", "out")
    out = Run(tmp_path / "out")
    wait_for(lambda: len(pictures(out, ".")) >= 3, watch, within=120)
    step = end(training, run)
    _, errors = watch.communicate(timeout=60)
    assert watch.returncode == 0, errors
    steps = picture_steps(out, ".")
    assert len(set(steps)) == len(steps) >= 3 and steps[-1] <= step
    assert_undisturbed(trained, run, step)


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
