# SPDX-License-Identifier: BSD-3-Clause
"""Pictures from a process beside the training: all of them, the same ones, whatever its scripts do."""

import signal
import time

import numpy as np
import pytest
from conftest import Run, picture_steps, pictures, start_training, wait_for, without_xvfb
from PIL import Image
from processes import descendants, is_alive


def pixels(run, folder="images"):
    """{name: values} of all pictures below a folder of the run."""
    return {path.name: np.asarray(Image.open(path).convert("RGBA")) for path in pictures(run, folder)}


def assert_same_pixels(one, other):
    assert one and one.keys() == other.keys()
    for name, values in one.items():
        assert np.array_equal(values, other[name]), name


def test_the_same_training_and_pictures_as_without_and_inline(trained, boxes):
    runs = {name: trained(name, "--steps", 40, "--pipeline", boxes, "--insitu", name)
            for name in ("none", "inline", "sidecar")}
    for run in runs.values():
        assert run.last.read_bytes() == runs["none"].last.read_bytes()
        assert run.numbers() == runs["none"].numbers()
    assert not pictures(runs["none"])
    assert picture_steps(runs["sidecar"]) == [0, 10, 20, 30, 40]
    assert_same_pixels(pixels(runs["inline"]), pixels(runs["sidecar"]))
    told = runs["sidecar"].record()["insitu"]
    assert told["transport"] == "sidecar" and told["pictures"]
    assert told["images_written"] == told["images_expected"] == 5
    assert told["steps_waiting"] == told["steps_given_up"] == told["restarts"] == told["script_failures"] == 0


def test_it_is_the_default(trained, boxes):
    run = trained("run", "--steps", 10, "--pipeline", boxes)
    assert run.record()["insitu"]["transport"] == run.record()["options"]["insitu"] == "sidecar"
    assert picture_steps(run) == [0, 10]


def imports(tmp_path, name):
    """A line of a script that writes down the process which imports it, and the function that reads them."""
    path = tmp_path / name
    return (f"open({str(path)!r}, 'a').write(f'{{os.getpid()}}\\n')",
            lambda: [int(line) for line in path.read_text().split()] if path.exists() else [])


def test_it_starts_while_the_scripts_are_tried(trained, notes, tmp_path):
    """Each script is imported where it is tried, and where it runs: a process that starts before it is known to do."""
    lines, scripts = [imports(tmp_path, f"imports{i}") for i in range(2)], []
    for i, (line, _) in enumerate(lines):
        scripts += ["--pipeline", notes(f"notes{i}.py", at_import=line,
                                        at_step=f"open({str(tmp_path / 'drawn')!r}, 'a').write(f'{{os.getpid()}}\\n')")[0]]
    trained("run", "--steps", 5, *scripts)
    first, second = (set(read()) for _, read in lines)
    assert len(first) == len(second) == 2
    assert {int(line) for line in (tmp_path / "drawn").read_text().split()} == first & second


def test_nothing_is_left_of_it_when_a_script_is_bad(train, notes, tmp_path):
    line, read = imports(tmp_path, "imports")
    good, _ = notes("good.py", at_import=line)
    bad, _ = notes("bad.py", at_import="import time; time.sleep(1); raise ValueError('no such figure')")
    ended = train("--run", "run", "--steps", 5, "--pipeline", good, "--pipeline", bad)
    assert ended.status == 2
    assert len(ended.errors) == 1 and "bad.py" in ended.errors[0] and "no such figure" in ended.errors[0]
    assert not (tmp_path / "run").exists()
    wait_for(lambda: not any(map(is_alive, read())), within=10)


def test_a_signal_in_the_final_wait(program, small_set, notes, tmp_path):
    """What is left is told, counted, and drawn later."""
    run = Run(tmp_path / "run")
    script, seen = notes(every=1, at_step="import time; time.sleep(0.2)")
    process = start_training(program, small_set, "--steps", 40, "--pipeline", script)
    wait_for(lambda: len(seen()) > 2 and run.record()["status"] == "complete", process, within=120)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 128 + signal.SIGINT
    assert [line for line in errors.splitlines() if "weightscape watch run draws them" in line], errors
    assert run.record()["status"] == "complete" and run.last_step() == 40
    waiting = run.record()["insitu"]["steps_waiting"]
    assert 0 < waiting < 41
    assert f"{waiting} steps" in errors
    assert "to be drawn" in program.good("info", "run").out
    before = len(seen())
    program.good("watch", "run")
    assert set(seen()) == set(range(41)) and len(seen()) - before >= waiting
    assert "to be drawn" not in program.good("info", "run").out
    assert "nothing is left" in program.good("watch", "run").out


def test_every_step_is_drawn_however_slow(trained, notes):
    script, seen = notes(every=1, at_step="import time; time.sleep(0.05)")
    run = trained("run", "--steps", 60, "--pipeline", script)
    assert seen() == list(range(61))
    assert run.record()["insitu"]["dump_seconds"] < 1
    assert float(run.rows()[-1]["time_s"]) < 2


