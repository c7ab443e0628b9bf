# SPDX-License-Identifier: BSD-3-Clause
"""A training in a real ParaView: connect, look, pause, go on, a breakpoint, a knob; then the window is killed, and it starts again."""

import csv
import json
import os
import signal
import subprocess
import time

import numpy
import pytest

from gui_screen import PLUGINS, Screen, Window, end_with_parent
from listening import listening_beyond

ROUNDS = int(os.environ.get("GUI_ROUNDS", "2"))
PAUSE, CONNECT, LAY_OUT = "actionWeightscapePause", "actionWeightscapeConnect", "actionWeightscapeLayOut"
STATE = "WeightscapeState"
TYPING_SECONDS = 12  # from a look at the step to the breakpoint that it was typed for, on a busy machine


@pytest.fixture(scope="module")
def screen():
    made = Screen()
    yield made
    made.close()


class Training:
    """weightscape train, until it is told to end."""

    def __init__(self, weightscape, data, folder, *options):
        self.run, self._weightscape = folder / "run", weightscape
        self._said = folder / "training"
        with open(self._said, "w") as said:
            self.process = subprocess.Popen(
                [weightscape, "train", "--data", data, "--run", self.run, "--threads", "1", "--epochs", "1000", *options],
                stdout=said, stderr=said, stdin=subprocess.DEVNULL, preexec_fn=end_with_parent)
        while not self.rows():
            assert self.process.poll() is None, self.said()
            time.sleep(0.1)

    def said(self):
        return self._said.read_text(errors="replace")

    def rows(self):
        try:
            with open(self.run / "metrics.csv", newline="") as file:
                return [row for row in csv.DictReader(file) if None not in row.values()]
        except FileNotFoundError:
            return []

    def step(self):
        return int(self.status()["step"])

    def status(self):
        told = subprocess.run([self._weightscape, "ctl", self.run, "status", "--json"], capture_output=True, text=True, check=True)
        return json.loads(told.stdout)

    def end(self):
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(60) == 130, self.said()


@pytest.fixture
def training(weightscape, mnist, tmp_path, port):
    made = Training(weightscape, mnist, tmp_path, f"--live=localhost:{port}", "--merge", "layers=conv1,keep=4")
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait()


def shown_step(window):
    """The step that the toolbar tells; None unless connected."""
    state = window.find(STATE)
    words = state.text.replace(",", "").split() if state else []
    return int(words[1]) if words[:1] == ["step"] and words[1] != "-1" else None


def views(window):
    """The widgets of the views, in which pictures are."""
    return [widget for widget in window.widgets() if widget.type == "pqQVTKWidget" and widget.width > 100]


def picture_of(screen, view):
    return screen.picture()[view.y:view.y + view.height, view.x:view.x + view.width]


def coloured(pixels):
    return (pixels.max(axis=2) - pixels.min(axis=2) > 60).mean()


def stands_still(training, seconds=2):
    before = training.step()
    time.sleep(seconds)
    return training.step() == before


def wait_laid_out(window):
    window.wait(lambda: shown_step(window) is not None, "a step")
    # Boxes of two convolutions, status, norms, progress, walk.
    window.wait(lambda: len(views(window)) == 6, "six views")
    window.wait_for("learning_rate/Field")


def boxes_change(window, screen):
    view = max(views(window), key=lambda widget: (-widget.y, -widget.x))
    before = picture_of(screen, view)
    assert coloured(before) > 0.02
    window.wait(lambda: (numpy.abs(picture_of(screen, view) - before).max(axis=2) > 20).mean() > 0.001, "boxes that change")


def pause_and_go_on(window, training):
    window.press(PAUSE)
    window.wait(lambda: window.find(PAUSE).text == "Continue", "a pause")
    window.wait(lambda: stands_still(training), "a training that rests", 30)
    rests_at = training.step()
    window.wait(lambda: shown_step(window) == rests_at, "the step at which it rests")
    window.press(PAUSE)
    window.wait(lambda: training.step() > rests_at, "a training that goes on")


def type_breakpoint(window, screen, training, seconds):
    """By ParaView's own menu: at the step that the training comes to after so many seconds."""
    window.press("menu/Catalyst")
    window.press("menu/Set Breakpoint")
    window.wait_for("BreakpointTime")
    status = training.status()
    step = status["step"] + 10 + round(seconds * status["images_per_s"] / 100)
    window.type("BreakpointTime", str(step))
    screen.do("key", "Return")
    return step


