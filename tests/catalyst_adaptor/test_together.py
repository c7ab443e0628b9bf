# SPDX-License-Identifier: BSD-3-Clause
"""Ranks that have parts of what is shown: the pictures are those of one process that has all, and what fails on one fails on all."""

import os
import pathlib
import re
import subprocess

import numpy
import pytest
from PIL import Image

import hosts
import mpi_launch

HOST = pathlib.Path(os.environ["WEIGHTSCAPE_BUILD"]) / "tests" / "ranks_host"
STEPS, EVERY = 10, 10
SCRIPTS = ("activations", "ranks")


def pictures(folder):
    return {path.relative_to(folder): numpy.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.glob("*.cdb/*.png"))}


def scripts_of(source):
    return [f"{source / 'pipelines' / name}.py,every={EVERY},size=400x300" for name in SCRIPTS]


@pytest.fixture(scope="session")
def alone(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    process = subprocess.run([HOST, "alone", folder, str(STEPS), *scripts_of(source)], capture_output=True, text=True, timeout=120,
                             stdin=subprocess.DEVNULL, env=hosts.without_display())
    assert process.returncode == 0, process.stderr
    drawn = pictures(folder)
    assert len(drawn) == 2 * (2 + 1)
    return drawn


@pytest.mark.parametrize("count, transport", [(2, "inline"), (3, "sidecar")])
def test_pictures_of_several_ranks_are_those_of_one(source, alone, tmp_path, count, transport):
    process = mpi_launch.run(count, HOST, "together", tmp_path, STEPS, *scripts_of(source), HOST_TRANSPORT=transport)
    assert process.returncode == 0, process.stderr
    told = dict(re.findall(r"rank (\d): images (\d+) of", process.stdout))
    assert told == {str(rank): str(0 if rank else len(alone)) for rank in range(count)}, process.stdout + process.stderr
    drawn = pictures(tmp_path)
    assert set(drawn) == set(alone)
    assert all((drawn[name] == alone[name]).all() for name in alone)
    assert "at step" not in process.stderr


def test_images_that_one_rank_lacks_are_missed_on_all(tmp_path, source):
    process = mpi_launch.run(2, HOST, "together", tmp_path, 0, scripts_of(source)[0], HOST_LACKS="1")
    assert process.returncode == 0, process.stderr
    told = sorted(line for line in process.stderr.splitlines() if "at step 0" in line)
    assert len(told) == 2
    assert all('layer "conv1": all ranks together have 180 activations to show, must be 300' in line for line in told), told


def test_ranks_that_are_told_wrongly_do_not_begin(tmp_path, source):
    process = mpi_launch.run(2, HOST, "together", tmp_path, 0, HOST_LIES="1")
    assert process.returncode == 2
    said = [line for line in process.stderr.splitlines() if "says:" in line]
    assert len(said) == 2 and all("ws_options" in line for line in said), process.stderr
