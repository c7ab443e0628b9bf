# SPDX-License-Identifier: BSD-3-Clause
"""A script for which there is no memory: another process draws the step. What can never be drawn is told, and left out."""

import signal

from conftest import Run, picture_steps, small_training, wait_for

FAILS = "raise MemoryError('an array of 1 TiB')"


def assert_same_training(trained, run):
    assert run.last.read_bytes() == trained("plain", "--steps", 30, "--insitu", "none").last.read_bytes()


def test_a_shortage_at_one_step_costs_no_picture(train, boxes, notes, tmp_path):
    """Two scripts, of which one has no memory once: each has all its pictures, each is counted once, and nothing has failed."""
    marker = str(tmp_path / "marker")
    first_time = f"""if not os.path.exists({marker!r}):
            open({marker!r}, 'w').close()
            {FAILS}"""
    script, seen = notes("short.py", when="info.timestep == 10", at_step=first_time)
    result = train("--run", "run", "--steps", 30, "--pipeline", boxes, "--pipeline", script)
    assert result.status == 0, result
    run = Run(tmp_path / "run")
    told = run.record()["insitu"]
    assert picture_steps(run) == [0, 10, 20, 30] and seen() == [0, 10, 10, 20, 30], result
    assert told["images_written"] == told["images_expected"] == 4 and told["restarts"] == 1
    assert told["script_failures"] == told["steps_given_up"] == told["steps_waiting"] == 0
    assert [line for line in result.errors if "step 10: script short.py has no memory: short.py:" in line and
            "it is started again" in line], result
    assert len(result.errors) <= 2, result


def test_a_step_that_never_has_memory_is_left_out(train, trained, notes, tmp_path):
    script, seen = notes("greedy.py", when="info.timestep == 10", at_step=FAILS)
    result = train("--run", "run", "--steps", 30, "--pipeline", script)
    assert result.status == 0, result
    run = Run(tmp_path / "run")
    assert seen() == [0, 10, 10, 10, 20, 30], result
    assert [line for line in result.errors if "step 10 is not drawn" in line and "greedy.py:" in line and
            "MemoryError: an array of 1 TiB" in line], result
    assert run.record()["insitu"]["steps_given_up"] == 1
    assert_same_training(trained, run)


def test_inline_it_is_a_failure_as_others(train, trained, notes, tmp_path):
    """The process is the training's."""
    script, seen = notes("greedy.py", when="info.timestep == 10", at_step=FAILS)
    result = train("--run", "run", "--steps", 30, "--pipeline", script, "--insitu", "inline")
    assert result.status == 0, result
    run = Run(tmp_path / "run")
    assert seen() == [0, 10, 20, 30]
    assert [line for line in result.errors if "failed at step 10: greedy.py:" in line and "MemoryError" in line], result
    assert run.record()["insitu"]["script_failures"] == 1
    assert_same_training(trained, run)


def test_watch_goes_on_and_keeps_what_it_cannot_draw(program, small_set, notes, tmp_path):
    marker, run = tmp_path / "marker", Run(tmp_path / "run")
    slow = "import time\n        time.sleep(0.3)\n        if info.timestep == 9 and not os.path.exists(" + repr(str(marker)) + "): " + FAILS
    script, seen = notes("short.py", every=1, at_step=slow)
    process = program.start("train", *small_training(small_set), "--run", "run", "--steps", 10, "--pipeline", script)
    wait_for(lambda: len(seen()) > 2 and run.record()["status"] == "complete", process, within=120)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    first = program("watch", "run")
    assert first.status == 1, first
    assert [line for line in first.errors if "step 9: script short.py has no memory: short.py:" in line], first
    assert seen()[-1] == 10
    marker.touch()
    program.good("watch", "run")
    assert seen()[-2:] == [9, 10]
    assert "nothing is left" in program.good("watch", "run").out


def test_no_memory_to_try_it(train, notes, tmp_path):
    """As where there is no display: training goes on, unless pictures are required."""
    script, _ = notes("greedy.py", at_import="raise MemoryError")
    result = train("--run", "run", "--steps", 10, "--pipeline", script)
    words = "script greedy.py has no memory to be imported: greedy.py:"
    assert result.status == 0 and [line for line in result.errors if words in line and "without pictures" in line], result
    result = train("--run", "strict", "--steps", 10, "--pipeline", script, "--insitu-required")
    assert result.status == 1 and len(result.errors) == 1 and words in result.errors[0], result
    assert not (tmp_path / "strict").exists()
