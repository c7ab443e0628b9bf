# SPDX-License-Identifier: BSD-3-Clause
"""A host shown live in a ParaView without a window: what arrives, and that no viewer, however it behaves, troubles the host."""

import ctypes
import os
import pathlib
from concurrent.futures import ThreadPoolExecutor

import numpy
import pytest
from live_client import LiveClient
from ports import free_port
from viewed_host import SHAPES, ViewedHost, weights_at
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOXML import vtkXMLImageDataReader

import hosts
import live_fakes

KNOBS = pathlib.Path(os.environ["WEIGHTSCAPE_SOURCE"]) / "catalyst_adaptor" / "bridge" / "knobs.xml"
CHANNELS = sorted([*(f"weights_{layer}" for layer in SHAPES), "norms", "norms_points", *(f"trajectory_{layer}" for layer in SHAPES),
                   *(f"trajectory_{layer}_points" for layer in SHAPES), "status"])
CONNECTED, LEFT = "is connected", "has left"

FILTER = """
channel = PVTrivialProducer(registrationName='weights_conv1')
threshold = Threshold(registrationName='Filters', Input=channel)
threshold.Scalars = ['CELLS', 'filter']
threshold.LowerThreshold, threshold.UpperThreshold = 0, 1000
threshold.ThresholdMethod = 'Between'
"""
# As the GUI exports them: the name of a file, and a Live of their own.
EXPORTED = """
channel = XMLImageDataReader(registrationName='weights_conv1.vti', FileName=['weights_conv1.vti'])
other = PVTrivialProducer(registrationName='weights_conv2')
centers = CellCenters(registrationName='Centers', Input=channel)
options.EnableCatalystLive = 1
options.CatalystLiveURL = 'localhost:{port}'
"""


@pytest.fixture
def host(tmp_path, port):
    """A host that dials `port`."""
    with ViewedHost(tmp_path / "run", f"localhost:{port}") as made:
        yield made


def goes_on(host, steps=3):
    before = host.step
    host.wait(lambda: host.step >= before + steps)


def recorded(host, layer, step, folder):
    library = ctypes.CDLL(str(pathlib.Path(os.environ["WEIGHTSCAPE_BUILD"]) / "lib" / "libweightscape.so"))
    path = os.fsencode(host.folder / "recording.wsrec")
    assert library.ws_recording_export(path, ctypes.c_uint64(step), os.fsencode(folder)) == 0
    reader = vtkXMLImageDataReader()
    reader.SetFileName(str(folder / f"weights_{layer}.vti"))
    reader.Update()
    return vtk_to_numpy(reader.GetOutput().GetCellData().GetArray("weight"))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_what_arrives_is_what_was_recorded(tmp_path, port, count):
    scripts = [hosts.script(tmp_path, "filter.py", FILTER), hosts.script(tmp_path, "exported.py", EXPORTED.format(port=port))][:count]
    with ViewedHost(tmp_path / "run", f"localhost:{port}", scripts, record=1) as host:
        with LiveClient(port, KNOBS) as client:
            extra = ["Filters", "Centers"][:count]
            assert sorted(client.wait_connected()) == sorted(CHANNELS + ["Knobs"] + extra)
            client.extract("weights_conv1", "weights_conv2", *extra)
            step, arrived = -1, {}
            for _ in range(4):
                step, values = client.fetch("weights_conv1", "weight", after=step)
                arrived[step] = values
            later, conv2 = client.fetch("weights_conv2", "weight", after=step)
            made = [client.fetch(name, "weight", after=later) for name in extra]
        for step, values in arrived.items():
            assert values.tobytes() == recorded(host, "conv1", step, tmp_path / f"export{step}").tobytes()
            assert sorted(values[~numpy.isnan(values)]) == sorted(weights_at(step, "conv1").ravel())
        assert conv2.tobytes() == recorded(host, "conv2", later, tmp_path / "export").tobytes()
        for step, values in made:
            assert set(weights_at(step, "conv1").ravel()) <= set(values), "a filter of a script is not of the step that it says"
        # The script's own Live has dialled nobody, and whoever is connected is told once.
        assert len([line for line in host.lines if CONNECTED in line]) == 1


def test_nobody_listens(host):
    host.wait_line("no ParaView waits at localhost:")
    goes_on(host, 400)
    assert len(host.lines) == 1


