# SPDX-License-Identifier: BSD-3-Clause
"""`weightscape gui`: what ParaView is started with, by a program in its place that writes that down, and what ends with it."""

import os
import signal
import socket
import subprocess

import pytest

from conftest import small_training, wait_for

# Tells how it was called, and stays until the file `close` is there; its exit status is in there.
IN_PLACE_OF_PARAVIEW = """#!/bin/sh
printf '%s\\n' "$WEIGHTSCAPE_GUI" "$PV_PLUGIN_PATH" $$ > told.part
mv told.part told
while ! [ -s close ]; do sleep 0.05; done
exit $(cat close)
"""


@pytest.fixture
def paraview(tmp_path):
    """The environment of a call."""
    program = tmp_path / "in place of paraview"
    program.write_text(IN_PLACE_OF_PARAVIEW)
    program.chmod(0o755)
    return dict(os.environ, PARAVIEW=str(program), DISPLAY=":0")


def told(program, window):
    """What ParaView was asked to show, its plugin path, its process."""
    wait_for(lambda: (program.folder / "told").exists(), window)
    shown, plugins, process = (program.folder / "told").read_text().splitlines()
    return shown, plugins, int(process)


def close(program, window, status=0):
    (program.folder / "close").write_text(f"{status}\n")
    out, errors = window.communicate(timeout=120)
    return window.returncode, errors.splitlines()


def watches_of(window):
    """How the window's children `weightscape watch` were called."""
    listed = subprocess.run(["ps", "-o", "args=", "--ppid", str(window.pid)], capture_output=True, text=True, check=False).stdout
    return [line for line in listed.splitlines() if " watch " in line]


def one_watch_of(window):
    """The same of the only one. A child has its parent's name until it has become a program of its own."""
    wait_for(lambda: watches_of(window), window)
    watch, = watches_of(window)
    return watch


@pytest.mark.parametrize("words, status, line", [
    ((), 2, "a run, a recording or --live is missing"),
    (("nothing",), 2, "nothing: is not there"),
    (("empty",), 2, "empty: holds no run (there is no run.json)"),
    (("--live", "elsewhere:22222"), 2, "--live=elsewhere:22222: not localhost:PORT, where a ParaView of this machine listens"),
    (("--live", "localhost:0"), 2, '--live=localhost:0: port "0" is not in 1..65535'),
    (("--live", "localhost:1e3"), 2, '--live=localhost:1e3: port "1e3" is not in 1..65535'),
    (("--live", "localhost:99999"), 2, '--live=localhost:99999: port "99999" is not in 1..65535'),
])
def test_what_cannot_be_shown(program, paraview, words, status, line):
    (program.folder / "empty").mkdir()
    result = program("gui", *words, env=paraview)
    assert (result.status, result.errors) == (status, [f"weightscape gui: {line}"])
    assert not (program.folder / "told").exists()


def test_no_display(program, paraview):
    del paraview["DISPLAY"]
    paraview.pop("WAYLAND_DISPLAY", None)
    result = program("gui", "--live", "localhost:22222", env=paraview)
    assert result.status == 1 and len(result.errors) == 1 and "no display (DISPLAY is not set)" in result.errors[0]


def test_no_paraview(program, paraview):
    paraview["PARAVIEW"] = "/not/there"
    result = program("gui", "--live", "localhost:22222", env=paraview)
    assert result.status == 1 and len(result.errors) == 1 and "/not/there: no such program" in result.errors[0]


def test_a_port_alone(program, paraview, build):
    paraview["PV_PLUGIN_PATH"] = "/others"
    window = program.start("gui", "--live", "localhost:23456", env=paraview)
    shown, plugins, _ = told(program, window)
    assert shown == "live:23456"
    own, others = plugins.split(":")
    assert os.path.realpath(own) == str(build / "lib" / "weightscape" / "paraview") and others == "/others"
    assert close(program, window) == (0, [])


def test_paraview_fails(program, paraview):
    window = program.start("gui", "--live", "localhost:23456", env=paraview)
    told(program, window)
    status, errors = close(program, window, 7)
    assert status == 1 and errors == [f"weightscape gui: {paraview['PARAVIEW']}: ended with status 7"]


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_end_paraview(program, paraview, number, status):
    window = program.start("gui", "--live", "localhost:23456", env=paraview)
    _, _, process = told(program, window)
    window.send_signal(number)
    assert window.wait(20) == status
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_recordings(program, paraview, trained):
    trained("kept", "--steps", 10, "--record", 5)
    trained("lost", "--steps", 10)
    recording = program.folder / "kept" / "recording.wsrec"
    for named in ("kept", recording):
        (program.folder / "close").unlink(missing_ok=True)
        (program.folder / "told").unlink(missing_ok=True)
        window = program.start("gui", named, env=paraview)
        assert told(program, window)[0] == f"recording:{os.path.realpath(recording)}"
        assert close(program, window) == (0, [])
    result = program("gui", "lost", env=paraview)
    assert result.status == 2 and "lost: does not train, and has no recording" in result.errors[0]


@pytest.mark.parametrize("has_live", [True, False])
def test_a_run_that_trains(program, paraview, small_set, has_live, port):
    live = [f"--live=localhost:{port}"] if has_live else []
    training = program.start("train", *small_training(small_set), "--run", "run", "--steps", 10000000, *live)
    # It has begun, but for its record: who comes as early waits for that.
    wait_for((program.folder / "run" / "viewers").exists, training)
    window = program.start("gui", "run", env=paraview)
    shown = told(program, window)[0]
    if has_live:
        assert shown == f"live:{port}" and not watches_of(window)
    else:
        assert f"--live=localhost:{shown.split(':')[1]}" in one_watch_of(window)
    if has_live:
        # Another window: the run's own port is taken.
        with socket.create_server(("127.0.0.1", port)):
            (program.folder / "told").unlink()
            second = program.start("gui", "run", env=paraview)
            assert told(program, second)[0] != f"live:{port}"
            assert one_watch_of(second)
        assert close(program, second)[0] == 0
    assert close(program, window)[0] == 0
    assert training.poll() is None
    training.send_signal(signal.SIGINT)
    training.communicate(timeout=60)
