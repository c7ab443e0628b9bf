# SPDX-License-Identifier: BSD-3-Clause
"""A screen with a window manager, and ParaView's window on it, which is used as by hand: keys and mouse of the X server.

What can be seen is told by gui_probe.cpp, which is preloaded.
"""

import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import numpy
import pytest
import virtual_display

BUILD = pathlib.Path(os.environ["WEIGHTSCAPE_BUILD"])
PLUGINS = BUILD / "lib" / "weightscape" / "paraview"
PROBE = BUILD / "tests" / "libgui_probe.so"
SIZE = (1600, 1000)


def end_with_parent():
    """In a child before it starts: the kernel kills it when its parent ends."""
    set_death_signal = 1
    ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)


class Screen:
    """Xvfb and openbox."""

    def __init__(self):
        for program in ("Xvfb", "openbox", "xdotool", "paraview"):
            if not shutil.which(program):
                pytest.skip(f"no {program}: apt-get install {program.lower()}")
        if not PROBE.exists():
            pytest.skip("no gui_probe: apt-get install qtbase5-dev, and build again")
        self._folder = tempfile.TemporaryDirectory()
        # -r: on a slow machine a key that is held repeats.
        server, self.display = virtual_display.start("-r", "-fbdir", self._folder.name, size=SIZE, preexec_fn=end_with_parent)
        self._programs = [server, subprocess.Popen(["openbox"], env=dict(os.environ, DISPLAY=self.display), stdout=subprocess.DEVNULL,
                                                   stderr=subprocess.DEVNULL, preexec_fn=end_with_parent)]

    def close(self):
        for program in reversed(self._programs):
            program.terminate()
            program.wait()
        self._folder.cleanup()

    def do(self, *words):
        subprocess.run(["xdotool", *map(str, words)], check=True, env=dict(os.environ, DISPLAY=self.display), stdout=subprocess.DEVNULL)

    def picture(self):
        """What the screen shows, rows x columns x RGB."""
        dump = (pathlib.Path(self._folder.name) / "Xvfb_screen0").read_bytes()  # of the format of xwd
        header = numpy.frombuffer(dump[:100], ">u4")
        start, width, height, line = int(header[0]) + 12 * int(header[19]), int(header[4]), int(header[5]), int(header[12])
        pixels = numpy.frombuffer(dump[start:start + height * line], numpy.uint8).reshape(height, line)[:, :4 * width]
        return pixels.reshape(height, width, 4)[:, :, 2::-1].astype(int)


class Widget:
    """One line of the probe."""

    def __init__(self, line):
        self.name, self.type, *place, enabled, checked, self.text = line.split("\t")
        self.x, self.y, self.width, self.height = map(int, place)
        self.enabled, self.checked = enabled == "1", checked == "1"

    def __repr__(self):
        return f"{self.name} {self.text!r}"


class Window:
    """ParaView, started by `command`, which runs it as $PARAVIEW."""

    def __init__(self, screen, folder, command=None, **environment):
        folder.mkdir(mode=0o700, exist_ok=True)
        self.screen, self._told, self._said = screen, folder / "widgets", folder / "said"
        paraview = folder / "paraview"
        paraview.write_text(f'#!/bin/sh\nLD_PRELOAD={PROBE} GUI_PROBE={self._told} exec paraview --dr "$@"\n')
        paraview.chmod(0o755)
        with open(self._said, "w") as said:
            self.process = subprocess.Popen(
                command or [paraview], stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
                preexec_fn=end_with_parent,
                env=dict(os.environ, DISPLAY=screen.display, HOME=str(folder), XDG_RUNTIME_DIR=str(folder), PARAVIEW=str(paraview),
                         **environment))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def said(self):
        """What ParaView has written, without empty lines."""
        return [line for line in self._said.read_text(errors="replace").splitlines() if line.strip()]

    def complaints(self):
        words = ("ERR", "error", "Error", "warning", "Warning", "critical", "WARN")
        return [line for line in self.said() if any(word in line for word in words)]

    def widgets(self):
        try:
            return [Widget(line) for line in self._told.read_text().splitlines()]
        except FileNotFoundError:
            return []

    def wait(self, condition, what, seconds=400):
        """What `condition` returns as soon as that is true."""
        end = time.monotonic() + seconds
        while not (found := condition()):
            assert self.process.poll() is None, "\n".join(self.said())
            assert time.monotonic() < end, f"not within {seconds} s: {what}; state: {self.find('WeightscapeState')}; said: {self.said()}"
            time.sleep(0.1)
        return found

    def find(self, name, text=None):
        """The widget of this name (parent/name, or how that ends) and text, if there is one to be seen."""
        for widget in self.widgets():
            if (widget.name == name or widget.name.endswith("/" + name)) and (text is None or widget.text == text):
                return widget
        return None

    def wait_to_rest(self, name, reports=3):
        """Until some reports in a row tell the same place: a busy ParaView moves things long after it was told to."""
        told, places = None, []
        while len(places) < reports or len(set(places[-reports:])) > 1:
            self.wait(lambda: self._told.stat().st_mtime_ns != told, "another report")
            told = self._told.stat().st_mtime_ns
            found = self.find(name)
            places.append(found and (found.x, found.y))

    def wait_for(self, name, text=None, seconds=400):
        return self.wait(lambda: self.find(name, text), f"{name} {text or ''}", seconds)

    def fill_screen(self):
        """So that no button of a toolbar is hidden."""
        self.screen.do("search", "--onlyvisible", "--name", "^ParaView ", "windowmove", 0, 20, "windowsize", SIZE[0], SIZE[1] - 30)
        time.sleep(1)  # until the window manager has done it

    def press(self, name):
        widget = self.wait(lambda: (found := self.find(name)) and found.enabled and found, f"{name} enabled")
        self.screen.do("mousemove", widget.x + widget.width // 2, widget.y + widget.height // 2, "click", 1)

    def scroll_to(self, name):
        """Rolls the panel of properties until the widget is to be seen. The wheel is over its bar, where it turns nothing else."""
        panel = self.wait_for("propertiesPanel")
        bar = next(widget for widget in self.widgets() if widget.type == "QScrollBar" and widget.x < panel.x + panel.width
                   and panel.y < widget.y < panel.y + panel.height)
        self.screen.do("mousemove", bar.x + bar.width // 2, bar.y + bar.height // 2)

        def roll():
            found = self.find(name)
            if not found:
                self.screen.do("click", 5)
                time.sleep(0.3)  # until it is told
            return found

        self.wait(roll, f"{name} in the panel")
        self.wait_to_rest(name)

    def type(self, name, text):
        """Into a field, in place of what is there."""
        self.press(name)
        self.screen.do("key", "ctrl+a")
        self.screen.do("type", "--delay", 30, text)
        self.screen.do("key", "Tab")
