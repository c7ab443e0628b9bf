# SPDX-License-Identifier: BSD-3-Clause
"""A display, a Catalyst, and a way to draw pictures of known channels."""

import ctypes
import os
import signal
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import virtual_display
from PIL import Image

SIZE = (1024, 768)


def _end_with_parent():
    """In a child before it starts: the kernel ends it with us. ParaView needs its display up to the very last."""
    set_death_signal = 1
    ctypes.CDLL(None).prctl(set_death_signal, signal.SIGTERM)


@pytest.fixture(scope="session")
def display():
    """A virtual display of our own."""
    os.environ["DISPLAY"] = virtual_display.start(preexec_fn=_end_with_parent)[1]


@pytest.fixture(scope="session")
def pipelines(source):
    """The folder of the scripts, importable."""
    folder = source / "pipelines"
    sys.path.append(str(folder))
    return folder


@pytest.fixture(scope="session")
def catalyst(display, tmp_path_factory):
    """ParaView's Catalyst: one for the whole process."""
    pytest.importorskip("paraview", reason="no paraview: apt-get install python3-paraview")
    from stand_in import Catalyst

    running = Catalyst(str(tmp_path_factory.mktemp("catalyst")))
    yield running
    running.close()


class Drawing:
    """A script that runs on the channels it is given."""

    def __init__(self, catalyst, script, arguments):
        self._catalyst = catalyst
        catalyst.add(str(script), *arguments)

    def show(self, step, channels):
        """Draws: an object with the script's `figures`, and `pictures`, arrays [row, column, rgb] by name."""
        folder = self._catalyst.pictures
        for old in folder.glob("*.png"):
            old.unlink()
        module = self._catalyst.show(step, channels)
        pictures = {}
        for path in folder.glob(f"*_{step:06d}.png"):
            with Image.open(path) as picture:
                pictures[path.stem[:-7]] = np.asarray(picture.convert("RGB")).astype(int)
        return SimpleNamespace(figures=module.figures, pictures=pictures)


@pytest.fixture
def draw(catalyst, pipelines):
    """draw(script, '--key=value'...): a Drawing of each step."""
    return lambda script, *arguments: Drawing(catalyst, pipelines / f"{script}.py", ("--every=1", *arguments))
