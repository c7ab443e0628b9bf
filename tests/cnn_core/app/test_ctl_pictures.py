# SPDX-License-Identifier: BSD-3-Clause
"""A training that waits for pictures answers all the same."""

import json

import pytest
from conftest import small_training, wait_for
from control import Client, ask
from test_ctl import ENDLESS, Training

HANGS = "import time; time.sleep(0 if info.timestep < 10 else 1000)"


@pytest.fixture
def hanging(program, small_set, notes):
    """A training with a script that hangs from step 10 on; it is wanted at each tenth."""
    script, seen = notes(at_step=HANGS)

    def make(*options):
        return Training(program, "run", [*small_training(small_set), "--pipeline", script, "--quiet", *options]), seen

    return make


def test_within_a_step(hanging):
    """Lockstep: the step that is waited for is not over, so that nothing is turned; questions are answered."""
    training, seen = hanging("--steps", ENDLESS, "--lag", "wait")
    wait_for(lambda: 10 in seen(), training.process, within=60)
    wait_for(lambda: training.status()["step"] == 10)
    with Client(training.path) as turner:
        turner.send(b'{"command":"set","values":{"batch":30}}\n{"command":"get"}\n')
        assert training.good("get", "batch") == "batch 20\n"
        assert ask(training.path, "pause")["step"] == 10
        turner.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            turner.answer()
        turner.socket.settimeout(30)
        training.good("stop")
        # The wait is over, and with it the step and the training.
        training.end()
    assert training.run.last_step() == 10


@pytest.mark.parametrize("how", ["stop", "SIGINT"])
def test_while_pictures_are_waited_for(hanging, how):
    training, _ = hanging("--steps", 50)
    training.wait_for_state("waiting for pictures")
    assert training.status()["step"] == 50
    for words in (["pause"], ["continue"], ["step"], ["set", "batch", "30"]):
        result = training.ctl(*words)
        assert result.status == 1 and "the training has ended" in result.errors[0], result
    training.good("checkpoint")
    assert training.good("get", "batch") == "batch 20\n"
    if how == "stop":
        training.good("stop")
    else:
        training.process.send_signal(2)
    training.end(0 if how == "stop" else 130)
    assert training.run.record()["status"] == "complete"
    assert json.loads((training.path / "steering.jsonl").read_text().splitlines()[0])["action"] == "checkpoint"
