# SPDX-License-Identifier: BSD-3-Clause
"""A recording in ParaView's window: it is coloured at once, play moves through it, and its end moves on by itself."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

import numpy
import pytest
import virtual_display
from PIL import Image

from live_host import LiveHost

PLUGINS = pathlib.Path(os.environ["WEIGHTSCAPE_BUILD"]) / "lib" / "weightscape" / "paraview"
FIRST, LATER = 12, 30  # steps there are when the file is opened, and in the end

# Runs when the window is there. What follows is driven by the window alone: it draws when the reader finds more.
SCRIPT = """
from paraview.simple import *

reader = OpenDataFile({recording!r})
view = GetActiveViewOrCreate('RenderView')
display = Show(reader, view)
ResetCamera(view)
scene = GetAnimationScene()
scene.UpdateAnimationUsingDataTimeSteps()
Render(view)
with open({folder!r} + '/colours', 'w') as file:
    print(*display.ColorArrayName, str(display.Representation).strip("'"), file=file)
SaveScreenshot({folder!r} + '/first.png', GetLayout())

times = open({folder!r} + '/times', 'w', buffering=1)
window = view.GetRenderWindow()
played = window.AddObserver('EndEvent', lambda *_: print(view.ViewTime, file=times))
scene.Play()
window.RemoveObserver(played)
SaveScreenshot({folder!r} + '/last.png', GetLayout())

known = open({folder!r} + '/known', 'w', buffering=1)
window.AddObserver('EndEvent', lambda *_: print(len(scene.TimeKeeper.TimestepValues), file=known))
print(len(scene.TimeKeeper.TimestepValues), file=known)
"""


@pytest.fixture(scope="module")
def display():
    server, name = virtual_display.start()
    yield name
    server.terminate()
    server.wait()


@pytest.fixture
def window(display, tmp_path):
    """window(recording): ParaView with the plugin found through PV_PLUGIN_PATH, running SCRIPT; ended with its children."""
    if not shutil.which("paraview"):
        pytest.skip("no paraview: apt-get install paraview")
    started = []

    def open_(recording):
        script = tmp_path / "script.py"
        script.write_text(SCRIPT.format(recording=str(recording), folder=str(tmp_path)))
        environment = dict(os.environ, DISPLAY=display, HOME=str(tmp_path), XDG_RUNTIME_DIR=str(tmp_path), PV_PLUGIN_PATH=str(PLUGINS))
        with open(tmp_path / "said", "w") as said:
            started.append(subprocess.Popen(["paraview", "--dr", f"--script={script}"], env=environment, stdin=subprocess.DEVNULL,
                                            stdout=said, stderr=said, start_new_session=True))
        return started[-1]

    yield open_
    for process in started:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def wait_until(process, condition, folder, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None and time.monotonic() < end, "\n".join(lines(folder / "said"))
        time.sleep(0.2)


def picture(path):
    with Image.open(path) as image:
        return numpy.asarray(image.convert("RGB")).astype(int)


def coloured(pixels):
    """Where a colour is, and not the grey of the background or of a surface without colours."""
    return pixels.max(axis=2) - pixels.min(axis=2) > 60


def test_play_scrub_and_growth(window, tmp_path):
    host = LiveHost(tmp_path / "run", (4, 1, 3, 3))
    host.train(range(FIRST))
    paraview = window(host.recording)
    wait_until(paraview, lambda: lines(tmp_path / "known"), tmp_path)
    assert lines(tmp_path / "colours") == ["CELLS weight Surface"]
    # Play has gone through all steps.
    times = [float(line) for line in lines(tmp_path / "times")]
    assert sorted(set(times)) == list(range(FIRST))
    first, last = picture(tmp_path / "first.png"), picture(tmp_path / "last.png")
    assert coloured(first).mean() > 0.02
    # This host's weights leave the colour scale of the first step upwards.
    assert (numpy.abs(first - last).max(axis=2) > 60).mean() > 0.02
    # Nobody touches the window.
    host.train(range(FIRST, LATER))
    host.close()
    wait_until(paraview, lambda: str(LATER) in lines(tmp_path / "known"), tmp_path, 30)
    assert lines(tmp_path / "known")[0] == str(FIRST)
    assert not [line for line in lines(tmp_path / "said") if "ERR" in line or "Error" in line or "Warning" in line]
