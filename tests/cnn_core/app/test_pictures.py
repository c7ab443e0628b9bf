# SPDX-License-Identifier: BSD-3-Clause
"""Training with scripts that watch: it is the same training, it survives them, and they see each step once."""

import os
import signal

import numpy as np
import pytest
from conftest import EVERY, Run, environment, hashes, pictures, small_training, snapshot, wait_for, without_xvfb
from make_files import read_safetensors
from processes import MARK, marked
from test_places import comma_locale  # noqa: F401 (a fixture)


@pytest.fixture
def mark(tmp_path):
    """Marks the processes of a test, so that those that are left can be told from others'."""
    return str(tmp_path)


def test_pictures_change_no_bit(trained, boxes):
    plain = trained("plain", "--steps", 25)
    drawn = trained("drawn", "--steps", 25, "--pipeline", boxes)
    assert drawn.last.read_bytes() == plain.last.read_bytes()
    assert drawn.numbers() == plain.numbers()
    assert len(pictures(drawn)) == 3 and not pictures(plain)
    told = drawn.record()["insitu"]
    assert told["pictures"] and told["images_written"] == told["images_expected"] == 3
    assert told["script_failures"] == 0


def test_every_step_is_shown_once(program, trained, notes):
    script, seen = notes()
    trained("run", "--steps", 30, "--pipeline", script)
    assert seen() == [0, 10, 20, 30]
    program.good("train", "--resume", "run", "--steps", 60)
    assert seen() == [0, 10, 20, 30, 40, 50, 60]


def test_no_pictures_when_told_so(trained, notes):
    script, seen = notes()
    run = trained("run", "--steps", 12, "--pipeline", script, "--insitu", "none")
    assert seen() == [] and not run.record()["insitu"]["pictures"]


def test_pictures_of_a_killed_run(program, trained, small_set, boxes, tmp_path):
    """Resumed, it has the pictures of a run that never stopped, and has not touched those it had."""
    options = [*small_training(small_set), "--checkpoint-every", 30, "--pipeline", boxes]
    program.good("train", *options, "--steps", 60, "--run", "whole")
    process = program.start("train", *options, "--steps", 10**9, "--run", "run")
    run, whole = Run(tmp_path / "run"), Run(tmp_path / "whole")
    wait_for(run.last.exists, process, within=60)
    process.kill()
    process.communicate()
    step = run.last_step()
    before = {name: value for name, value in hashes(run).items() if int(name[-10:-4]) <= step}
    end = max(step, run.steps()[-1]) + 30
    program.good("train", "--resume", "run", "--steps", end)
    after = hashes(run)
    assert before.items() <= after.items()
    assert [int(name[-10:-4]) for name in after] == list(range(0, end + 1, EVERY))
    assert hashes(whole).items() <= after.items()
    assert run.steps() == list(range(1, end + 1))


@pytest.mark.parametrize("trouble, words", [
    (dict(at_import="def broken(:"), ["trouble.py", "SyntaxError"]),
    (dict(at_import="raise ValueError('mine')"), ["trouble.py", "mine"]),
    (dict(at_import="import sys; sys.exit(0)"), ["trouble.py"]),
    (dict(channel="nosuch"), ["nosuch", "weights_conv1"]),
], ids=["syntax error", "raises", "exits", "unknown channel"])
def test_a_script_that_cannot_start(train, notes, tmp_path, trouble, words):
    script, _ = notes("trouble.py", **trouble)
    result = train("--run", "run", "--steps", 12, "--pipeline", script)
    assert result.status == 2 and len(result.errors) == 1, result
    for word in words:
        assert word in result.errors[0], result
    assert not (tmp_path / "run").exists()


def test_a_script_that_is_missing(train, tmp_path):
    result = train("--run", "run", "--steps", 12, "--pipeline", "nosuch.py")
    assert result.status == 2 and len(result.errors) == 1 and "nosuch.py" in result.errors[0], result
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("at_step", ["raise RuntimeError('at seven')", "import sys; sys.exit(3)"])
@pytest.mark.parametrize("strict", [False, True])
def test_a_script_that_fails_later(train, trained, notes, tmp_path, at_step, strict):
    """At every tenth step from 0 on: told once, counted, and the training is the same."""
    script, seen = notes("trouble.py", at_step=at_step)
    options = ["--strict"] if strict else []
    result = train("--run", "run", "--steps", 30, "--pipeline", script, *options)
    run = Run(tmp_path / "run")
    assert result.status == (1 if strict else 0)
    assert len([line for line in result.errors if "trouble.py:15" in line]) == 1, result
    assert len(result.errors) < 5
    assert seen() == [0, 10, 20, 30]
    assert run.record()["insitu"]["script_failures"] == 4
    assert "failed 4 times" in result.out
    assert run.last.read_bytes() == trained("plain", "--steps", 30).last.read_bytes()


