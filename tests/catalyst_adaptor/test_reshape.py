# SPDX-License-Identifier: BSD-3-Clause
"""Activations, correlations and shapes that change in mid-run: what scripts see in process, in the sidecar, and of a recording."""

import collections
import ctypes
import os
import pathlib
import re
import subprocess

import numpy
import pytest

import hosts

HOST = pathlib.Path(os.environ["WEIGHTSCAPE_BUILD"]) / "tests" / "merging_host"
PROGRAM = pathlib.Path(os.environ["WEIGHTSCAPE_BIN"]) / "weightscape"
LIBRARY = ctypes.CDLL(str(pathlib.Path(os.environ["WEIGHTSCAPE_BUILD"]) / "lib" / "libweightscape.so"))
IMAGES, P, Q = 10, 4, 5  # as shown

DUMP = """
from vtkmodules.util.numpy_support import vtk_to_numpy
import numpy

sources = [PVTrivialProducer(registrationName=name) for name in NAMES]
options.GlobalTrigger = 'TimeStep'
options.GlobalTrigger.Frequency = 10


def catalyst_execute(info):
    for name, source in zip(NAMES, sources):
        source.UpdatePipeline(info.time)
        data = source.GetClientSideObject().GetOutputDataObject(0)
        cells, field = data.GetCellData(), data.GetFieldData()
        out = {cells.GetArrayName(i): vtk_to_numpy(cells.GetArray(i)).copy() for i in range(cells.GetNumberOfArrays())}
        for key in ('shape', 'whole', 'merged', 'merged_weight'):
            if field.GetArray(key):
                out[key] = vtk_to_numpy(field.GetArray(key)).copy()
        out['size'] = numpy.array(data.GetDimensions()[1::-1]) - 1
        numpy.savez('%s/%s-%d.npz' % (FOLDER, name, info.timestep), **out)
"""
ALL = ("weights_conv1", "weights_conv2", "activations_conv1", "activations_conv2", "correlation_conv1")

Outcome = collections.namedtuple("Outcome", "errors prepared written expected failures restarts")


def script_of(folder, names=ALL, name="dump.py"):
    folder.mkdir(exist_ok=True)
    return hosts.script(folder, name, f"FOLDER, NAMES = {str(folder)!r}, {list(names)!r}\n{DUMP}")


def run(output, changes, *scripts, steps=20, **settings):
    output.mkdir(exist_ok=True)
    process = subprocess.run([HOST, output, str(steps), changes, *map(str, scripts)], capture_output=True, text=True, timeout=120,
                             stdin=subprocess.DEVNULL, env=hosts.without_display(**settings))
    assert process.returncode == 0, process.stderr
    prepared = {int(step): int(wanted) for step, wanted in re.findall(r"prepared (\d+):(\d+)", process.stdout)}
    counts = map(int, re.search(r"images (\d+) of (\d+), failures (\d+), restarts (\d+)", process.stdout).groups())
    return Outcome(process.stderr, prepared, *counts)


def program(*arguments):
    process = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
                             env=hosts.without_display())
    assert process.returncode == 0, process.stderr
    return process


def seen(folder, name, step):
    return numpy.load(folder / f"{name}-{step}.npz")


def sources_of(filters, merged):
    return (2 if merged else 1) * numpy.arange(filters)


