# SPDX-License-Identifier: BSD-3-Clause
"""What a script sees through VTK: docs/channels.md, held against the host's own memory."""

import numpy
import pytest

import hosts

DUMP = """
import numpy
from paraview import servermanager
from vtkmodules.util.numpy_support import vtk_to_numpy

names = ['weights_conv1', 'weights_conv2', 'norms', 'norms_points', 'trajectory_conv1', 'trajectory_conv1_points']
sources = [PVTrivialProducer(registrationName=name) for name in names]
options.GlobalTrigger = 'TimeStep'
options.GlobalTrigger.Frequency = 3


def arrays(attributes):
    found = {}
    for i in range(attributes.GetNumberOfArrays()):
        array = attributes.GetAbstractArray(i)
        if array.IsA('vtkStringArray'):
            found[array.GetName()] = numpy.array([array.GetValue(j) for j in range(array.GetNumberOfValues())])
        else:
            found[array.GetName()] = vtk_to_numpy(array).copy()
    return found


def catalyst_execute(info):
    for name, source in zip(names, sources):
        source.UpdatePipeline(info.time)
        data = source.GetClientSideObject().GetOutputDataObject(0)
        out = {'field.' + k: v for k, v in arrays(data.GetFieldData()).items()}
        if data.IsA('vtkImageData'):
            out['dimensions'] = numpy.array(data.GetDimensions())
            out.update(arrays(data.GetCellData()))
        elif data.IsA('vtkTable'):
            out.update(arrays(data.GetRowData()))
        else:
            out['points'] = vtk_to_numpy(data.GetPoints().GetData())
            out['lines'] = numpy.array([data.GetNumberOfLines()])
            out.update(arrays(data.GetPointData()))
        numpy.savez('%s/%s-%d.npz' % (FOLDER, name, info.timestep), **out)
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    folder = tmp_path_factory.mktemp("channels")
    script = hosts.script(folder, "dump.py", "FOLDER = %r\n%s" % (str(folder), DUMP))
    outcome = hosts.run(folder / "out", script)
    assert outcome.status == 0, outcome.errors
    assert outcome.failures == 0, outcome.errors

    def load(name, step):
        return numpy.load(folder / ("%s-%d.npz" % (name, step)))

    load.steps = (0, 3, 6, 9)
    load.folder = folder
    return load


def host_weights(seen, step):
    values = numpy.fromfile(seen.folder / "out" / ("host-%d.f32" % step), dtype="<f4")
    count = int(numpy.prod(hosts.SHAPES["conv1"]))
    return {"conv1": values[:count].reshape(hosts.SHAPES["conv1"]), "conv2": values[count:].reshape(hosts.SHAPES["conv2"])}


def cells(shape):
    """(k, c, r, s) -> (y, x) as docs/channels.md lays the tiles out, and the image's size."""
    K, C, R, S = shape
    columns = C if C > 1 else int(numpy.ceil(numpy.sqrt(K)))
    rows = K if C > 1 else -(-K // columns)
    places = {}
    for k in range(K):
        for c in range(C):
            column, row = (c, k) if C > 1 else (k % columns, k // columns)
            for r in range(R):
                for s in range(S):
                    places[k, c, r, s] = ((rows - 1 - row) * (R + 1) + R - 1 - r, column * (S + 1) + s)
    return places, (rows * (R + 1) - 1, columns * (S + 1) - 1)


def test_it_ran_at_its_steps_only(seen):
    assert sorted(int(p.stem.split("-")[1]) for p in seen.folder.glob("norms-*.npz")) == list(seen.steps)


@pytest.mark.parametrize("layer", hosts.SHAPES)
def test_weights_are_the_hosts_memory_bit_for_bit(seen, layer):
    places, size = cells(hosts.SHAPES[layer])
    for step in seen.steps:
        data = seen("weights_" + layer, step)
        assert tuple(data["dimensions"]) == (size[1] + 1, size[0] + 1, 2)
        weight, filters, channels = (data[n].reshape(size) for n in ("weight", "filter", "channel"))
        host = host_weights(seen, step)[layer]
        for (k, c, r, s), place in places.items():
            assert weight[place].tobytes() == host[k, c, r, s].tobytes()
            assert (filters[place], channels[place]) == (k, c)


@pytest.mark.parametrize("layer", hosts.SHAPES)
def test_gaps_are_marked(seen, layer):
    places, size = cells(hosts.SHAPES[layer])
    data = seen("weights_" + layer, 3)
    gap = numpy.ones(size, bool)
    for place in places.values():
        gap[place] = False
    assert gap.any()
    for name in ("weight", "gradient", "delta"):
        assert numpy.isnan(data[name].reshape(size)[gap]).all()
    for name in ("filter", "channel", "group"):
        assert (data[name].reshape(size)[gap] == -1).all()


def test_delta_and_gradient(seen):
    initial, now = host_weights(seen, 0)["conv1"], host_weights(seen, 6)["conv1"]
    places, size = cells(hosts.SHAPES["conv1"])
    data = seen("weights_conv1", 6)
    delta = data["delta"].reshape(size)
    for (k, c, r, s), place in places.items():
        assert delta[place] == now[k, c, r, s] - initial[k, c, r, s]
    # conv2 gives no gradient, conv1 does.
    assert numpy.isfinite(data["gradient"]).sum() == now.size
    assert numpy.isnan(seen("weights_conv2", 6)["gradient"]).all()


def test_field_data(seen):
    data = seen("weights_conv1", 6)
    assert data["field.step"][0] == 6
    assert data["field.epoch"][0] == 1.5
    assert data["field.loss"][0] == pytest.approx(1 / 7, rel=1e-15)
    assert numpy.isnan(data["field.validation_accuracy"][0])
    assert tuple(data["field.shape"]) == hosts.SHAPES["conv1"]
    assert tuple(data["field.layout"]) == (3, 5)
    assert data["field.layer"][0] == "conv1"
    assert data["field.weight_range"][0] == numpy.abs(host_weights(seen, 0)["conv1"]).max()
    assert list(seen("norms", 6)["field.convolutions"]) == ["conv1", "conv2"]
    assert list(seen("norms", 6)["field.layers"]) == ["conv1", "conv2", "fc1"]


def test_norms_equal_an_independent_sum(seen):
    table = seen("norms", 9)
    assert list(table["step"]) == list(range(1, 10))
    # The host rounds upwards, to show that it still does so after every call.
    assert list(table["loss"]) == pytest.approx([1 / (s + 1) for s in range(1, 10)], rel=1e-15)
    for layer in hosts.SHAPES:
        start = host_weights(seen, 0)[layer].astype(float)
        # This host leaves norms to the adaptor, which computes them at the steps that are shown.
        for row, step in enumerate(range(1, 10)):
            if step % 3:
                assert numpy.isnan(table[layer + "_weight_l2"][row])
                continue
            now = host_weights(seen, step)[layer].astype(float)
            assert table[layer + "_weight_l2"][row] == pytest.approx(numpy.sqrt((now**2).sum()), rel=1e-13)
            assert table[layer + "_distance_l2"][row] == pytest.approx(numpy.sqrt(((now - start) ** 2).sum()), rel=1e-13)


def test_trajectory_is_the_walk(seen):
    table = seen("trajectory_conv1", 9)
    assert list(table["step"]) == list(range(10))
    for step in range(10):
        weights = host_weights(seen, step)["conv1"]
        assert table["w0"][step] == weights[0, 0, 0, 0]
        assert table["w1"][step] == weights[0, 0, 0, 1]
    # Principal components: centred, uncorrelated, the first one the longer, the last row not negative.
    first, second = table["pc1"], table["pc2"]
    assert abs(first.mean()) < 1e-6 and abs(second.mean()) < 1e-6
    assert first.var() >= second.var() > 0
    assert abs((first * second).mean()) < 1e-6 * first.std() * second.std() + 1e-9
    assert first[-1] >= 0
    # What they explain is in the proportion of their variances, beside what a random walk has.
    explained = table["field.explained"][0]
    assert explained[0] / explained[1] == pytest.approx(first.var() / second.var(), rel=1e-6)
    assert 0 < explained[2] <= explained[1] and sum(explained) <= 1 + 1e-12
    assert table["field.explained_at_random"][0] == pytest.approx([6 / (numpy.pi * k) ** 2 for k in (1, 2, 3)])


def test_growth_is_not_guessed_from_nine_steps(seen):
    norms = seen("norms", 9)
    for name in ("norm_exponent", "distance_exponent"):
        assert norms["field." + name].shape == (len(norms["field.layers"]), 3) and numpy.isnan(norms["field." + name]).all()
    for layer in hosts.SHAPES:
        assert len(norms[layer + "_gamma"]) == 9 and numpy.isnan(norms[layer + "_gamma"]).all()
    assert numpy.isnan(seen("trajectory_conv1", 9)["field.distance_exponent"]).all()


def test_twins_hold_the_same(seen):
    for name, x, y in (("norms", "step", None), ("trajectory_conv1", "w0", "w1")):
        table, twin = seen(name, 9), seen(name + "_points", 9)
        columns = [k for k in table.files if not k.startswith("field.")]
        for column in columns:
            numpy.testing.assert_array_equal(table[column], twin[column])
        assert list(twin["lines"]) == [1]
        numpy.testing.assert_array_equal(twin["points"][:, 0], table[x])
        numpy.testing.assert_array_equal(twin["points"][:, 1], table[y] if y else 0 * table[x])