def test_viewers_come_and_go(host, port):
    goes_on(host)
    for time in range(2):
        with LiveClient(port) as client:
            client.wait_connected(10)
            client.extract("weights_conv1")
            step, _ = client.fetch("weights_conv1")
            client.fetch("weights_conv1", after=step)
            client.leave()
        host.wait_line(LEFT, time + 1)
        goes_on(host)
    for time in range(5):
        with LiveClient(port) as client:
            client.wait_connected(10)
            client.extract("weights_conv1")
            client.fetch("weights_conv1")
            client.kill()
        host.wait_line(LEFT, time + 3)
        goes_on(host)
    lines = [line for line in host.lines if CONNECTED not in line and LEFT not in line]
    assert len(lines) <= 1 and all("no ParaView waits" in line for line in lines), lines
    assert len(host.lines) == 7 * 2 + len(lines)


def cut_off(folder, is_paused):
    port = free_port()
    with ViewedHost(folder, f"localhost:{port}") as host:
        with LiveClient(port) as client:
            client.wait_connected()
            client.extract("weights_conv1")
            client.fetch("weights_conv1")
            if is_paused:
                client.pause()
                host.wait(lambda: host.held_at is not None)
            client.stop()
            if not is_paused:
                goes_on(host, 100)
            host.wait_line("does not answer: it was cut off", seconds=60)
            assert next(line for line in host.lines if "cut off" in line).endswith("; its pause is over") == is_paused
            goes_on(host)
            client.kill()
        with LiveClient(port) as client:
            client.wait_connected()
            client.extract("weights_conv1")
            client.fetch("weights_conv1", after=host.step)


def test_stopped_viewer_is_cut_off(tmp_path):
    """In a pause and without one, at the same time: an answer is awaited for half a minute."""
    with ThreadPoolExecutor() as pool:
        for end in [pool.submit(cut_off, tmp_path / str(is_paused), is_paused) for is_paused in (False, True)]:
            end.result()


@pytest.mark.parametrize("answer, line", [
    (None, "takes calls but says nothing"),
    (live_fakes.speak_http, "belongs to a program that is no ParaView"),
    (live_fakes.be_of_other_library, "is of another version"),
    (live_fakes.be_of_other_version, "is of another version"),
    (live_fakes.leave_in_update, LEFT),
    (live_fakes.ask_for_too_much, LEFT),
])
def test_other_programs(host, port, answer, line):
    with live_fakes.Fake(port, answer) as fake:
        host.wait_line(line)
        host.wait(lambda: fake.calls >= 3)
        goes_on(host, 20)
        about = [told for told in host.lines if line in told]
        assert str(port) in about[0]
        assert len(about) == 1 or line == LEFT
    with LiveClient(port) as client:
        client.wait_connected()
        client.extract("weights_conv1")
        client.fetch("weights_conv1", after=host.step)


def test_pause_rests_the_training(host, port):
    with LiveClient(port, KNOBS) as client:
        client.wait_connected()
        client.extract("weights_conv1")
        client.fetch("weights_conv1")
        for time in range(10):
            client.pause()
            step = host.wait(lambda: host.held_at)
            # What is seen is where it rests, and a knob arrives there.
            assert client.fetch("weights_conv1", after=step - 1)[0] == step
            client.set(learning_rate=0.5 + time)
            host.wait(lambda: len(host.commands) == time + 1)
            assert host.held_at == step == host.step
            client.pause(False)
            host.wait(lambda: host.held_at is None)
            goes_on(host)
        assert host.asked() == [("learning_rate", f"{0.5 + time:.17g}") for time in range(10)]
        assert "ParaView" in host.holders[0]
        client.pause()
        host.wait(lambda: host.held_at)
        client.kill()
    host.wait_line("its pause is over")
    goes_on(host)


def test_what_is_looked_at_later_is_of_the_same_step(host, port):
    with LiveClient(port) as client:
        client.wait_connected()
        client.extract("weights_conv1")
        client.pause()
        step = host.wait(lambda: host.held_at)
        client.extract("weights_conv2")
        seen, values = client.fetch("weights_conv2", "weight", after=step - 1)
        assert seen == step
        assert set(values[~numpy.isnan(values)]) == set(weights_at(step, "conv2").ravel())