def tile(data, name, filters, parts, rows, columns):
    """A tiled array as [filters, parts, rows, columns], as docs/channels.md lays it out."""
    across = parts if parts > 1 else int(numpy.ceil(numpy.sqrt(filters)))
    cells = data[name].reshape(data["size"])
    result = numpy.empty((filters, parts, rows, columns), cells.dtype)
    down = filters if parts > 1 else -(-filters // across)
    for k in range(filters):
        for c in range(parts):
            i, j = (c, k) if parts > 1 else (k % across, k // across)
            for r in range(rows):
                for s in range(columns):
                    result[k, c, r, s] = cells[(down - 1 - j) * (rows + 1) + rows - 1 - r, i * (columns + 1) + s]
    return result


def check_beginning(folder, step, filters, merged_after):
    """What the run began with, and what is there no more."""
    first, second = seen(folder, "weights_conv1", step), seen(folder, "weights_conv2", step)
    assert list(first["whole"]) == [16, 1] and list(second["whole"]) == [3, 16]
    channel = tile(second, "source_channel", 3, filters, 2, 2)
    numpy.testing.assert_array_equal(channel[0, :, 0, 0], sources_of(filters, merged_after is not None))
    assert "merged" not in second and ("merged" in first) == (merged_after is not None)
    if merged_after is not None:
        assert first["merged"].tolist() == [[1, 0, merged_after], [3, -1, merged_after]]
        assert first["merged_weight"].tolist() == [[1000 + i for i in range(6)], [3000 + i for i in range(6)]]


def check(folder, step, filters, merged_after):
    """All channels at a step, cell by cell; `merged_after`: a step, None before."""
    merged = merged_after is not None
    check_beginning(folder, step, filters, merged_after)
    sources = sources_of(filters, merged)
    data = seen(folder, "weights_conv1", step)
    assert list(data["shape"]) == [filters, 1, 3, 2]
    weight = tile(data, "weight", filters, 1, 3, 2)
    expected = step + sources.reshape(-1, 1, 1, 1) / 8 + numpy.arange(6).reshape(1, 1, 3, 2) / 1024
    numpy.testing.assert_array_equal(weight, expected.astype(numpy.float32))
    numpy.testing.assert_array_equal(tile(data, "source", filters, 1, 3, 2)[:, 0, 0, 0], sources)
    numpy.testing.assert_array_equal(tile(data, "group", filters, 1, 3, 2)[:, 0, 0, 0], group_of(filters))
    for layer, count, numbers in (("conv1", filters, sources), ("conv2", 3, numpy.arange(3))):
        data = seen(folder, f"activations_{layer}", step)
        assert list(data["shape"]) == [count, IMAGES, P, Q]
        n, k, p, q = numpy.ix_(numpy.arange(IMAGES), numbers, numpy.arange(P), numpy.arange(Q))
        expected = (100 * step + 10 * n + k + p / 8 + q / 64).astype(numpy.float32).transpose(1, 0, 2, 3)
        numpy.testing.assert_array_equal(tile(data, "activation", count, IMAGES, P, Q), expected)
        numpy.testing.assert_array_equal(tile(data, "image", count, IMAGES, P, Q)[0, :, 0, 0], numpy.arange(IMAGES))
        numpy.testing.assert_array_equal(tile(data, "filter", count, IMAGES, P, Q)[:, 0, 0, 0], numpy.arange(count))
    check_correlation(seen(folder, "correlation_conv1", step), filters)


def group_of(filters):
    return numpy.where(numpy.isin(numpy.arange(filters), (0, 2)), 0, -1)


def check_correlation(data, filters):
    i, j = numpy.indices((filters, filters))
    square = {name: data[name].reshape(filters, filters)[::-1] for name in data.files if name not in ("shape", "size")}
    expected = numpy.where(i == j, 1, (i + j) / 1000)
    numpy.testing.assert_array_equal(square["pearson"], expected)
    numpy.testing.assert_array_equal(square["pearson_weights"], -expected)
    numpy.testing.assert_array_equal(square["filter"], i)
    numpy.testing.assert_array_equal(square["other"], j)
    numpy.testing.assert_array_equal(square["dead"], (i == 1) | (j == 1))
    both = numpy.isin(i, (0, 2)) & numpy.isin(j, (0, 2))
    numpy.testing.assert_array_equal(square["group"], numpy.where(both, 0, -1))


@pytest.mark.parametrize("transport, lazy", [("inline", ""), ("sidecar", "1")])
def test_channels_hold_what_the_host_has(tmp_path, transport, lazy):
    outcome = run(tmp_path / "run", "10:4", script_of(tmp_path / "seen"), HOST_TRANSPORT=transport, HOST_LAZY=lazy)
    assert (outcome.failures, outcome.errors) == (0, "")
    check(tmp_path / "seen", 0, 6, None)
    check(tmp_path / "seen", 10, 6, None)
    check(tmp_path / "seen", 20, 4, 10)


# Fewer, and as many again as after an undone merge, which fits; and more than there ever were.
@pytest.mark.parametrize("transport", ["inline", "sidecar"])
def test_filters_come_and_go(tmp_path, transport):
    outcome = run(tmp_path / "run", "10:4,20:6,30:12,40:1", script_of(tmp_path / "seen"), steps=50, HOST_TRANSPORT=transport)
    assert (outcome.failures, outcome.errors, outcome.restarts) == (0, "", 0)
    for step, filters, merged_after in ((10, 6, None), (20, 4, 10), (30, 6, None), (40, 12, None), (50, 1, 40)):
        check(tmp_path / "seen", step, filters, merged_after)


def test_nothing_is_computed_for_nobody(tmp_path):
    """Also not while a script that wants other things runs for the first time, or is tried; then no group is known."""
    assert run(tmp_path / "a", "", HOST_TRANSPORT="inline", HOST_RECORD="5").prepared == {}
    weights = script_of(tmp_path / "seen", ["weights_conv1"])
    assert run(tmp_path / "b", "", weights, HOST_TRANSPORT="inline", HOST_LAZY="1").prepared == {}
    assert (seen(tmp_path / "seen", "weights_conv1", 10)["group"] == -1).all()


def test_only_what_is_looked_at_is_asked_for(tmp_path):
    only = script_of(tmp_path / "seen", ["activations_conv1"], "only.py")
    outcome = run(tmp_path / "run", "", only, HOST_TRANSPORT="inline")
    activations, correlation = 2, 4  # ws_wants
    assert {step: wanted & (activations | correlation) for step, wanted in outcome.prepared.items()} == dict.fromkeys((0, 10, 20), activations)


def test_a_recording_has_each_step_in_its_own_shape(tmp_path):
    """Drawn forwards, and step by step there and back."""
    recorded = script_of(tmp_path / "nowhere")
    run(tmp_path / "run", "50:4", recorded, steps=60, HOST_TRANSPORT="record", HOST_RECORD="10")
    program("replay", tmp_path / "run", "--pipeline", script_of(tmp_path / "seen"), "--output", tmp_path / "out")
    for step in range(0, 70, 10):
        check(tmp_path / "seen", step, 4 if step > 50 else 6, 50 if step > 50 else None)


def test_an_export_has_the_shape_of_its_step(tmp_path):
    """Going back over the change, too."""
    vtk = pytest.importorskip("vtkmodules.vtkIOXML", reason="no VTK: apt-get install python3-paraview")
    run(tmp_path / "run", "50:4", script_of(tmp_path / "nowhere"), steps=60, HOST_TRANSPORT="record", HOST_RECORD="10")
    for number, (step, filters) in enumerate(((60, 4), (40, 6), (60, 4))):
        folder = tmp_path / f"export-{number}"
        assert LIBRARY.ws_recording_export(os.fsencode(tmp_path / "run" / "recording.wsrec"), ctypes.c_uint64(step), os.fsencode(folder)) == 0
        reader = vtk.vtkXMLImageDataReader()
        reader.SetFileName(str(folder / "correlation_conv1.vti"))
        reader.Update()
        assert reader.GetOutput().GetDimensions() == (filters + 1, filters + 1, 2)
        assert (folder / "activations_conv2.vti").exists()


def test_a_host_that_offers_nothing_has_no_such_channels(tmp_path):
    outcome = hosts.run(tmp_path / "out", hosts.script(tmp_path, "ask.py", "PVTrivialProducer(registrationName='activations_conv1')\n"))
    assert "there is no channel 'activations_conv1'" in outcome.errors
