# SPDX-License-Identifier: BSD-3-Clause
"""Recordings: what was promised is in them, they are drawn as the run was, and they survive what happens to files."""

import json

import numpy as np
import pytest
from conftest import EVERY, Run, picture_steps, pictures, snapshot
from PIL import Image

RECORDING = "recording.wsrec"


def listed(program, path):
    return json.loads(program.good("replay", path, "--list", "--json").out)


def test_each_nth_step_from_first_to_last(program, trained):
    run = trained("run", "--steps", 60, "--record", 5)
    facts = listed(program, "run")
    assert facts["steps"] == list(range(0, 61, 5))
    assert (facts["frames"], facts["first_step"], facts["last_step"]) == (13, 0, 60)
    assert facts["bytes"] == (run.path / RECORDING).stat().st_size
    assert facts["raw_bytes"] > 13 * 4 * 4 * 3 * 3  # weights of 4 filters of 3 x 3, and gradients
    assert listed(program, run.path / RECORDING) == facts
    out = program.good("replay", "run", "--list").out
    assert "13, steps 0 to 60" in out and "per frame" in out
    assert [line.split()[0] for line in out.splitlines()[-13:]] == [str(step) for step in facts["steps"]]
    told = run.record()["insitu"]
    assert told["frames_recorded"] == 13 and told["recording_bytes"] == facts["bytes"]


def test_info(program, trained):
    run = trained("run", "--steps", 20, "--record", 5)
    told = json.loads(program.good("info", "--json", run.path / RECORDING).out)
    assert told["kind"] == "recording" and told["steps"] == [0, 5, 10, 15, 20]
    assert "steps 0 to 20" in program.good("info", run.path / RECORDING).out
    of_run = json.loads(program.good("info", "--json", "run").out)
    assert of_run["recording"]["frames"] == 5 and of_run["recording"]["bytes"] == told["bytes"]
    assert of_run["steps_waiting"] == 0
    assert "5 frames" in program.good("info", "run").out


def test_the_summary_tells_it(train):
    out = train("--run", "run", "--steps", 20, "--record", 5).out
    assert "recording: 5 frames" in out and f"run/{RECORDING}" in out and "in situ: " in out


@pytest.mark.parametrize("transport", ["inline", "sidecar", "record"])
def test_what_scripts_wait_for(program, trained, notes, transport):
    script, seen = notes()
    run = trained("run", "--steps", 25, "--pipeline", script, "--record", "wanted", "--insitu", transport)
    assert listed(program, "run")["steps"] == [0, 10, 20, 25]
    assert seen() == ([] if transport == "record" else [0, 10, 20])
    assert not pictures(run)


def test_recording_instead_of_drawing(program, trained, boxes):
    """--insitu record needs no --record, and the pictures come out as if they had been drawn in the run."""
    drawn = trained("drawn", "--steps", 30, "--pipeline", boxes, "--insitu", "inline")
    run = trained("run", "--steps", 30, "--pipeline", boxes, "--insitu", "record")
    assert not pictures(run)
    assert run.last.read_bytes() == drawn.last.read_bytes() and run.numbers() == drawn.numbers()
    result = program.good("replay", "run", "--pipeline", boxes)
    assert "4 of 4 images" in result.out
    assert picture_steps(run, "replay") == [0, 10, 20, 30]
    for one, other in zip(pictures(drawn), pictures(run, "replay")):
        assert one.name == other.name
        assert np.array_equal(np.asarray(Image.open(one)), np.asarray(Image.open(other))), one


def test_a_part_of_it_with_another_script(program, trained, notes):
    trained("run", "--steps", 60, "--record", 5)
    script, seen = notes(channel="trajectory_conv1")
    program.good("replay", "run", "--pipeline", script, "--first", 15, "--last", 45, "-o", "out")
    assert seen() == [20, 30, 40]
    program.good("replay", "run", "--pipeline", script, "--first", 45, "-o", "out")
    assert seen() == [20, 30, 40, 50, 60]
    program.good("replay", "run", "--pipeline", script, "--last", 9, "-o", "out")
    assert seen() == [20, 30, 40, 50, 60, 0]


@pytest.mark.parametrize("option", [["--first", 61], ["--first", 10**12]])
def test_a_part_that_is_empty(program, trained, notes, option):
    trained("run", "--steps", 60, "--record", 5)
    script, _ = notes()
    result = program("replay", "run", "--pipeline", script, *option)
    assert result.status == 2 and len(result.errors) == 1 and "0 to 60" in result.errors[0], result
    assert not (program.folder / "run/replay").exists()