def test_knobs_become_commands(tmp_path, port):
    with ViewedHost(tmp_path / "run", f"localhost:{port}") as host:
        host.tell({"state": "training", "knobs": {"learning_rate": "0.125", "schedule": "cosine,floor=0.25,warmup=7", "batch": "64"}})
        with LiveClient(port, KNOBS) as client:
            client.wait_connected()
            in_force = ["learning_rate", "schedule", "schedule_floor", "schedule_warmup", "batch"]
            assert client.get(*in_force) == [0.125, 1, 0.25, 7, 64]
            wanted = []

            def turn(*commands, **values):
                client.set(**values)
                wanted.extend(commands)
                host.wait(lambda: len(host.commands) >= len(wanted))
                assert host.asked() == wanted

            turn(("learning_rate", "0.01"), learning_rate=0.01)
            turn(("momentum", "0.10000000000000001"), ("batch", "128"), momentum=0.1, batch=128)
            turn(("schedule", "step,every=500,factor=0.5,warmup=7"), schedule=2, schedule_every=500, schedule_factor=0.5)
            turn(("checkpoint", ""), checkpoint=1)
            turn(("checkpoint", ""), checkpoint=0)
            turn(("step", "5"), step=1, step_count=5)
            turn(("pause_at", "10000000000"), pause_at=10**10)
            turn(("stop_after_epoch", "1"), ("stop", ""), stop_after_epoch=1, stop=1)
            turn(("weight_decay", "-1024"), weight_decay=-1024.0)
        goes_on(host)
        # A viewer that comes anew sees what is in force, and has wished nothing yet.
        host.tell({"knobs": {"learning_rate": "0.75", "schedule": "constant"}})
        goes_on(host)
        with LiveClient(port, KNOBS) as client:
            client.wait_connected()
            assert client.get("learning_rate", "schedule") == [0.75, 0]
            goes_on(host, 50)
        assert host.asked() == wanted


def test_status_is_shown(tmp_path, port):
    with ViewedHost(tmp_path / "run", f"localhost:{port}") as host:
        host.tell({"state": "paused", "paused_by": "ctl", "images_per_s": 812.5, "refused": "batch: 0 is\nnot from 1 to 60000",
                   "knobs": {"learning_rate": "0.125"}})
        with LiveClient(port) as client:
            client.wait_connected()
            client.extract("status")
            step, text = client.fetch("status", "Text")
            lines = text[0].splitlines()
            assert lines[0] == f"step: {step}"
            for line in ("state: paused", "paused by: ctl", "images per s: 812.5", "refused: batch: 0 is not from 1 to 60000",
                         "  learning rate: 0.125"):
                assert line in lines
            assert client.fetch("status", "images_per_s", after=step)[1] == 812.5
            assert client.fetch("status", "paused_by")[1] == ["ctl"]
            assert client.fetch("status", "knob_learning_rate")[1] == ["0.125"]
            # It comes also while nothing else does.
            client.pause()
            step = host.wait(lambda: host.held_at)
            host.tell({"state": "held"})
            host.wait(lambda: client.fetch("status", "state")[1] == ["held"])
            assert host.held_at == step
            client.pause(False)
            host.tell("{no JSON")
            host.wait_line("the status is no JSON")
            host.tell("[]")
            goes_on(host, 20)
            assert client.fetch("status", "state", after=host.step)[1] == ["held"]
        assert len([line for line in host.lines if "the status is no JSON" in line]) == 1


def test_two_hosts_one_port(tmp_path, port):
    with ViewedHost(tmp_path / "one", f"localhost:{port}") as one, LiveClient(port) as client:
        client.wait_connected()
        with ViewedHost(tmp_path / "two", f"localhost:{port}") as two:
            two.wait_line(f"no ParaView waits at localhost:{port}")
            goes_on(one)
            goes_on(two)
            assert len(two.lines) == 1


def test_scripts_that_fail(tmp_path, port):
    broken = hosts.script(tmp_path, "broken.py", "def catalyst_execute(info):\n    raise ValueError('no')\n")
    inside = hosts.script(tmp_path, "inside.py", "channel = PVTrivialProducer(registrationName='weights_conv1')\n"
                          "code = ProgrammableFilter(registrationName='Code', Input=channel, Script='raise ValueError(\"inside\")')\n")
    with ViewedHost(tmp_path / "run", f"localhost:{port}", [broken, inside]) as host, LiveClient(port) as client:
        client.wait_connected()
        client.extract("weights_conv1", "Code")
        step, _ = client.fetch("weights_conv1")
        client.fetch("weights_conv1", after=step + 20)
        assert any("inside" in line for line in host.lines)
        assert len([line for line in host.lines if "ValueError: inside" in line]) == 1
