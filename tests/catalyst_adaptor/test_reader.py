# SPDX-License-Identifier: BSD-3-Clause
"""ParaView's reader of recordings, held against the memory of the hosts that recorded."""

import os
import pathlib
import shutil
import subprocess
import sys

import numpy
import pytest

import hosts
import test_reshape
from live_host import LiveHost, weights_at
from test_channels import cells

pytest.importorskip("paraview", reason="no paraview: apt-get install python3-paraview")
from paraview import simple  # noqa: E402
from vtkmodules.util.misc import calldata_type  # noqa: E402
from vtkmodules.util.numpy_support import vtk_to_numpy  # noqa: E402
from vtkmodules.util.vtkConstants import VTK_STRING  # noqa: E402

PLUGIN = pathlib.Path(os.environ["WEIGHTSCAPE_BUILD"]) / "lib" / "weightscape" / "paraview" / "Weightscape.so"
WEIGHTS, NORMS, TRAJECTORY, ACTIVATIONS, CORRELATION = range(5)
HIDDEN = 32  # vtkDataSetAttributes::HIDDENCELL


@pytest.fixture(scope="module", autouse=True)
def plugin():
    simple.LoadPlugin(str(PLUGIN), remote=False, ns=vars(simple))


class Reader:
    """The reader as a script of ParaView uses it; `errors` and `warnings` collect what it tells."""

    def __init__(self, path, layer=None):
        self.proxy = simple.WeightscapeRecording(**({"Layer": layer} if layer else {}))
        self.errors, self.warnings = [], []
        algorithm = self.proxy.GetClientSideObject()
        algorithm.AddObserver("ErrorEvent", self._collector(self.errors))
        algorithm.AddObserver("WarningEvent", self._collector(self.warnings))
        self.proxy.FileName = str(path)

    @staticmethod
    def _collector(lines):
        @calldata_type(VTK_STRING)
        def collect(_, event, text):
            lines.append(text.strip().split("): ", 1)[1])

        return collect

    def steps(self):
        self.proxy.UpdatePipelineInformation()
        return list(self.proxy.TimestepValues)

    def data(self, port, time):
        self.proxy.UpdatePipeline(time)
        return self.proxy.GetClientSideObject().GetOutputDataObject(port)

    def image(self, time, port=WEIGHTS):
        """Cells by name, [y, x]; none if there is nothing to be seen."""
        data = self.data(port, time)
        attributes = data.GetCellData()
        size = [n - 1 for n in data.GetDimensions()[1::-1]]
        names = [attributes.GetArrayName(i) for i in range(attributes.GetNumberOfArrays())]
        return {name: vtk_to_numpy(attributes.GetArray(name)).reshape(size) for name in names}

    def table(self, port, time):
        rows = self.data(port, time).GetRowData()
        names = [rows.GetArrayName(i) for i in range(rows.GetNumberOfArrays())]
        return {name: vtk_to_numpy(rows.GetArray(name)) for name in names}

    def step_shown(self):
        return self.proxy.GetClientSideObject().GetOutputDataObject(WEIGHTS).GetFieldData().GetArray("step").GetValue(0)


@pytest.fixture
def opened():
    """opened(path, layer): a Reader, deleted in the end."""
    readers = []

    def open_(path, layer=None):
        readers.append(Reader(path, layer))
        return readers[-1]

    yield open_
    for reader in readers:
        simple.Delete(reader.proxy)


def assert_shows(image, weights):
    places, size = cells(weights.shape)
    assert image["weight"].shape == size
    hidden = numpy.full(size, HIDDEN)
    for (k, c, r, s), place in places.items():
        assert image["weight"][place].tobytes() == weights[k, c, r, s].tobytes()
        hidden[place] = 0
    assert (image["vtkGhostType"] == hidden).all()


def recorded(folder, record, *scripts, steps=12):
    outcome = hosts.run(folder, *scripts, steps=steps, environment=hosts.without_display(HOST_RECORD=str(record)))
    assert outcome.status == 0, outcome.errors
    return folder / "recording.wsrec"


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    return recorded(tmp_path_factory.mktemp("recorded"), 1)


def host_weights(recording, step, layer):
    values = numpy.fromfile(recording.parent / f"host-{step}.f32", dtype="<f4")
    first = int(numpy.prod(hosts.SHAPES["conv1"]))
    part = values[:first] if layer == "conv1" else values[first:]
    return part.reshape(hosts.SHAPES[layer])


# What is in a recording.


