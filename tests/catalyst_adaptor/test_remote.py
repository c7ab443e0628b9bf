# SPDX-License-Identifier: BSD-3-Clause
"""A training here, a ParaView there, and a forwarded port between them."""

import os
import pathlib
import socket

import pytest
from forwarded_port import ForwardedPort
from listening import listening
from live_client import LiveClient
from ports import free_port
from viewed_host import ViewedHost, weights_at

KNOBS = pathlib.Path(os.environ["WEIGHTSCAPE_SOURCE"]) / "catalyst_adaptor" / "bridge" / "knobs.xml"


@pytest.fixture
def ends():
    near, far = free_port(), free_port()
    while far == near:
        far = free_port()
    return near, far


def test_a_forwarded_port(tmp_path, ends):
    near, far = ends
    with ForwardedPort(near, far) as line, ViewedHost(tmp_path / "run", f"localhost:{near}") as host:
        # Nobody behind it yet: it takes calls, and drops them.
        host.wait(lambda: line.dropped >= 3)
        assert len(host.lines) <= 1, host.lines
        for time in range(2):
            with LiveClient(far, KNOBS) as client:
                client.wait_connected(15)
                client.extract("weights_conv1")
                step, values = client.fetch("weights_conv1", "weight", after=host.step)
                assert set(weights_at(step, "conv1").ravel()) <= set(values)
                client.set(learning_rate=0.25 + time)
                host.wait(lambda: ("learning_rate", f"{0.25 + time:.17g}") in host.asked())
                client.pause()
                rest = host.wait(lambda: host.held_at)
                assert client.fetch("weights_conv1", after=rest - 1)[0] == rest
                line.cut()
                # A hold ends with its connection.
                host.wait(lambda: host.held_at is None)
                client.kill()
            host.wait_line("its pause is over", time + 1)
        assert not [line for line in host.lines if "signal" in line]


def test_nothing_listens(tmp_path, ends):
    _, port = ends
    with ViewedHost(tmp_path / "run", f"localhost:{port}") as host:
        with LiveClient(port) as client:
            client.wait_connected()
            client.extract("weights_conv1")
            client.fetch("weights_conv1")
            here = [child for task in pathlib.Path("/proc/self/task").iterdir()
                    for child in (task / "children").read_text().split() if int(child) != client.process.pid]
            assert here, "there is no process that shows it live"
            assert [address for child in here for address in listening(child)] == []
    with socket.create_server(("127.0.0.1", 0)) as one:
        assert [int(address.split(":")[1], 16) for address in listening(os.getpid())] == [one.getsockname()[1]]