def test_a_script_that_throws_at_step_seven(train, notes, tmp_path):
    script, seen = notes("trouble.py", every=1, when="info.timestep == 7", at_step="raise RuntimeError('at seven')")
    result = train("--run", "run", "--steps", 12, "--pipeline", script)
    assert result.status == 0
    assert len([line for line in result.errors if "at seven" in line and "trouble.py:15" in line]) == 1, result
    assert len(result.errors) < 3
    assert seen() == list(range(13))
    assert Run(tmp_path / "run").record()["insitu"]["script_failures"] == 1


@pytest.mark.parametrize("display", [None, ":77"])
@pytest.mark.parametrize("transport", ["inline", "sidecar"])
def test_no_display(trained, boxes, display, transport, mark):
    """It starts one of its own, and takes it away again."""
    run = trained("run", "--steps", 10, "--pipeline", boxes, "--insitu", transport,
                  env=environment(DISPLAY=display, **{MARK: mark}))
    assert len(pictures(run)) == 2
    wait_for(lambda: not marked(mark), within=5)


def test_no_display_and_no_way_to_get_one(train, trained, boxes, tmp_path):
    result = train("--run", "run", "--steps", 20, "--pipeline", boxes, env=without_xvfb(tmp_path))
    run = Run(tmp_path / "run")
    assert result.status == 0
    assert len([line for line in result.errors if "xvfb" in line]) == 1 and len(result.errors) < 3, result
    assert "pictures: 0 of" in result.out
    assert run.last.read_bytes() == trained("plain", "--steps", 20).last.read_bytes()


@pytest.mark.parametrize("option, status", [("--insitu-required", 2), ("--strict", 1)])
def test_pictures_that_are_required(train, boxes, tmp_path, option, status):
    result = train("--run", "run", "--steps", 20, "--pipeline", boxes, option, env=without_xvfb(tmp_path))
    assert result.status == status
    assert len([line for line in result.errors if "xvfb" in line]) == 1 and len(result.errors) < 3, result
    assert (tmp_path / "run").exists() == (status == 1)


def test_pictures_before_a_blow_up(train, trained, boxes, tmp_path):
    """They are those of a run that was stopped before it."""
    # Weight decay makes each step multiply the weights by -9.
    options = ("--optimizer", "sgd", "--net", "conv 4 3x3, relu, linear 10", "--pipeline", boxes, "--lr", "0.1",
               "--weight-decay", "100")
    result = train("--run", "run", "--steps", 40, "--on-nan", "continue", "--warnings", "off", *options)
    assert result.status == 0 and len(result.errors) == 1, result
    rows = Run(tmp_path / "run").rows()
    bad = next(int(row["step"]) for row in rows if "nan" in row.values() or "inf" in row.values())
    assert bad > EVERY, "the blow-up came too early to tell anything"
    stopped = trained("stopped", "--steps", bad - 1, *options)
    assert hashes(stopped) and hashes(stopped).items() <= hashes(Run(tmp_path / "run")).items()


def test_a_script_that_sets_the_locale(trained, notes, comma_locale):  # noqa: F811
    script, seen = notes(at_import="import locale; locale.setlocale(locale.LC_ALL, '')")
    plain = trained("plain", "--steps", 15)
    german = trained("german", "--steps", 15, "--pipeline", script, env=comma_locale)
    assert seen() == [0, 10]
    assert german.numbers() == plain.numbers()
    assert german.last.read_bytes() == plain.last.read_bytes()
    assert isinstance(german.record()["seconds"], float)


