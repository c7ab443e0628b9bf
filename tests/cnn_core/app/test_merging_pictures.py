# SPDX-License-Identifier: BSD-3-Clause
"""A training whose filters are merged while scripts draw it and it is recorded: each picture has the shape of its step."""

import numpy as np
import pytest
from conftest import Run, pictures, small_training

NET = "conv 6 3x3, relu, maxpool 2, conv 5 3x3, relu, linear 10"
MERGED_AT, LEFT = 50, (4, 3)
CHANNELS = ("weights_conv1", "weights_conv2", "activations_conv2", "correlation_conv1")

DUMP = """# script-version: 2.0
import numpy
from paraview.simple import *
from paraview import catalyst
from vtkmodules.util.numpy_support import vtk_to_numpy

sources = [(name, PVTrivialProducer(registrationName=name)) for name in NAMES]
options = catalyst.Options()
options.GlobalTrigger = 'TimeStep'
options.GlobalTrigger.Frequency = 10


def catalyst_execute(info):
    for name, source in sources:
        source.UpdatePipeline(info.time)
        data = source.GetClientSideObject().GetOutputDataObject(0)
        cells = data.GetCellData()
        numbers = {key: vtk_to_numpy(cells.GetArray(key)).copy() for key in ('filter', 'source') if cells.GetArray(key)}
        numpy.savez(f'{FOLDER}/{name}-{info.timestep}.npz', shape=vtk_to_numpy(data.GetFieldData().GetArray('shape')).ravel(), **numbers)
"""


def dump(folder):
    folder.mkdir()
    script = folder.parent / f"{folder.name}.py"
    script.write_text(f"FOLDER, NAMES = {str(folder)!r}, {CHANNELS!r}\n{DUMP}")
    return script


def assert_shapes(folder, steps):
    for step in steps:
        first, second = LEFT if step > MERGED_AT else (6, 5)
        found = {name: np.load(folder / f"{name}-{step}.npz") for name in CHANNELS}
        shapes = {name: list(data["shape"]) for name, data in found.items()}
        assert shapes == {"weights_conv1": [first, 1, 3, 3], "weights_conv2": [second, first, 3, 3],
                          "activations_conv2": [second, 10, 4, 4], "correlation_conv1": [first, first, 1, 1]}, step
        sources = found["weights_conv1"]["source"]
        kept = sorted(set(sources[sources >= 0].tolist()))
        assert len(kept) == first and (kept == list(range(6)) if first == 6 else kept[-1] >= first - 1)


@pytest.fixture
def merged(program, small_set, tmp_path, source):
    """Steps 0 to 70, drawn and recorded each 10th, with a merge after step 50."""
    script = dump(tmp_path / "seen")
    program.good("train", *small_training(small_set)[:2], "--net", NET, "--batch", 20, "--run", "run", "--steps", 70,
                 "--merge", f"at={MERGED_AT},keep={LEFT[0]}+{LEFT[1]}", "--pipeline", script, "--record", 10, "--strict",
                 "--pipeline", f"{source / 'pipelines/merging.py'},every=10,size=320x240", within=120)
    return Run(tmp_path / "run")


def test_pictures_and_recording_follow_a_merge(merged, program, tmp_path):
    every_tenth = range(0, 80, 10)
    assert_shapes(tmp_path / "seen", every_tenth)
    names = {path.stem for path in pictures(merged)}
    assert names == {f"merging_{layer}_{step:06d}" for layer in ("conv1", "conv2") for step in every_tenth}
    # Drawn again from the recording, there and back over the merge.
    script = dump(tmp_path / "again")
    program.good("replay", "run", "--pipeline", script, "--output", "drawn", within=120)
    assert_shapes(tmp_path / "again", every_tenth)
    for step, filters in ((60, LEFT[0]), (40, 6), (60, LEFT[0])):
        program.good("export", "run", "--step", step, "-o", f"export-{step}")
        assert f'WholeExtent="0 {filters} 0 {filters} 0 1"' in (tmp_path / f"export-{step}" / "correlation_conv1.vti").read_text()
    # A resumed run begins with the shapes that it has, and its frames count their changes anew.
    program.good("train", "--resume", "run", "--steps", 90, within=120)
    assert_shapes(tmp_path / "seen", range(0, 100, 10))
    script = dump(tmp_path / "third")
    program.good("replay", "run", "--pipeline", script, "--output", "drawn-again", within=120)
    assert_shapes(tmp_path / "third", range(0, 100, 10))