def exported(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("step", [0, 10, 20])
def test_export_is_that_of_a_checkpoint(program, trained, step):
    trained("run", "--steps", 20, "--record", 10, "--checkpoint-every", 10, "--keep-checkpoints", 0)
    program.good("replay", "run", "--export", step, "-o", "recorded")
    program.good("export", "run", "--step", step, "-o", "saved")
    recorded, saved = exported(program.folder / "recorded"), exported(program.folder / "saved")
    assert recorded.keys() == saved.keys() and "weights_conv1.vti" in saved
    for name, content in saved.items():
        # No checkpoint holds the initial state, nor the numbers of it.
        assert recorded[name] == content or step == 0 and name.endswith(".vti"), name


def test_export_falls_back_on_the_recording(program, trained):
    run = trained("run", "--steps", 20, "--record", 5, "--checkpoint-every", 10)
    out = program.good("export", "run", "--step", 15).out
    assert "step 15" in out and "recorded" in out
    program.good("replay", "run", "--export", 15, "-o", "recorded")
    assert exported(run.path / "export/step_00000015") == exported(program.folder / "recorded")
    result = program("export", "run", "--step", 13)
    assert result.status == 2 and len(result.errors) == 1, result
    for words in ("13", "0, 10, 20", "5 recorded steps from 0 to 20"):
        assert words in result.errors[0], result


def test_a_step_that_is_not_recorded(program, trained):
    trained("run", "--steps", 20, "--record", 10)
    result = program("replay", "run", "--export", 13, "-o", "out")
    assert result.status == 2 and len(result.errors) == 1, result
    assert "13" in result.errors[0] and "10" in result.errors[0] and "20" in result.errors[0], result
    assert not (program.folder / "out").exists()


def test_a_resume_cuts_and_goes_on(program, trained):
    """Each step once, and those after the checkpoint from the second run."""
    run = trained("run", "--steps", 40, "--record", 5, "--checkpoint-every", 20, "--keep-checkpoints", 0)
    (run.checkpoints / "step_00000040.safetensors").unlink()
    run.last.unlink()
    program.good("train", "--resume", "run", "--steps", 60)
    assert listed(program, "run")["steps"] == list(range(0, 61, 5))
    program.good("train", "--resume", "run", "--steps", 80, "--record", "none")
    assert listed(program, "run")["last_step"] == 60
    assert run.record()["options"]["record"] == "none"


def test_a_recording_that_was_cut(program, trained, notes):
    """At any place: what is before it can be used."""
    script, seen = notes(every=5)
    run = trained("run", "--steps", 40, "--record", 5)
    path = run.path / RECORDING
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    steps = listed(program, "run")["steps"]
    assert steps == list(range(0, 40, 5))
    program.good("replay", path, "--pipeline", script, "-o", "out")
    assert seen() == steps
    program.good("train", "--resume", "run", "--steps", 60)
    after = listed(program, "run")["steps"]
    assert after == sorted(set(after)) and after[:8] == steps and after[-1] == 60


@pytest.mark.parametrize("content", [b"", b"WSREC", b"hello, world\n" * 100, None])
@pytest.mark.parametrize("call", [["--list"], ["--export", 5, "-o", "out"], ["--pipeline", "notes.py"]])
def test_what_is_no_recording(program, notes, content, call):
    notes()
    if content is not None:
        (program.folder / "file").write_bytes(content)
    result = program("replay", "file", *call)
    assert result.status == 2 and len(result.errors) == 1 and "file" in result.errors[0], result
    assert not (program.folder / "out").exists() and not (program.folder / "replay").exists()


def test_a_run_without_a_recording(program, trained):
    run = trained("run", "--steps", 5)
    before = snapshot(run.path)
    result = program("replay", "run", "--list")
    assert result.status == 2 and len(result.errors) == 1 and RECORDING in result.errors[0], result
    assert snapshot(run.path) == before


def test_a_recording_that_is_damaged(program, trained, notes):
    """The other frames are drawn; the damage is told, with the file."""
    script, seen = notes()
    run = trained("run", "--steps", 40, "--record", 10)
    path = run.path / RECORDING
    content = bytearray(path.read_bytes())
    content[content.rfind(b"WSRFRAME") + 100] ^= 0xff  # 80 bytes before the values
    path.write_bytes(content)
    result = program("replay", "run", "--pipeline", script, "-o", "out")
    assert seen() == [0, 10, 20, 30]
    assert result.status == 1, result
    told = [line for line in result.errors if RECORDING in line]
    assert len(told) == 1 and "step 40" in told[0] and len(result.errors) == 2, result
    result = program("replay", "run", "--export", 40, "-o", "out")
    assert result.status == 2 and "step 40" in result.errors[0], result
    program.good("replay", "run", "--export", 30, "-o", "out")


def test_a_full_disk_ends_the_recording_only(train, trained, tmp_path):
    """One line, all steps trained, and what was recorded before can be read."""
    import resource

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    result = train("--run", "run", "--steps", 300, "--record", 1, preexec_fn=limit)
    run = Run(tmp_path / "run")
    assert result.status in (0, 1), result
    assert len([line for line in result.errors if RECORDING in line]) == 1, result
    assert run.last_step() == 300 and run.steps() == list(range(1, 301))
    assert run.last.read_bytes() == trained("plain", "--steps", 300, "--insitu", "none").last.read_bytes()


def test_an_awkward_place(program, train, notes, tmp_path):
    script, seen = notes("tëst it's, here/my script.py")
    assert train("--run", "o ut/'Ω", "--steps", 20, "--pipeline", script, "--record", EVERY).status == 0
    result = program.good("replay", "o ut/'Ω", "--pipeline", script)
    assert seen() == [0, 10, 20, 0, 10, 20]
    assert (tmp_path / "o ut/'Ω/replay").exists() == bool(list(tmp_path.glob("o ut/'Ω/replay/*"))), result
