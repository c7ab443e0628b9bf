# SPDX-License-Identifier: BSD-3-Clause
"""A training whose filters are merged while scripts draw it and it is recorded: each picture has the shape of its step."""

import dump_script
import numpy as np
import pytest
from conftest import Run, pictures, small_training
from PIL import Image

NET = "conv 6 3x3, relu, maxpool 2, conv 5 3x3, relu, linear 10"
MERGED_AT, LEFT = 50, (4, 3)
CHANNELS = ("weights_conv1", "weights_conv2", "activations_conv2", "correlation_conv1")

ARRAYS = """
def arrays_of(data):
    cells = data.GetCellData()
    numbers = {key: vtk_to_numpy(cells.GetArray(key)).copy() for key in ('filter', 'source') if cells.GetArray(key)}
    return dict(numbers, shape=vtk_to_numpy(data.GetFieldData().GetArray('shape')).ravel())
"""


def dump(folder):
    folder.mkdir()
    return dump_script.write(folder.parent / f"{folder.name}.py", folder, CHANNELS, 10, ARRAYS)


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
                 "--pipeline", merging_script(source), within=120)
    return Run(tmp_path / "run")


def merging_script(source):
    return f"{source / 'pipelines/merging.py'},every=10,size=320x240"


def pixels(folder):
    """Of the pictures of merging.py, by name."""
    found = {}
    for path in sorted(folder.rglob("merging_*.png")):
        with Image.open(path) as picture:
            found[path.stem] = np.asarray(picture.convert("RGB")).copy()
    return found


def assert_same_pixels(drawn, wanted):
    assert drawn.keys() == wanted.keys()
    for name in wanted:
        assert (drawn[name] == wanted[name]).all(), name


def from_step(pictures_of, first):
    return {name: picture for name, picture in pictures_of.items() if int(name[-6:]) >= first}


def test_pictures_and_recording_follow_a_merge(merged, program, tmp_path, source):
    every_tenth = range(0, 80, 10)
    assert_shapes(tmp_path / "seen", every_tenth)
    names = {path.stem for path in pictures(merged)}
    assert names == {f"merging_{layer}_{step:06d}" for layer in ("conv1", "conv2") for step in every_tenth}
    # Who begins to draw after the merge, as a sidecar does that was started again, knows what is fading.
    program.good("replay", "run", "--pipeline", merging_script(source), "--output", "late", "--first", 60, within=120)
    assert_same_pixels(pixels(tmp_path / "late"), from_step(pixels(merged.path), 60))
    fading = pixels(tmp_path / "late")
    assert (fading["merging_conv1_000060"] != fading["merging_conv1_000070"]).any()
    # There and back over the merge.
    for step, filters in ((60, LEFT[0]), (40, 6), (60, LEFT[0])):
        program.good("export", "run", "--step", step, "-o", f"export-{step}")
        assert f'WholeExtent="0 {filters} 0 {filters} 0 1"' in (tmp_path / f"export-{step}" / "correlation_conv1.vti").read_text()
    # A resumed run begins with the shapes that it has, and its frames count their changes anew.
    program.good("train", "--resume", "run", "--steps", 90, within=120)
    assert_shapes(tmp_path / "seen", range(0, 100, 10))
    # All of it drawn again from the recording by one process, of a run that two have trained.
    script = dump(tmp_path / "third")
    program.good("replay", "run", "--pipeline", script, "--pipeline", merging_script(source), "--output", "drawn-again", within=120)
    assert_shapes(tmp_path / "third", range(0, 100, 10))
    assert_same_pixels(pixels(tmp_path / "drawn-again"), pixels(merged.path))