def set_breakpoint(window, screen, training):
    """One that is typed too late, for a machine that stood still, is refused, and the training rests at once: then again,
    further ahead."""
    for seconds in (TYPING_SECONDS, 4 * TYPING_SECONDS, 8 * TYPING_SECONDS):
        step = type_breakpoint(window, screen, training, seconds)
        window.wait(lambda: window.find(PAUSE).text == "Continue" and stands_still(training), f"a rest at step {step}")
        rests_at = training.step()
        if rests_at != step:
            assert rests_at > step and "pause_at" in training.status()["refused"], (rests_at, training.status())
        window.press(PAUSE)
        window.wait(lambda: training.step() > rests_at, "a training that goes on")
        if rests_at == step:
            return
    raise AssertionError(f"no breakpoint was typed within {seconds} s")


def turn_learning_rate(window, training, value):
    window.type("learning_rate/Field", repr(value))
    window.press("Accept")
    before = training.step()
    window.wait(lambda: float(training.rows()[-1]["learning_rate"]) == value, f"learning rate {value}", 60)
    changed = [int(row["step"]) for row in training.rows() if float(row["learning_rate"]) == value]
    return changed[0] - before


def field_of(screen, window):
    """The part of the view of conv1's boxes that is coloured."""
    return coloured(picture_of(screen, min(views(window), key=lambda widget: (widget.y, widget.x))))


def wait_for_steps(window, what):
    """More of them: none is told while it connects again."""
    step = window.wait(lambda: shown_step(window), what)
    window.wait(lambda: (shown_step(window) or 0) > step, what)


def merge_and_undo(window, screen, training):
    """By the panel's buttons, in the window that looks on."""
    before = field_of(screen, window)
    window.scroll_to("undo_merge/Button")
    window.press("merge_now/Button")
    window.wait(lambda: training.status()["widths"].startswith("conv1 4 of 16"), "filters that are merged", 60)
    window.wait(lambda: field_of(screen, window) < before / 2, "a smaller field")
    wait_for_steps(window, "steps after the merge")
    window.press("undo_merge/Button")
    window.wait(lambda: training.status()["widths"].startswith("conv1 16"), "a merge that is undone", 60)
    window.wait(lambda: field_of(screen, window) > before * 3 / 4, "a field as large as before")
    wait_for_steps(window, "steps after the undo")


def open_window(kind, screen, folder, weightscape, training, port):
    """By the menu, or by the program."""
    if kind == "gui":
        return Window(screen, folder, [weightscape, "gui", training.run])
    window = Window(screen, folder, PV_PLUGIN_PATH=str(PLUGINS))
    window.wait_for(CONNECT)
    window.fill_screen()
    window.press("menu/Weightscape")
    window.press("menu/Connect on Another Port...")
    window.wait_for("qt_spinbox_lineedit")
    screen.do("key", "ctrl+a")
    screen.do("type", "--delay", 30, str(port))
    screen.do("key", "Return")
    window.wait(lambda: shown_step(window) is not None, "a connection")
    window.press(LAY_OUT)
    return window


def test_rounds(screen, weightscape, training, port, tmp_path):
    for number in range(ROUNDS):
        with open_window(("gui", "menu")[number % 2], screen, tmp_path / f"window{number}", weightscape, training, port) as window:
            wait_laid_out(window)
            # ParaView by itself takes calls from everywhere, and so does its Open MPI.
            assert number % 2 or not listening_beyond(window.process.pid)
            boxes_change(window, screen)
            pause_and_go_on(window, training)
            set_breakpoint(window, screen, training)
            turn_learning_rate(window, training, round(0.001 + 0.0001 * (number + 1), 6))
            assert not window.complaints()
            if not number:
                merge_and_undo(window, screen, training)
                # With the undo a connection ends, and ParaView says so, in one of several ways.
                ends = ("Socket", "Communicator", "NetworkAccess", "LiveInsituLink")
                others = [line for line in window.complaints() if not any(word in line for word in ends)]
                assert not others, others
            window.kill()
        step = training.step()
        while training.step() == step:
            assert training.process.poll() is None, training.said()
            time.sleep(0.1)
    training.end()


def test_a_recording(screen, weightscape, mnist, tmp_path):
    run = tmp_path / "run"
    subprocess.run([weightscape, "train", "--data", mnist, "--run", run, "--steps", "40", "--record", "10", "--quiet"], check=True)
    with Window(screen, tmp_path / "window", [weightscape, "gui", run]) as window:
        # Boxes of two convolutions, norms, progress, walk.
        window.wait(lambda: len(views(window)) == 5, "five views")
        window.wait(lambda: all(coloured(picture_of(screen, view)) > 0.0005 for view in views(window)), "pictures in all views")
        assert window.find(STATE).text == "not connected"
        assert not window.complaints()
