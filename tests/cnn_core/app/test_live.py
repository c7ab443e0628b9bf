# SPDX-License-Identifier: BSD-3-Clause
"""--live: a training, a run from outside and a recording, in a ParaView without a window that pauses and turns knobs."""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import EVERY, Run, small_training, snapshot, wait_for
from control import ask

sys.path.append(os.environ["WEIGHTSCAPE_SOURCE"] + "/tests/catalyst_adaptor")
from live_client import LiveClient  # noqa: E402

KNOBS = Path(os.environ["WEIGHTSCAPE_SOURCE"]) / "catalyst_adaptor" / "bridge" / "knobs.xml"
BAD_PLACES = ["localhost", "localhost:", "localhost:0", "localhost:65536", "localhost:22x", ":22222", "[]:22222", "[::1:22", "a b:1", ""]


def recorded_weights(program, recording, step, folder):
    """What the channel of the convolution held, from files."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOXML import vtkXMLImageDataReader

    program.good("replay", recording, "--export", step, "-o", folder)
    reader = vtkXMLImageDataReader()
    reader.SetFileName(str(folder / "weights_conv1.vti"))
    reader.Update()
    return vtk_to_numpy(reader.GetOutput().GetCellData().GetArray("weight"))


@pytest.mark.parametrize("place", BAD_PLACES)
def test_bad_places(program, trained, place):
    run = trained("run", "--steps", 10, "--record", 5)
    before = snapshot(run.path)
    for call in (["watch", "run", f"--live={place}"], ["replay", "run", f"--live={place}"]):
        result = program(*call)
        assert result.status == 2 and len(result.errors) == 1, result
        assert f'"{place}"' in result.errors[0] or not place
    assert snapshot(run.path) == before


@pytest.mark.parametrize("call, complaint", [
    (["watch", "run", "-o", "out", "--live"], "--output"),
    (["watch", "run", "--latest", "--live"], "--latest"),
    (["replay", "run", "-o", "out", "--live"], "--output"),
    (["replay", "run", "--list", "--live"], "only one"),
    (["replay", "run", "--list", "--rate", "5"], "--rate"),
    (["replay", "run", "--live", "--rate", "0"], "rate"),
])
def test_bad_calls(program, trained, call, complaint):
    run = trained("run", "--steps", 10, "--record", 5)
    before = snapshot(run.path)
    result = program(*call)
    assert result.status == 2 and len(result.errors) == 1 and complaint in result.errors[0], result
    assert snapshot(run.path) == before


def test_a_run_that_trains(program, trained, small_set, tmp_path, port):
    run = Run(tmp_path / "run")
    training = program.start("train", *small_training(small_set), "--steps", 10**9, "--threads", 1, "--checkpoint-every", 500, "--quiet",
                             "--run", "run")
    wait_for(run.last.exists, training)
    watch = program.start("watch", "run", f"--live=localhost:{port}")
    for _ in range(2):
        with LiveClient(port) as client:
            client.wait_connected()
            client.extract("weights_conv1", "norms_points")
            step, _ = client.fetch("weights_conv1")
            later, _ = client.fetch("weights_conv1", after=step)
            assert client.fetch("norms_points", "step", after=later)[1][-1] > later
            client.kill()
    assert watch.poll() is None and training.poll() is None
    training.send_signal(signal.SIGINT)
    _, errors = training.communicate(timeout=60)
    assert training.returncode == 130, errors
    _, errors = watch.communicate(timeout=60)
    assert watch.returncode == 0
    assert errors.count("is connected") == errors.count("has left") == 2
    # The run has not noticed.
    step = run.last_step()
    plain = trained("plain", "--steps", step, "--insitu", "none", "--checkpoint-every", step, "--threads", 1, "--quiet", within=180)
    assert run.last.read_bytes() == plain.last.read_bytes()
    assert run.numbers() == plain.numbers()


def test_a_viewer_that_hangs_holds_nobody_up(program, trained, small_set, tmp_path, port):
    """Neither the end of the training, nor that of a watch, which a signal ends."""
    run = Run(tmp_path / "run")
    with LiveClient(port) as client:
        training = program.start("train", *small_training(small_set), "--steps", 10**9, "--threads", 1, "--checkpoint-every", 10**9,
                                 "--quiet", "--run", "run", f"--live=localhost:{port}", "--record", 1000)
        client.wait_connected(60)
        client.stop()
        steps = len(run.steps())
        wait_for(lambda: len(run.steps()) > steps + 1000, training)
        training.send_signal(signal.SIGINT)
        _, errors = training.communicate(timeout=20)
        assert training.returncode == 130, errors
    plain = trained("plain", "--steps", run.last_step(), "--insitu", "none", "--threads", 1, "--quiet", within=180)
    assert run.last.read_bytes() == plain.last.read_bytes()
    with LiveClient(port) as client:
        watch = program.start("watch", "run", f"--live=localhost:{port}")
        client.wait_connected(60)
        client.stop()
        time.sleep(2)
        watch.send_signal(signal.SIGINT)
        _, errors = watch.communicate(timeout=20)
        assert watch.returncode == 130, errors
        assert "cut off" not in errors


def test_a_recording(program, trained, tmp_path, port):
    run = trained("run", "--steps", 60, "--record", 5)
    before = snapshot(run.path)
    show = program.start("replay", "run", f"--live=localhost:{port}", "--rate", 5)
    with LiveClient(port) as client:
        client.wait_connected()
        client.extract("weights_conv1")
        steps, step = [], -1
        while step < 30:
            step, values = client.fetch("weights_conv1", "weight", after=step)
            steps.append(step)
            exported = recorded_weights(program, run.path / "recording.wsrec", step, tmp_path / f"export{step}")
            assert values.tobytes() == exported.tobytes()
        assert all(step % 5 == 0 for step in steps)
        client.pause()
        seen = [step for step, _ in client.count("weights_conv1", 2)]
        assert len(seen) <= 2  # the one that came before the pause did
        client.pause(False)
        while step < 60:
            step, _ = client.fetch("weights_conv1", after=step)
        assert show.poll() is None
        client.leave()
    _, errors = show.communicate(timeout=60)
    assert show.returncode == 0, errors
    assert snapshot(run.path) == before


def test_a_training_is_paused_and_steered(program, trained, small_set, boxes, tmp_path, port):
    """From the panel: it rests where it is, goes on, and the next step uses the learning rate; the bits are those of the replay."""
    run = Run(tmp_path / "run")
    # Slow enough that a replay of it takes no longer than the test.
    slow = ["--data", small_set, "--net", "conv 16 3x3, relu, conv 32 3x3, relu, linear 10", "--batch", 200, "--threads", 1]
    training = program.start("train", *slow, "--steps", 10**9, "--checkpoint-every", 10**9, "--quiet", "--run", "run",
                             f"--live=localhost:{port}", "--pipeline", boxes)
    with LiveClient(port, KNOBS) as client:
        client.wait_connected(60)
        client.extract("weights_conv1", "status")
        client.fetch("weights_conv1")
        for rate in (0.0625, 0.015625):
            client.pause()
            wait_for(lambda: client.fetch("status", "state")[1] == ["paused"], training)
            step = client.count("weights_conv1", 1)[-1][0]
            assert "ParaView" in client.fetch("status", "paused_by")[1][0]
            client.set(learning_rate=rate)
            wait_for(lambda: float(client.fetch("status", "knob_learning_rate")[1][0]) == rate, training)
            assert [later for later, _ in client.count("weights_conv1", 1)] == [step]
            client.pause(False)
            client.fetch("weights_conv1", after=step + EVERY)
            used = {int(row["step"]): float(row["learning_rate"]) for row in run.rows()[:-1]}
            assert used[step] != rate
            assert used.get(step + 1, rate) == rate
        client.set(momentum=7.5)
        wait_for(lambda: "momentum" in client.fetch("status", "refused")[1][0], training)
        client.kill()
    training.send_signal(signal.SIGINT)
    _, errors = training.communicate(timeout=120)
    assert training.returncode == 130, errors
    replayed = program.good("train", *slow, "--steps", run.last_step(), "--replay-steering", "run", "--run", "again", "--insitu", "none",
                                "--quiet", within=400)
    assert Run(tmp_path / "again").last.read_bytes() == run.last.read_bytes(), replayed
    assert np.all(np.diff(run.steps()) == 1)


def test_a_merge_and_its_undo(program, small_set, tmp_path, port):
    """A ParaView that looks sees fewer filters; after an undo the training dials again, with all of them."""
    run = Run(tmp_path / "run")
    training = program.start("train", *small_training(small_set), "--steps", 10**9, "--threads", 1, "--checkpoint-every", 5000,
                             "--quiet", "--run", "run", f"--live=localhost:{port}")
    filters = lambda values: len(set(values[values >= 0]))  # noqa: E731
    with LiveClient(port) as client:
        client.wait_connected()
        client.extract("weights_conv1")
        step, values = client.fetch("weights_conv1", "filter")
        assert filters(values) == 4
        merged = ask(run.path, "merge", spec="layers=conv1,keep=3,probe=40")["step"]
        step, values = client.fetch("weights_conv1", "filter", after=merged)
        assert filters(values) == 3
        assert ask(run.path, "undo_merge")["back_to"] == merged
        client.kill()
    with LiveClient(port) as client:
        client.wait_connected()
        client.extract("weights_conv1")
        step, values = client.fetch("weights_conv1", "filter", after=merged)
        assert filters(values) == 4
    training.send_signal(signal.SIGINT)
    _, errors = training.communicate(timeout=60)
    assert training.returncode == 130, errors