def test_activations_and_correlations_are_shown_where_they_are(opened, tmp_path):
    """Of a run in which filters are merged; a script waits for them at each tenth step."""
    script = test_reshape.script_of(tmp_path / "nowhere")
    test_reshape.run(tmp_path / "run", "10:4", script, HOST_TRANSPORT="record", HOST_RECORD="5")
    reader = opened(tmp_path / "run" / "recording.wsrec")
    for step, filters, sources in ((10, 6, range(6)), (20, 4, range(0, 8, 2)), (10, 6, range(6))):
        shown = reader.image(step, ACTIVATIONS)
        n, k, p, q = numpy.ix_(range(test_reshape.IMAGES), sources, range(test_reshape.P), range(test_reshape.Q))
        expected = numpy.sort((100 * step + 10 * n + k + p / 8 + q / 64).astype(numpy.float32).ravel())
        assert (numpy.sort(shown["activation"][shown["filter"] >= 0]) == expected).all()
        assert (shown["vtkGhostType"] == numpy.where(shown["filter"] >= 0, 0, HIDDEN)).all()
        i, j = numpy.indices((filters, filters))
        assert (reader.image(step, CORRELATION)["pearson"][::-1] == numpy.where(i == j, 1, (i + j) / 1000)).all()
        assert reader.image(step)["weight"].shape == (7, 8 if filters == 6 else 5)
    for port in (ACTIVATIONS, CORRELATION):
        assert reader.data(port, 5).GetNumberOfCells() == 0
    assert reader.image(5)["weight"].size and reader.errors == reader.warnings == []


def test_layers_and_steps_are_listed(opened, recording):
    reader = opened(recording)
    assert reader.steps() == list(range(13))
    assert list(reader.proxy.GetProperty("Layer").GetAvailable()) == ["conv1", "conv2"]
    assert reader.proxy.SMProxy.GetOutputPortName(NORMS) == "Norms"
    assert reader.errors == reader.warnings == []


@pytest.mark.parametrize("layer", hosts.SHAPES)
def test_weights_are_the_hosts_memory_bit_for_bit(opened, recording, layer):
    reader = opened(recording, layer)
    for step in [*range(13), 7, 0]:
        assert_shows(reader.image(step), host_weights(recording, step, layer))
        assert reader.step_shown() == step


def test_the_first_layer_is_shown_unless_one_is_chosen(opened, recording):
    assert_shows(opened(recording).image(3), host_weights(recording, 3, "conv1"))


def test_curves_end_at_the_step(opened, recording):
    reader = opened(recording, "conv2")
    for step in (4, 12, 1, 0):
        norms, walk = reader.table(NORMS, step), reader.table(TRAJECTORY, step)
        assert list(norms["step"]) == list(range(1, step + 1))
        # The host rounds upwards.
        assert list(norms["loss"]) == pytest.approx([1 / (s + 1) for s in norms["step"]], rel=1e-15)
        for s in range(step + 1):
            now = host_weights(recording, s, "conv2")
            assert (walk["w0"][s], walk["w1"][s]) == (now[0, 0, 0, 0], now[0, 0, 0, 1])
            if s > 0:
                assert norms["conv2_weight_l2"][s - 1] == pytest.approx(numpy.sqrt((now.astype(float) ** 2).sum()), rel=1e-13)
        assert list(walk["step"]) == list(range(step + 1))


def test_between_two_steps_the_earlier_one_is_shown(opened, tmp_path):
    recording = recorded(tmp_path, 3)
    reader = opened(recording)
    assert reader.steps() == [0, 3, 6, 9, 12]
    for time, step in ((2.9, 0), (3, 3), (5.999, 3), (100, 12), (-1, 0)):
        assert_shows(reader.image(time), host_weights(recording, step, "conv1"))
    # Rows of the steps between are there all the same.
    assert list(reader.table(NORMS, 9)["step"]) == list(range(1, 10))


def rewritten(recording, target, *how):
    subprocess.run([hosts.HOST.parent / "rewrite_recording", recording, target, *how], check=True)
    return target


def test_a_frame_without_the_layer_shows_nothing(opened, recording, tmp_path):
    path = rewritten(recording, tmp_path / "some.wsrec", "rows", "conv2")
    reader = opened(path, "conv2")
    for step in (0, 1, 2, 5, 4, 3):
        if step % 2 == 0:
            assert_shows(reader.image(step), host_weights(recording, step, "conv2"))
        else:
            assert reader.image(step) == {}
        assert list(reader.table(TRAJECTORY, step)["step"]) == list(range(step + 1))
    assert_shows(opened(path, "conv1").image(3), host_weights(recording, 3, "conv1"))
    assert reader.errors == []


