# SPDX-License-Identifier: BSD-3-Clause
"""watch: looking at a training from outside, which never notices."""

import signal

import pytest
from conftest import Run, boxes_every, picture_steps, pictures, wait_for
from endless import assert_undisturbed, end, start

SELDOM = 5000


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
