# SPDX-License-Identifier: BSD-3-Clause
"""Machines without a display."""

import pytest

import hosts
from test_scripts import EXPORTED


KILL_THE_SERVER = """
import os, signal, time
source = PVTrivialProducer(registrationName='norms')


def field(process, number):
    with open('/proc/%s/stat' % process) as stat:
        return stat.read().rsplit(')', 1)[1].split()[number]


def catalyst_execute(info):
    if info.timestep == 5:
        children = os.popen('ps -o pid=,comm= --ppid %d' % os.getpid()).read().splitlines()
        server = next(line.split()[0] for line in children if line.endswith('Xvfb'))
        os.kill(int(server), signal.SIGKILL)
        while field(server, 0) != 'Z':
            time.sleep(0.01)
"""


@pytest.fixture
def script(tmp_path):
    return hosts.script(tmp_path, "picture.py", EXPORTED)


@pytest.mark.parametrize("display", [None, ":77", ""])
def test_a_display_is_started_and_ended(tmp_path, script, display):
    environment = hosts.without_display(**({} if display is None else {"DISPLAY": display}))
    outcome = hosts.run(tmp_path / "out", script, environment=environment)
    assert outcome.status == 0, outcome.errors
    assert (outcome.written, outcome.pictures) == (3, 1)
    assert outcome.errors == ""


def path_without_xvfb(tmp_path):
    """A PATH with nothing on it."""
    empty = tmp_path / "empty"
    empty.mkdir()
    return str(empty)


def test_without_xvfb_it_goes_on_after_one_warning(tmp_path, script):
    environment = hosts.without_display(PATH=path_without_xvfb(tmp_path))
    outcome = hosts.run(tmp_path / "out", script, environment=environment)
    assert outcome.status == 0
    assert (outcome.written, outcome.pictures) == (0, 0)
    assert len(outcome.errors.splitlines()) == 1
    assert "apt-get install xvfb" in outcome.errors and "without pictures" in outcome.errors


def test_without_xvfb_it_refuses_if_pictures_are_required(tmp_path, script):
    environment = hosts.without_display(PATH=path_without_xvfb(tmp_path))
    outcome = hosts.run(tmp_path / "out", script, required=1, environment=environment)
    assert outcome.status == 2
    assert "apt-get install xvfb" in outcome.errors


def test_a_script_without_views_needs_no_display(tmp_path):
    script = hosts.script(tmp_path, "data.py",
                          "source = PVTrivialProducer(registrationName='norms')\ndef catalyst_execute(info):\n    pass\n")
    environment = hosts.without_display(PATH=path_without_xvfb(tmp_path))
    outcome = hosts.run(tmp_path / "out", script, environment=environment)
    assert (outcome.status, outcome.pictures, outcome.errors) == (0, 1, "")


def test_without_the_bridge_it_goes_on(tmp_path, script):
    environment = hosts.without_display(WEIGHTSCAPE_BRIDGE=str(tmp_path))
    outcome = hosts.run(tmp_path / "out", script, environment=environment)
    assert (outcome.status, outcome.pictures) == (0, 0)
    assert len(outcome.errors.splitlines()) == 1 and "bridge" in outcome.errors


def test_a_display_that_is_killed_costs_pictures_only(tmp_path):
    """A script kills the server between two steps, as a user or the system may."""
    killer = hosts.script(tmp_path, "killer.py", KILL_THE_SERVER)
    picture = hosts.script(tmp_path, "picture.py", EXPORTED)
    outcome = hosts.run(tmp_path / "out", picture, killer, steps=12)
    assert outcome.status == 0, outcome.errors
    assert (outcome.written, outcome.expected) == (2, 4)
    assert outcome.errors.count("the virtual display has ended") == 1
