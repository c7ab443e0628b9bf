# SPDX-License-Identifier: BSD-3-Clause
"""A training that is shown ends, or is killed, in the middle of a delivery: ParaView, which aborts where the rest of one does not come,
goes on, and nothing is left of the training."""

import os
import signal
import sys

import pytest
from conftest import wait_for
from processes import is_alive, sidecar_of, stat_of

sys.path.append(os.environ["WEIGHTSCAPE_SOURCE"] + "/tests/catalyst_adaptor")
from forwarded_port import ForwardedPort  # noqa: E402
from live_client import LiveClient  # noqa: E402
from ports import free_port  # noqa: E402

# A delivery of 10 MB: more than sockets take in advance, of which a third has gone when the training ends.
NET = "conv 96 5x5, relu, conv 96 5x5, relu, maxpool 2, linear 10"
THIRD = 3_500_000


@pytest.fixture
def shown(program, small_set):
    def start(port):
        return program.start("train", "--data", small_set, "--net", NET, "--batch", 1, "--steps", 10**9, "--threads", 1, "--quiet",
                             "--run", "run", f"--live=localhost:{port}")
    return start


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_in_the_middle_of_a_delivery(shown, port, number):
    near = free_port()
    with LiveClient(port) as client, ForwardedPort(near, port) as line:
        training = shown(near)
        client.wait_connected()
        viewer = sidecar_of(training.pid)
        line.hold_after(THIRD)
        client.extract("weights_conv2")
        wait_for(line.is_held, training)
        training.send_signal(number)
        if number == signal.SIGKILL:
            training.wait()
        line.go_on()
        wait_for(lambda: not is_alive(viewer))
        training.wait(60)
        client.count("weights_conv2", 1)


def is_stopped(pid):
    return all(stat_of(f"{pid}/task/{thread}")[0] == "T" for thread in os.listdir(f"/proc/{pid}/task"))


def test_one_that_is_stopped(shown, port):
    """Nobody is left who could end it."""
    with LiveClient(port) as client:
        training = shown(port)
        client.wait_connected()
        viewer = sidecar_of(training.pid)
        os.kill(viewer, signal.SIGSTOP)
        wait_for(lambda: is_stopped(viewer), training)
        training.kill()
        training.wait()
        wait_for(lambda: not is_alive(viewer))
