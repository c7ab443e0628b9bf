# SPDX-License-Identifier: BSD-3-Clause
"""The channel `ranks`: what scripts see is what the host told, and pictures are the same wherever they are drawn."""

import os
import pathlib
import subprocess

import numpy
import pytest

import hosts

PROGRAM = pathlib.Path(os.environ["WEIGHTSCAPE_BIN"]) / "weightscape"
RANKS = 4
DUMP = """
from vtkmodules.util.numpy_support import vtk_to_numpy
import numpy

sources = {name: PVTrivialProducer(registrationName=name) for name in ('ranks', 'ranks_points')}
options.GlobalTrigger = 'TimeStep'
options.GlobalTrigger.Frequency = 10


def catalyst_execute(info):
    for name, source in sources.items():
        source.UpdatePipeline(info.time)
        data = source.GetClientSideObject().GetOutputDataObject(0)
        rows = data.GetRowData() if data.IsA('vtkTable') else data.GetPointData()
        out = {rows.GetArrayName(i): vtk_to_numpy(rows.GetArray(i)).copy() for i in range(rows.GetNumberOfArrays())}
        if not data.IsA('vtkTable'):
            out['points'] = vtk_to_numpy(data.GetPoints().GetData()).copy()
        out['field_step'] = vtk_to_numpy(data.GetFieldData().GetArray('step')).copy()
        numpy.savez('%s/%s-%d.npz' % (FOLDER, name, info.timestep), **out)
"""


@pytest.fixture(scope="module")
def drawn(source, tmp_path_factory):
    """Folders with what was seen of 20 steps: inline, by the sidecar, and of its recording."""
    folders = {}
    picture = f"{source / 'pipelines' / 'ranks.py'},every=10,size=640x480"
    for way in ("inline", "sidecar"):
        folder = folders[way] = tmp_path_factory.mktemp(way)
        dump = hosts.script(folder, "dump.py", f"FOLDER = {str(folder)!r}\n{DUMP}")
        environment = hosts.without_display(HOST_TRANSPORT=way, HOST_RANKS=str(RANKS), HOST_RECORD="10")
        outcome = hosts.run(folder / "out", dump, picture, steps=20, required=1, environment=environment)
        assert (outcome.status, outcome.failures, outcome.written) == (0, 0, 3), outcome.errors
    folders["replay"] = tmp_path_factory.mktemp("replay")
    process = subprocess.run([PROGRAM, "replay", folders["sidecar"] / "out", "--pipeline", picture, "-o", folders["replay"] / "out"],
                             capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, env=hosts.without_display())
    assert process.returncode == 0, process.stderr
    return folders


def share(step, rank):
    return 1 + 0.5 * numpy.sin(0.1 * step + rank)


@pytest.mark.parametrize("way", ["inline", "sidecar"])
def test_a_script_sees_what_the_host_told(drawn, way):
    rank = numpy.arange(RANKS)
    for step in (10, 20):
        seen = numpy.load(drawn[way] / f"ranks-{step}.npz")
        assert seen["field_step"] == [step]
        assert (seen["rank"] == rank).all() and (seen["images"] == 25 + rank).all()
        numpy.testing.assert_allclose(seen["loss"], share(step, rank), rtol=1e-14)
        numpy.testing.assert_allclose(seen["gradient_norm"], 0.1 * share(step, rank + 3), rtol=1e-14)
        assert (seen["step_seconds"] == 0.05).all()
        waits = [0.05 - numpy.where(rank == 2, 2, 1) * (0.02 + 0.001 * share(each, rank)) for each in range(1, step + 1)]
        numpy.testing.assert_allclose(seen["wait_seconds"], waits[-1], rtol=1e-12)
        numpy.testing.assert_allclose(seen["mean_wait_seconds"], numpy.mean(waits, axis=0), rtol=1e-6)
        numpy.testing.assert_allclose(seen["mean_step_seconds"], 0.05, rtol=1e-6)
        assert (seen["mean_of"] == step).all()
        twin = numpy.load(drawn[way] / f"ranks_points-{step}.npz")
        assert (twin["points"] == numpy.stack([rank, 0 * rank, 0 * rank], axis=1)).all()
        for name in set(seen.files) - {"field_step"}:
            assert (twin[name] == seen[name]).all()


def test_before_training_nothing_is_known(drawn):
    seen = numpy.load(drawn["inline"] / "ranks-0.npz")
    assert (seen["rank"] == numpy.arange(RANKS)).all()
    assert all(numpy.isnan(seen[name]).all() for name in ("loss", "gradient_norm", "step_seconds", "mean_step_seconds"))


def test_pictures_are_the_same_wherever_they_are_drawn(drawn):
    for step in (0, 10, 20):
        inline, sidecar, replay = (folder / "out" / "ranks.cdb" / f"ranks_{step:06d}.png" for folder in drawn.values())
        assert inline.read_bytes() == sidecar.read_bytes() == replay.read_bytes()


def test_a_recording_is_exported_with_them(drawn):
    folder = drawn["replay"] / "exported"
    process = subprocess.run([PROGRAM, "replay", drawn["sidecar"] / "out", "--export", "10", "-o", folder], capture_output=True,
                             text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert process.returncode == 0, process.stderr
    table = numpy.genfromtxt(folder / "ranks.csv", delimiter=",", names=True)
    seen = numpy.load(drawn["sidecar"] / "ranks-10.npz")
    assert all((table[name] == seen[name]).all() for name in table.dtype.names)


def test_a_host_that_tells_of_no_ranks_has_no_such_channel(tmp_path, source):
    outcome = hosts.run(tmp_path / "out", f"{source / 'pipelines' / 'ranks.py'},every=10", steps=1)
    assert outcome.status == 2
    assert "there is no channel 'ranks'" in outcome.errors
