# SPDX-License-Identifier: BSD-3-Clause
"""The filters that the plugin brings: boxes of weights, and tables fit for a logarithmic axis."""

import math
import os
import pathlib

import numpy
import pytest

pytest.importorskip("paraview", reason="no paraview: apt-get install python3-paraview")
from paraview import simple  # noqa: E402
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy  # noqa: E402
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPolyData, vtkTable  # noqa: E402

PLUGIN = pathlib.Path(os.environ["WEIGHTSCAPE_BUILD"]) / "lib" / "weightscape" / "paraview" / "Weightscape.so"
HEIGHT, MARGIN, FACES = 1.3, 0.08, 5


@pytest.fixture(scope="module", autouse=True)
def plugin():
    simple.LoadPlugin(str(PLUGIN), remote=False, ns=vars(simple))


def producer(data):
    made = simple.PVTrivialProducer()
    made.GetClientSideObject().SetOutput(data)
    return made


def add(attributes, name, values, dtype):
    array = numpy_to_vtk(numpy.asarray(values, dtype).ravel(), deep=True)
    array.SetName(name)
    attributes.AddArray(array)


def image(weights, filters, weight_range=None):
    """A channel weights_L; arrays [y, x]."""
    made = vtkImageData()
    made.SetDimensions(weights.shape[1] + 1, weights.shape[0] + 1, 2)
    add(made.GetCellData(), "weight", weights, numpy.float32)
    add(made.GetCellData(), "gradient", weights / 10, numpy.float32)
    add(made.GetCellData(), "filter", filters, numpy.int32)
    if weight_range is not None:
        add(made.GetFieldData(), "weight_range", [weight_range], numpy.float64)
    return made


def boxes(source, **properties):
    """Faces as corners [box, face, corner, xyz], and the filter's output."""
    made = simple.WeightscapeBoxes(Input=source, **properties)
    made.UpdatePipeline()
    output = made.GetClientSideObject().GetOutputDataObject(0)
    if not output.GetNumberOfCells():
        return numpy.empty((0, FACES, 4, 3)), output
    corners = vtk_to_numpy(output.GetPolys().GetConnectivityArray())
    assert (numpy.diff(vtk_to_numpy(output.GetPolys().GetOffsetsArray())) == 4).all()
    return vtk_to_numpy(output.GetPoints().GetData())[corners].reshape(-1, FACES, 4, 3), output


WEIGHTS = numpy.array([[0.1, -0.2, numpy.nan, 0.25], [0.5, numpy.inf, numpy.nan, -9.0], [0.0, numpy.nan, numpy.nan, 0.3]])
FILTERS = numpy.array([[0, 0, -1, 1], [0, 0, -1, 1], [2, 2, -1, 3]])


@pytest.mark.parametrize("end", [0.4, 2.0])
def test_each_weight_is_a_box_from_the_ground_to_its_value(end):
    faces, output = boxes(producer(image(WEIGHTS, FILTERS)), Range=end)
    y, x = numpy.nonzero(FILTERS >= 0)
    assert len(faces) == len(y)
    for box, row, column in zip(faces, y, x):
        value = WEIGHTS[row, column]
        height = HEIGHT * max(-1, min(1, value / end)) if math.isfinite(value) else 0
        corners = box.reshape(-1, 3)
        assert numpy.allclose(corners.min(0), [column + MARGIN, row + MARGIN, min(height, 0)], atol=1e-6)
        assert numpy.allclose(corners.max(0), [column + 1 - MARGIN, row + 1 - MARGIN, max(height, 0)], atol=1e-6)
        # The first face is the top, seen from above; the others are walls.
        assert numpy.allclose(box[0, :, 2], max(height, 0), atol=1e-6)
        edges = numpy.diff(box[0, :3], axis=0)
        assert numpy.cross(edges[0], edges[1])[2] > 0
        for wall in box[1:]:
            assert numpy.ptp(wall[:, 0]) < 1e-6 or numpy.ptp(wall[:, 1]) < 1e-6
    told = vtk_to_numpy(output.GetCellData().GetArray("weight")).reshape(-1, FACES)
    expected = numpy.where(numpy.isfinite(WEIGHTS[y, x]), WEIGHTS[y, x], numpy.nan).astype(numpy.float32)
    assert numpy.array_equal(told, numpy.repeat(expected[:, None], FACES, 1), equal_nan=True)
    assert list(vtk_to_numpy(output.GetCellData().GetArray("filter"))[::FACES]) == list(FILTERS[y, x])