def test_lockstep(trained, notes):
    """The training is as slow as the pictures, and the wait is counted."""
    script, seen = notes(every=1, at_step="import time; time.sleep(0.05)")
    run = trained("run", "--steps", 30, "--pipeline", script, "--lag", "wait")
    assert seen() == list(range(31))
    told = run.record()["insitu"]
    assert told["dump_seconds"] > 30 * 0.05
    assert told["frames_spilled"] == told["steps_waiting"] == 0
    assert float(run.rows()[-1]["time_s"]) > 30 * 0.05


@pytest.mark.parametrize("display", [None, ":77"])
def test_no_display(train, trained, boxes, tmp_path, display):
    """Neither a display nor Xvfb: told once, and the training is the same."""
    result = train("--run", "run", "--steps", 20, "--pipeline", boxes,
                   env={**without_xvfb(tmp_path), **environment_of(display)})
    run = Run(tmp_path / "run")
    assert result.status == 0, result
    assert len([line for line in result.errors if "xvfb" in line]) == 1 and len(result.errors) < 4, result
    assert "pictures: 0 of" in result.out
    plain = trained("plain", "--steps", 20, "--insitu", "none")
    assert run.last.read_bytes() == plain.last.read_bytes() and run.numbers() == plain.numbers()


def environment_of(display):
    return {} if display is None else {"DISPLAY": display}


@pytest.mark.parametrize("transport", ["inline", "sidecar"])
@pytest.mark.parametrize("trouble, failures", [
    (dict(every=1, when="info.timestep == 3", at_step="raise RuntimeError('at three')"), 1),
    (dict(every=1, when="info.timestep == 3", at_step="import sys; sys.exit(0)"), 1),
    (dict(every=10, at_step="raise RuntimeError('at all')"), 4),
], ids=["raises once", "exits once", "raises always"])
def test_a_script_that_fails(train, trained, notes, tmp_path, transport, trouble, failures):
    script, seen = notes("trouble.py", **trouble)
    result = train("--run", "run", "--steps", 30, "--pipeline", script, "--insitu", transport)
    assert result.status == 0, result
    assert len([line for line in result.errors if "trouble.py:15" in line]) == 1 and len(result.errors) < 5, result
    assert seen() == list(range(0, 31, trouble["every"]))
    assert Run(tmp_path / "run").record()["insitu"]["script_failures"] == failures
    assert f"failed {failures} times" in result.out
    assert Run(tmp_path / "run").last.read_bytes() == \
        trained("plain", "--steps", 30, "--insitu", "none").last.read_bytes()


def test_a_script_without_end(program, trained, small_set, notes, tmp_path):
    """It holds up its pictures, not the training, nor the end of the training."""
    run = Run(tmp_path / "run")
    script, seen = notes(every=1, when="info.timestep == 3", at_step="while True: pass")
    process = start_training(program, small_set, "--steps", 30, "--pipeline", script)
    wait_for(lambda: 3 in seen() and run.record()["status"] == "complete", process, within=120)
    below = descendants(process.pid)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == 128 + signal.SIGTERM
    wait_for(lambda: not any(map(is_alive, below)), within=5)
    assert run.last.read_bytes() == trained("plain", "--steps", 30, "--insitu", "none").last.read_bytes()


def test_strict_counts_what_is_left(program, small_set, notes, tmp_path):
    run = Run(tmp_path / "run")
    script, seen = notes(every=1, at_step="import time; time.sleep(0.2)")
    process = start_training(program, small_set, "--steps", 40, "--pipeline", script, "--strict")
    wait_for(lambda: len(seen()) > 2 and run.record()["status"] == "complete", process, within=120)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 1
    program.good("train", "--resume", "run", "--no-strict")
    assert run.record()["options"]["strict"] is False
    assert set(seen()) == set(range(41))


def test_a_slow_wait_tells_how_far_it_is(train, notes):
    """Every ten seconds, where nobody looks on a terminal."""
    script, seen = notes(every=1, at_step="import time; time.sleep(0.3)")
    began = time.monotonic()
    result = train("--run", "run", "--steps", 45, "--pipeline", script)
    told = [line for line in result.out.splitlines() if "steps drawn" in line]
    assert 1 <= len(told) <= (time.monotonic() - began) / 10 and all(" steps drawn, left " in line for line in told), result
    assert seen() == list(range(46))


def test_a_run_that_starts_again_forgets_what_was_left(program, small_set, notes, tmp_path):
    run = Run(tmp_path / "run")
    script, seen = notes(every=1, at_step="import time; time.sleep(0.2)")
    process = start_training(program, small_set, "--steps", 40, "--pipeline", script, "--record", "wanted")
    wait_for(lambda: len(seen()) > 2 and run.record()["status"] == "complete", process, within=120)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    for path in run.checkpoints.iterdir():
        path.unlink()
    drawn = len(seen())
    result = program.good("train", "--resume", "run", "--steps", 4)
    assert any("starts again" in line for line in result.errors), result
    assert seen()[drawn:] == list(range(5))
    assert "5 frames" in program.good("info", "run").out
