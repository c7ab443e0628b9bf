# SPDX-License-Identifier: BSD-3-Clause
"""What a training drew and what its scripts saw, to be compared with what another one did."""

import dump_script
import numpy as np
from conftest import Run
from PIL import Image

# All of a channel.
ARRAYS = """
def arrays_of(data):
    values = data.GetRowData() if data.IsA('vtkTable') else data.GetCellData()
    return {values.GetArrayName(i): vtk_to_numpy(values.GetArray(i)).copy() for i in range(values.GetNumberOfArrays())}
"""


class Drawn:
    """Pictures by name, arrays by (channel, step) and name; what measures time is left out."""

    def __init__(self, run, seen):
        self.run = run
        images = run.path / "images"
        self.pictures = {str(path.relative_to(images)): np.asarray(Image.open(path).convert("RGB")) for path in sorted(images.rglob("*.png"))}
        self.arrays = {}
        for path in sorted(seen.glob("*.npz")):
            channel, _, step = path.stem.rpartition("-")
            self.arrays[channel, int(step)] = {name: values for name, values in np.load(path).items() if not name.startswith("time")}


def draw(launcher, source, name, how, views, channels, every, *options):
    """A training that draws `views` ("SCRIPT,key=value") and dumps channels at each `every` steps."""
    seen = launcher.folder / f"{name}-seen"
    seen.mkdir()
    dump = dump_script.write(seen / "dump.py", seen, channels, every, ARRAYS)
    scripts = [word for view in views for word in ("--pipeline", f"{source / 'pipelines'}/{view},every={every}")]
    launcher.good("train", "--run", name, "--insitu", how, *scripts, "--pipeline", dump, "--insitu-required", "--strict", *options, within=300)
    return Drawn(Run(launcher.folder / name), seen)


def assert_same(one, other, steps=None):
    """All pictures pixel by pixel, and all arrays; of these steps only, if any are named. What shows ranks tells of times, too.

    Both must have drawn the same views: in one process a chart changes, by a shade, how ParaView draws others."""

    def chosen(drawn):
        pictures = {name: pixels for name, pixels in drawn.pictures.items()
                    if not name.startswith("ranks.cdb/") and (steps is None or int(name[-10:-4]) in steps)}
        arrays = {key: values for key, values in drawn.arrays.items() if key[0] != "ranks" and (steps is None or key[1] in steps)}
        return pictures, arrays

    (pictures, arrays), (other_pictures, other_arrays) = chosen(one), chosen(other)
    assert arrays
    assert set(pictures) == set(other_pictures) and set(arrays) == set(other_arrays)
    for name, pixels in pictures.items():
        assert np.array_equal(pixels, other_pictures[name]), name
    for key, values in arrays.items():
        assert values and set(values) == set(other_arrays[key])
        for name, array in values.items():
            np.testing.assert_array_equal(array, other_arrays[key][name], f"{key} {name}")