def test_a_shape_may_change_in_mid_run(opened, tmp_path):
    host = LiveHost(tmp_path, (6, 1, 2, 3))
    host.train(range(3))
    host.reshape((3, 1, 2, 3))
    host.train(range(3, 6))
    host.close()
    reader = opened(host.recording)
    surface = simple.ExtractSurface(Input=simple.OutputPort(reader.proxy, WEIGHTS))
    for step in (0, 4, 2, 5, 1):
        shape = (6, 1, 2, 3) if step < 3 else (3, 1, 2, 3)
        assert_shows(reader.image(step), weights_at(step, shape))
        surface.UpdatePipeline(step)
        # Tiles of 2 x 3 boxes: 12 faces above and below, 10 around each.
        assert surface.GetClientSideObject().GetOutputDataObject(0).GetNumberOfCells() == shape[0] * 22
    simple.Delete(surface)
    assert reader.errors == []


def test_rows_may_be_in_the_history_beside_it(opened, recording, tmp_path):
    shutil.copy(recording.parent / "history.ws", tmp_path)
    reader = opened(rewritten(recording, tmp_path / "alone.wsrec", "history"), "conv2")
    for step in (5, 11, 2):
        assert list(reader.table(NORMS, step)["step"]) == list(range(1, step + 1))
        assert_shows(reader.image(step), host_weights(recording, step, "conv2"))
    assert reader.errors == []


def test_without_rows_and_history_it_says_so(opened, recording, tmp_path):
    path = rewritten(recording, tmp_path / "alone.wsrec", "history")
    reader = opened(path)
    assert reader.image(0) == {}
    assert reader.errors == [f"{path}: holds no rows, and there is no history beside it"]


# Files that change.


@pytest.fixture
def host(tmp_path):
    host = LiveHost(tmp_path / "run")
    yield host
    host.close()


def test_what_comes_is_seen(opened, host):
    host.train(range(4))
    reader = opened(host.recording)
    assert reader.steps() == [0, 1, 2, 3]
    assert_shows(reader.image(9), weights_at(3, host.shape))
    host.train(range(4, 10))
    assert reader.steps() == list(range(10))
    assert_shows(reader.image(9), weights_at(9, host.shape))
    assert list(reader.table(NORMS, 9)["step"]) == list(range(1, 10))


def test_the_button_is_enough(opened, host):
    host.train(range(4))
    reader = opened(host.recording)
    reader.image(0)
    host.train(range(4, 6))
    reader.proxy.SMProxy.InvokeCommand("Refresh")
    assert list(reader.proxy.TimestepValues) == [0, 1, 2, 3, 4, 5]


def test_a_recording_that_has_just_begun_is_empty(opened, host):
    reader = opened(host.recording)
    assert reader.steps() == []
    assert reader.image(0) == {} and reader.table(NORMS, 0) == {}
    host.train(range(2))
    assert reader.steps() == [0, 1]
    assert_shows(reader.image(1), weights_at(1, host.shape))
    assert reader.errors == []


def test_a_run_that_is_resumed_from_an_earlier_step(opened, tmp_path):
    """What was recorded after that step is gone; the run comes to the same steps again with other rows."""
    host = LiveHost(tmp_path)
    host.train(range(8))
    host.close()
    reader = opened(host.recording)
    assert reader.table(NORMS, 7)["loss"][6] == 1 / 8
    again = LiveHost(tmp_path, first_step=3)
    again.train(range(4, 11), loss=3.0)
    again.close()
    assert reader.steps() == list(range(11))
    assert list(reader.table(NORMS, 10)["loss"]) == [(1.0 if s <= 3 else 3.0) / (s + 1) for s in range(1, 11)]
    assert reader.errors == []


def test_another_file_in_its_place(opened, recording, tmp_path):
    path, other = tmp_path / "recording.wsrec", recorded(tmp_path / "other", 4)
    shutil.copy(recording, path)
    reader = opened(path)
    assert len(reader.steps()) == 13
    os.replace(other, path)
    assert reader.steps() == [0, 4, 8, 12]
    assert_shows(reader.image(8), host_weights(other, 8, "conv1"))


def test_a_host_that_writes_meanwhile(opened, tmp_path):
    (tmp_path / "out").mkdir()
    command = [hosts.HOST, tmp_path / "out", "20000", "60", "0"]
    running = subprocess.Popen(command, env=hosts.without_display(HOST_RECORD="1"), stdout=subprocess.DEVNULL)
    recording = tmp_path / "out" / "recording.wsrec"
    while not recording.exists() or recording.stat().st_size < 10000:
        assert running.poll() is None
    reader = opened(recording)
    seen = []
    while running.poll() is None:
        last = reader.steps()[-1]
        seen.append(last)
        assert_shows(reader.image(last), host_weights(recording, int(last), "conv1"))
    assert running.returncode == 0
    assert reader.steps()[-1] == 20000
    assert seen == sorted(seen) and len(set(seen)) > 3
    assert reader.errors == reader.warnings == []


# Files that cannot be read.