def test_a_script_in_an_awkward_place(trained, notes, small_set):
    script, seen = notes("tëst it's, here/my script.py")
    trained("o ut Ω", "--steps", 10, "--pipeline", script)
    assert seen() == [0, 10]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_ends_it_with_a_checkpoint(program, small_set, boxes, tmp_path, mark, number):
    """What a terminal does: the signal reaches the training, its scripts' Python and its display."""
    run = Run(tmp_path / "run")
    process = program.start("train", *small_training(small_set), "--steps", 10**9, "--run", "run", "--pipeline", boxes,
                            "--checkpoint-every", 10**9, "--overhead", "100%",
                            env=environment(DISPLAY=None, **{MARK: mark}), start_new_session=True)
    wait_for(lambda: len(pictures(run)) > 2, process, within=60)
    os.killpg(process.pid, number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number, errors
    assert len(errors.splitlines()) == 1 and "--resume" in errors, errors
    assert run.record()["status"] == "interrupted"
    assert run.steps() == list(range(1, run.last_step() + 1))
    wait_for(lambda: not marked(mark), within=5)


def test_killed_it_leaves_no_process(program, small_set, boxes, tmp_path, mark):
    run = Run(tmp_path / "run")
    process = program.start("train", *small_training(small_set), "--steps", 10**9, "--run", "run", "--pipeline", boxes,
                            "--insitu", "inline", env=environment(DISPLAY=None, **{MARK: mark}))
    wait_for(lambda: len(pictures(run)) > 1, process, within=60)
    assert len(marked(mark)) > 1, "no Xvfb was started"
    process.kill()
    process.communicate()
    wait_for(lambda: not marked(mark), within=10)


def read_image(path):
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOXML import vtkXMLImageDataReader
    reader = vtkXMLImageDataReader()
    reader.SetFileName(str(path))
    reader.Update()
    data = reader.GetOutput().GetCellData()
    return {data.GetArrayName(i): vtk_to_numpy(data.GetArray(i)) for i in range(data.GetNumberOfArrays())}


@pytest.mark.parametrize("step", [0, 20])
def test_export(program, trained, step):
    """The files hold the checkpoint's weights, and the rows up to its step."""
    run = trained("run", "--steps", 30, "--checkpoint-every", 10, "--keep-checkpoints", 0)
    program.good("export", "run", "--step", step, "-o", "out")
    cells = read_image(program.folder / "out/weights_conv1.vti")
    inside = cells["filter"] >= 0
    tensors, _ = read_safetensors(run.checkpoints / f"step_{max(step, 10):08}.safetensors")
    assert inside.sum() == tensors["conv1.weight"].size
    if step:
        assert np.array_equal(np.sort(cells["weight"][inside]), np.sort(tensors["conv1.weight"].ravel()))
        assert np.array_equal(np.sort(cells["gradient"][inside]), np.sort(tensors["gradient.conv1.weight"].ravel()))
    else:
        assert np.all(cells["delta"][inside] == 0)
    norms = np.genfromtxt(program.folder / "out/norms.csv", delimiter=",", names=True)
    assert np.atleast_1d(norms["step"]).tolist() == list(range(1, step + 1))
    rows = run.rows()[:step]
    assert np.atleast_1d(norms["loss"]).tolist() == [float(row["loss"]) for row in rows]


def test_export_of_the_newest_step(program, trained):
    """Without options it goes into the run's own folder."""
    run = trained("run", "--steps", 20, "--checkpoint-every", 10)
    out = program.good("export", "run").out
    assert out.startswith("step 20 ")
    assert (run.path / "export/step_00000020/weights_conv1.vti").exists()


def test_export_without_that_step(program, trained):
    trained("run", "--steps", 20, "--checkpoint-every", 10)
    result = program("export", "run", "--step", 15)
    assert result.status == 2 and len(result.errors) == 1 and "0, 10, 20" in result.errors[0], result


@pytest.mark.parametrize("lost", [[20], [10, 20]])
def test_a_bad_script_on_a_resume_changes_nothing(program, trained, notes, lost):
    """It is found before rows that the resume would cut are cut, or all of them forgotten."""
    run = trained("run", "--steps", 20, "--checkpoint-every", 10, "--record", 5)
    run.last.unlink()
    for step in lost:
        (run.checkpoints / f"step_{step:08}.safetensors").unlink()
    before = snapshot(run.path)
    script, _ = notes(at_import="raise ValueError('not today')")
    result = program("train", "--resume", "run", "--steps", 30, "--pipeline", script)
    assert result.status == 2
    assert "not today" in "\n".join(result.errors)
    assert snapshot(run.path) == before