@pytest.mark.parametrize("array, weight_range, end", [
    ("weight", 0.5, 1.0), ("weight", 0.51, 1.5), ("weight", 0.11, 0.25), ("gradient", 0.5, 0.1), ("weight", 0.0, 1.0),
    ("weight", float("nan"), 1.0), ("weight", None, 1.0)])
def test_the_scale_follows_from_the_initial_weights(array, weight_range, end):
    _, output = boxes(producer(image(WEIGHTS, FILTERS, weight_range)), Array=array)
    assert output.GetFieldData().GetArray("end").GetValue(0) == pytest.approx(end)


def test_shapes_may_change():
    source = producer(image(WEIGHTS, FILTERS))
    filter_ = simple.WeightscapeBoxes(Input=source)
    filter_.UpdatePipeline()
    source.GetClientSideObject().SetOutput(image(numpy.zeros((7, 5)), numpy.zeros((7, 5))))
    source.MarkModified(source.SMProxy)
    filter_.UpdatePipeline()
    assert filter_.GetClientSideObject().GetOutputDataObject(0).GetNumberOfCells() == 7 * 5 * FACES


@pytest.mark.parametrize("name", ["WeightscapeBoxes", "WeightscapeCurves"])
def test_what_is_no_channel_makes_nothing(name):
    made = getattr(simple, name)(Input=producer(vtkPolyData()))
    made.UpdatePipeline()
    output = made.GetClientSideObject().GetOutputDataObject(0)
    assert not output.GetNumberOfElements(0) and not output.GetNumberOfElements(6)


def test_curves_have_gaps_where_a_logarithm_has_none():
    columns = {"step": [0, 1, 2], "loss": [1, 0, numpy.nan], "validation_loss": [-1, 2, 0], "accuracy": [0, 0.5, 1],
               "learning_rate": [0, 1e-3, 0], "conv1_weight_l2": [1, 0, 2], "conv1_gradient_l2": [0, 3, numpy.inf]}
    table = vtkTable()
    for name, values in columns.items():
        add(table.GetRowData(), name, values, numpy.float64)
    made = simple.WeightscapeCurves(Input=producer(table))
    made.UpdatePipeline()
    rows = made.GetClientSideObject().GetOutputDataObject(0).GetRowData()
    assert [rows.GetArrayName(i) for i in range(rows.GetNumberOfArrays())] == list(columns)
    for name, values in columns.items():
        values = numpy.array(values, float)
        expected = values if name in ("step", "accuracy") else numpy.where(values > 0, values, numpy.nan)
        assert numpy.array_equal(vtk_to_numpy(rows.GetArray(name)), expected, equal_nan=True), name


@pytest.mark.parametrize("columns, expected", [
    ({"step": [], "loss": [], "w0": []}, {"step": 0, "loss": numpy.nan, "w0": numpy.nan}),
    ({"step": [7], "loss": [0], "w0": [-3]}, {"step": 7, "loss": numpy.nan, "w0": -3}),
])
def test_what_is_no_curve_yet_has_two_rows(columns, expected):
    table = vtkTable()
    for name, values in columns.items():
        add(table.GetRowData(), name, values, numpy.float64)
    made = simple.WeightscapeCurves(Input=producer(table))
    made.UpdatePipeline()
    rows = made.GetClientSideObject().GetOutputDataObject(0).GetRowData()
    for name, value in expected.items():
        assert numpy.array_equal(vtk_to_numpy(rows.GetArray(name)), [value, value], equal_nan=True)
