# SPDX-License-Identifier: BSD-3-Clause
"""Activations, correlations and shapes that change, in a ParaView that looks live."""

import time

import numpy
import pytest
from live_client import PATIENCE, LiveClient
from viewed_host import ACTIVATIONS, CORRELATION, SHOWN, ViewedHost, activations_at, correlation_at, weights_at


@pytest.fixture
def host(tmp_path, port):
    with ViewedHost(tmp_path / "run", f"localhost:{port}", shows_more=True) as made:
        yield made


def values_in(values):
    return sorted(values[~numpy.isnan(values)])


def activations_shown(step, filters):
    return sorted(activations_at(step, filters)[:SHOWN].ravel())


def test_they_come_when_somebody_looks_and_end_when_nobody_does(host, port):
    with LiveClient(port) as client:
        assert {"activations_conv1", "correlation_conv2"} <= set(client.wait_connected())
        client.extract("weights_conv1")
        client.fetch("weights_conv1")
        assert host.prepared == [], "weights cost no activations"
        client.extract("activations_conv1")
        client.fetch("activations_conv1", after=host.wait(lambda: host.prepared)[0][0] - 1)
        step = -1
        for _ in range(3):
            step, values = client.fetch("activations_conv1", "activation", after=max(step, host.prepared[0][0] - 1))
            assert values_in(values) == activations_shown(step, 4)
        assert {wanted & CORRELATION for _, wanted in host.prepared} == {0}
        client.extract("correlation_conv1")
        first = host.wait(lambda: [step for step, wanted in host.prepared if wanted & CORRELATION])[0]
        step, values = client.fetch("correlation_conv1", "pearson", after=first - 1)
        numpy.testing.assert_array_equal(values.reshape(4, 4)[::-1], correlation_at(step, 4))
        client.leave()
    host.wait_line("has left")
    # What was asked for last may still be on its way, on a busy machine for long.
    host.wait(lambda: host.step > host.prepared[-1][0] + 50)


def test_they_come_while_the_training_rests(host, port):
    with LiveClient(port) as client:
        client.wait_connected()
        client.extract("weights_conv1")
        client.fetch("weights_conv1")
        client.pause()
        step = host.wait(lambda: host.held_at)
        client.extract("activations_conv2")
        host.wait(lambda: (step, 0) < max(host.prepared, default=(0, 0)))
        assert host.prepared[-1][0] == step and host.held_at == step
        found = client.fetch("activations_conv2", "activation", after=step - 1)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and (found[1] is None or not len(values_in(found[1]))):
            client.count("activations_conv2", 0.1)
            found = client.fetch("activations_conv2", "activation", after=step - 1)
        assert found[0] == step and values_in(found[1]) == activations_shown(step, 3)
        client.pause(False)
        client.fetch("weights_conv1", after=step)


def test_a_viewer_stays_when_filters_are_merged_and_come_back(host, port):
    with LiveClient(port) as client:
        client.wait_connected()
        client.extract("weights_conv1", "activations_conv1", "correlation_conv1")
        for filters in (4, 3, 4, 1):
            host.reshape(filters)
            step = host.step
            shapes = {"conv1": (filters, 1, 3, 3)}
            found, values = client.fetch("weights_conv1", "weight", after=step)
            assert values_in(values) == sorted(weights_at(found, "conv1", shapes).ravel())
            found, values = client.fetch("activations_conv1", "activation", after=step)
            assert values_in(values) == activations_shown(found, filters)
            found, values = client.fetch("correlation_conv1", "pearson", after=step)
            assert len(values) == filters**2
            found, values = client.fetch("weights_conv1", "delta", after=found)
            assert numpy.isfinite(values).sum() == filters * 9
        assert len([line for line in host.lines if "is connected" in line]) == 1 and not [line for line in host.lines if "left" in line]