def flipped(recording, target, byte):
    content = bytearray(recording.read_bytes())
    content[byte] ^= 1
    target.write_bytes(content)
    return target


def records(recording):
    content, places, place = recording.read_bytes(), [], 0
    while (place := content.find(b"WSRFRAME", place)) >= 0:
        places.append(place)
        place += 1
    return places


def test_a_damaged_frame_is_told_once_and_the_others_are_shown(opened, recording, tmp_path):
    damaged = flipped(recording, tmp_path / "damaged.wsrec", records(recording)[6] + 100)
    reader = opened(damaged)
    for step in range(13):
        image = reader.image(step)
        if step == 6:
            assert image == {} and reader.table(NORMS, step) == {}
        else:
            assert_shows(image, host_weights(recording, step, "conv1"))
    # The rows that came with it are not damaged.
    assert list(reader.table(NORMS, 12)["step"]) == list(range(1, 13))
    assert len(reader.errors) == 1
    assert str(damaged) in reader.errors[0] and "frame 6" in reader.errors[0]
    assert "\n" not in reader.errors[0]


def test_a_torn_recording_is_read_up_to_its_last_frame(opened, recording, tmp_path):
    torn = tmp_path / "torn.wsrec"
    torn.write_bytes(recording.read_bytes()[:records(recording)[10] + 50])
    reader = opened(torn)
    assert reader.steps() == list(range(10))
    assert_shows(reader.image(9), host_weights(recording, 9, "conv1"))
    assert reader.errors == []
    assert len(reader.warnings) == 1
    assert f"{torn}: has 13 frames, of which only the first 10 are there in full" in reader.warnings[0]


@pytest.mark.parametrize("content, said", [(b"step,loss\n0,1\n", "no recording"), (b"", "no recording"), (None, "No such file")])
def test_what_is_no_recording_is_told_in_one_line(opened, tmp_path, content, said):
    path = tmp_path / "what.wsrec"
    if content is not None:
        path.write_bytes(content)
    reader = opened(path)
    assert reader.image(0) == {}
    assert reader.image(3) == {}
    assert len(reader.errors) == 1
    assert str(path) in reader.errors[0] and said in reader.errors[0] and "\n" not in reader.errors[0]


def test_a_file_that_is_mended_is_read(opened, recording, tmp_path):
    path = tmp_path / "late.wsrec"
    reader = opened(path)
    reader.image(0)
    shutil.copy(recording, path)
    reader.proxy.SMProxy.InvokeCommand("Refresh")
    assert len(reader.steps()) == 13
    assert_shows(reader.image(4), host_weights(recording, 4, "conv1"))
    assert len(reader.errors) == 1


def test_an_unknown_layer_is_told(opened, recording):
    reader = opened(recording, "conv9")
    assert reader.image(0) == {}
    assert reader.errors == [f"{recording}: has no convolution 'conv9'; those that it has: conv1 conv2"]


# Places and versions.

LOAD = """
import sys
from paraview import simple
simple.LoadPlugin(sys.argv[1], remote=False, ns=globals())
reader = simple.OpenDataFile(sys.argv[2])
print('steps', len(reader.TimestepValues))
"""


def load(plugin, recording, **environment):
    return subprocess.run([sys.executable, "-c", LOAD, plugin, recording], capture_output=True, text=True, timeout=120,
                          env={**hosts.without_display(), **environment})


def test_it_works_where_it_is_installed(recording, tmp_path):
    subprocess.run(["cmake", "--install", os.environ["WEIGHTSCAPE_BUILD"], "--prefix", tmp_path], check=True,
                   stdout=subprocess.DEVNULL)
    plugin = next(tmp_path.glob("lib*/**/Weightscape.so"))
    # All that is in the folder is loaded where PV_PLUGIN_PATH names it.
    assert [path.name for path in plugin.parent.iterdir()] == ["Weightscape.so"]
    done = load(plugin, recording)
    assert "steps 13" in done.stdout, done.stderr


ANOTHER_PARAVIEW = """
const char *version(void) __asm__("_ZN17vtkSMProxyManager24GetParaViewSourceVersionEv");
const char *version(void)
{
    return "paraview version 5.99.3";
}
"""


def test_another_version_of_paraview_is_refused(recording, tmp_path):
    (tmp_path / "another.c").write_text(ANOTHER_PARAVIEW)
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-o", tmp_path / "another.so", tmp_path / "another.c"], check=True)
    done = load(PLUGIN, recording, LD_PRELOAD=str(tmp_path / "another.so"))
    assert done.returncode == 1 and "steps" not in done.stdout
    said = [line for line in done.stderr.splitlines() if "Weightscape is built for" in line]
    assert len(said) == 1 and "and this is ParaView 5.99.3" in said[0]
