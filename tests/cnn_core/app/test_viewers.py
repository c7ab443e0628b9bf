# SPDX-License-Identifier: BSD-3-Clause
"""What a viewer asks of a training comes through the same knobs as what ctl asks; its hold is a state."""

import json
import random
import subprocess
import time

import pytest
from conftest import Run, end_with_parent, small_training, wait_for
from control import ask, turn
from test_ctl import ENDLESS, Training


class Viewer:
    """tests/cnn_core/app/viewer.c, attached to a training."""

    def __init__(self, build, run):
        self.process = subprocess.Popen([build / "tests/viewer", run], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, preexec_fn=end_with_parent)
        assert self.process.stdout.readline() == "attached\n"

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")

    def ask(self, line):
        while self.say("ask " + line) == "full":
            time.sleep(0.001)

    def status(self):
        return json.loads(self.say("status"))

    def end(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def viewed(program, small_set, build):
    """viewed(...): a training and a viewer of it."""
    viewers = []

    def make(*options):
        training = Training(program, "run", [*small_training(small_set), *options])
        viewers.append(Viewer(build, training.path))
        return training, viewers[-1]

    yield make
    for viewer in viewers:
        viewer.end()


def knobs_of(training):
    return ask(training.path, "get")["knobs"]


def test_a_knob_is_turned(viewed):
    training, viewer = viewed("--steps", ENDLESS)
    viewer.ask("learning_rate=0.00050000000000000001")
    viewer.ask("batch=30")
    wait_for(lambda: knobs_of(training)["batch"] == "30")
    assert knobs_of(training)["learning_rate"] == "0.0005"
    wait_for(lambda: viewer.status()["knobs"] == {**knobs_of(training)})
    log = [json.loads(line) for line in (training.path / "steering.jsonl").read_text().splitlines()]
    assert [(line["name"], line["old"], line["new"], line["origin"]) for line in log] == [
        ("learning_rate", "0.001", "0.0005", "ParaView"), ("batch", "20", "30", "ParaView")]
    training.good("stop")
    training.end()
    rates = {row["step"]: row["learning_rate"] for row in training.run.rows()}
    assert (rates[str(log[0]["step"])], rates[str(log[0]["step"] + 1)]) == ("0.001", "0.0005")


def test_a_refusal_is_told(viewed):
    training, viewer = viewed("--steps", ENDLESS)
    before = knobs_of(training)
    viewer.ask("learning_rate=-1")
    wait_for(lambda: viewer.status()["refused"])
    assert viewer.status()["refused"] == 'learning_rate: "-1" is not a number in 1e-30..1000'
    assert knobs_of(training) == before
    viewer.ask("dropout=0.1")
    wait_for(lambda: not viewer.status()["refused"])
    training.good("stop")
    _, errors = training.end()
    assert [line for line in errors if "ParaView: refused: learning_rate" in line]


def test_ten_thousand_bad_commands(viewed, trained):
    training, viewer = viewed("--steps", ENDLESS, "--quiet")
    training.good("pause")
    draw = random.Random(3)
    names = list(knobs_of(training)) + ["nosuch", "", " ", "a b", "\x01\x02", "\xff" * 40, "x" * 60, "pause", "continue", "step", "stop"]
    values = ["nan", "inf", "1e308", "-1", "", "x", "1e999", "\x7f", "\xfe\xff", "9" * 300, "0x1p3", " 1", "1,5"]
    for i in range(10000):
        name = draw.choice(names)
        value = draw.choice(values)
        if name in ("pause", "continue", "step", "stop") and not value or (name, value) == ("stop_after_epoch", ""):
            value = "x"
        viewer.ask(f"{name}={value}")
        if i == 1000:
            training.good("continue")
    assert viewer.status()["refused"]
    training.good("stop")
    out, errors = training.end()
    # The same as without a viewer, to the bit.
    quiet = trained("quiet", "--steps", len(training.run.rows()))
    assert training.run.last.read_bytes() == quiet.last.read_bytes()
    assert training.run.numbers() == quiet.numbers()
    assert len((training.path / "steering.jsonl").read_text().splitlines()) == 3
    # A line a second at most.
    assert len(errors) < 60


def test_a_hold_is_a_rest(viewed):
    training, viewer = viewed("--steps", ENDLESS)
    assert viewer.say("hold") == "done"
    training.wait_for_state("paused")
    status = training.status()
    assert status["paused_by"] == f"ParaView, through process {viewer.process.pid}"
    # Whoever looks is shown the step at which it rests, with the knobs that are in force.
    wait_for(lambda: viewer.say("step") == str(status["step"]))
    viewer.ask("dropout=0.35")
    wait_for(lambda: viewer.status()["knobs"]["dropout"] == "0.35")
    assert viewer.status()["state"] == "paused" and viewer.status()["paused_by"] == status["paused_by"]
    time.sleep(0.2)
    assert training.status()["step"] == status["step"]
    assert viewer.say("let-go") == "done"
    wait_for(lambda: training.status()["step"] > status["step"])
    training.good("stop")
    out, _ = training.end()
    assert f"paused by {status['paused_by']} after step {status['step']} " in out
    assert f"goes on after step {status['step']} (was paused by {status['paused_by']})" in out
    actions = [(line["action"], line["origin"]) for line in
               map(json.loads, (training.path / "steering.jsonl").read_text().splitlines()) if "action" in line]
    assert actions[:2] == [("pause", status["paused_by"]), ("continue", status["paused_by"])]


def test_a_viewer_that_dies_holds_nothing(viewed):
    training, viewer = viewed("--steps", ENDLESS)
    viewer.say("hold")
    training.wait_for_state("paused")
    step = training.status()["step"]
    viewer.end()
    wait_for(lambda: training.status()["step"] > step, within=10)
    training.good("stop")
    out, _ = training.end()
    assert len([line for line in out.splitlines() if line.startswith(f"goes on after step {step} ")]) == 1


def test_two_who_pause(viewed):
    """A viewer's continue does not end the pause of ctl; the continue of ctl ends both."""
    training, viewer = viewed("--steps", ENDLESS, "--quiet")
    viewer.say("hold")
    training.wait_for_state("paused")
    training.good("pause")
    step = training.status()["step"]
    wait_for(lambda: training.status()["paused_by"].startswith("ctl"))
    viewer.say("let-go")
    time.sleep(0.2)
    assert training.status()["step"] == step
    training.good("continue")
    training.wait_for_state("training")

    viewer.say("hold")
    training.wait_for_state("paused")
    step = training.status()["step"]
    training.good("step", "3")
    wait_for(lambda: training.status()["step"] == step + 3)
    training.wait_for_state("paused")
    training.good("continue")
    wait_for(lambda: training.status()["step"] > step + 10)
    # It is the hold of then that is overridden, not the next one.
    viewer.say("let-go")
    time.sleep(0.1)
    viewer.say("hold")
    training.wait_for_state("paused")


def test_actions_of_a_viewer(viewed):
    training, viewer = viewed("--steps", ENDLESS)
    viewer.ask("pause")
    training.wait_for_state("paused")
    step = training.status()["step"]
    viewer.ask("step=4")
    wait_for(lambda: training.status()["step"] == step + 4)
    viewer.ask("checkpoint")
    wait_for(lambda: training.run.last.exists() and training.run.last_step() == step + 4)
    viewer.ask("continue")
    wait_for(lambda: training.status()["step"] > step + 4)
    viewer.ask("pause_at=1000000000")
    viewer.ask("stop")
    _, errors = training.end()
    assert "ended by ParaView after step" in errors[-1]


def test_what_shows_is_a_knob(viewed):
    training, viewer = viewed("--steps", ENDLESS, "--quiet")
    turn(training.path, live_rate=2, overhead=1)
    wait_for(lambda: viewer.status()["knobs"]["live_rate"] == "2")
    seen = set()
    end = time.monotonic() + 2
    while time.monotonic() < end:
        seen.add(viewer.say("step"))
        time.sleep(0.002)
    assert 2 <= len(seen) <= 8


def test_a_merge_and_its_undo(viewed):
    """The panel's buttons, and what it shows."""
    training, viewer = viewed("--steps", ENDLESS, "--merge", "layers=conv1,keep=3,probe=40")
    wait_for(lambda: training.status()["step"] > 0)
    training.good("pause")
    step = training.status()["step"]
    viewer.ask("merge_now=")
    wait_for(lambda: training.status()["widths"] == "conv1 3 of 4")
    wait_for(lambda: viewer.status().get("widths") == "conv1 3 of 4")
    viewer.ask("merge_now=")
    wait_for(lambda: "nothing to merge" in viewer.status()["refused"])
    viewer.ask("undo_merge=")
    wait_for(lambda: training.status()["widths"] == "conv1 4")
    assert training.status()["step"] == step and training.status()["state"] == "paused"
    training.good("stop")
    out, _ = training.end()
    assert f"merged after step {step} (ParaView" in out and f"merge 1 undone: back after step {step} (ParaView" in out
