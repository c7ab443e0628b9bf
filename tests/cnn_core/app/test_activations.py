# SPDX-License-Identifier: BSD-3-Clause
"""Activations and correlations that pictures of a training show: the numbers are right, and the training is the same."""

import dump_script
import numpy as np
import pytest
from conftest import Run
from make_files import read_safetensors

STEPS, TRAINING = 20, 220
CHANNELS = ("activations_conv1", "correlation_conv1", "activations_conv2", "correlation_conv2")
NET = "conv 4 3x3, relu, maxpool 2, conv 3 3x3, dropout 0.2, linear 10"

ARRAYS = """
def arrays_of(data):
    cells = data.GetCellData()
    out = {cells.GetArrayName(i): vtk_to_numpy(cells.GetArray(i)).copy() for i in range(cells.GetNumberOfArrays())}
    return dict(out, size=numpy.array(data.GetDimensions()[1::-1]) - 1)
"""


@pytest.fixture
def dump(tmp_path):
    (tmp_path / "seen").mkdir()
    return dump_script.write(tmp_path / "dump.py", tmp_path / "seen", CHANNELS, 10, ARRAYS)


def training_images(folder):
    """All that train: the last twelfth validates."""
    pixels = np.fromfile(folder / "train-images-idx3-ubyte", np.uint8, offset=16)
    labels = np.fromfile(folder / "train-labels-idx1-ubyte", np.uint8, offset=8)
    return pixels.reshape(-1, 1, 8, 8)[:TRAINING] / 255.0, labels[:TRAINING]


def convolve(images, weight, bias):
    """[N,C,H,W] * [K,C,3,3], zeros around, in double."""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    height, width = images.shape[2:]
    result = np.zeros((len(images), len(weight), height, width)) + bias.reshape(1, -1, 1, 1)
    for r in range(3):
        for s in range(3):
            result += np.einsum("kc,nchw->nkhw", weight[:, :, r, s], padded[:, :, r : r + height, s : s + width])
    return result


def activations(images, tensors):
    """Of both convolutions; the second has no relu, so what it says may be negative."""
    first = np.maximum(convolve(images, tensors["conv1.weight"], tensors["conv1.bias"]), 0)
    count, filters, height, width = first.shape
    pooled = first.reshape(count, filters, height // 2, 2, width // 2, 2).max(axis=(3, 5))
    return {"conv1": first, "conv2": convolve(pooled, tensors["conv2.weight"], tensors["conv2.bias"])}


def pearson(rows):
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num(np.corrcoef(rows))


def tile(data, filters, rows, columns):
    """[filters, 10 images, rows, columns]."""
    cells = data["activation"].reshape(data["size"])[::-1]
    result = np.empty((filters, 10, rows, columns))
    for k in range(filters):
        for n in range(10):
            top, left = k * (rows + 1), n * (columns + 1)
            result[k, n] = cells[top : top + rows, left : left + columns]
    return result


def test_what_is_shown_is_what_the_network_says(train, small_set, tmp_path, dump):
    """All training images as the probe, whose order then does not matter; compared with numpy, in double."""
    result = train("--run", "run", "--steps", STEPS, "--net", NET, "--probe", 100000, "--pipeline", dump)
    assert result.status == 0 and "failed" not in result.out, result
    tensors, _ = read_safetensors(Run(tmp_path / "run").last)
    images, labels = training_images(small_set)
    expected = activations(images, {name: values.astype(float) for name, values in tensors.items()})
    found = {name: np.load(tmp_path / "seen" / f"{name}-{STEPS}.npz") for name in CHANNELS}
    shown = {"conv1": tile(found["activations_conv1"], 4, 8, 8), "conv2": tile(found["activations_conv2"], 3, 4, 4)}
    # Which image each column shows is found by its activations: ten different ones, a class each.
    distance = np.abs(expected["conv1"][:, None] - shown["conv1"].transpose(1, 0, 2, 3)[None]).max(axis=(2, 3, 4))
    chosen = distance.argmin(axis=0)
    assert distance.min(axis=0).max() < 1e-5
    assert list(labels[chosen]) == list(range(10))
    np.testing.assert_allclose(shown["conv2"].transpose(1, 0, 2, 3), expected["conv2"][chosen], atol=1e-5)
    for layer, values in expected.items():
        count = values.shape[1]
        square = {name: found[f"correlation_{layer}"][name].reshape(count, count)[::-1] for name in ("pearson", "pearson_weights", "dead")}
        rows = values.transpose(1, 0, 2, 3).reshape(count, -1)
        np.testing.assert_allclose(square["pearson"], pearson(rows), atol=1e-5)
        np.testing.assert_allclose(square["pearson_weights"], pearson(tensors[f"{layer}.weight"].reshape(count, -1)), atol=1e-6)
        dead = rows.std(axis=1) == 0
        np.testing.assert_array_equal(square["dead"] > 0, dead[:, None] | dead[None, :])


def test_they_change_no_bit(trained, tmp_path, dump):
    plain = trained("plain", "--steps", STEPS, "--net", NET, "--threads", 2)
    watched = trained("watched", "--steps", STEPS, "--net", NET, "--threads", 2, "--pipeline", dump, "--probe", 7)
    assert watched.last.read_bytes() == plain.last.read_bytes()
    assert watched.numbers() == plain.numbers()
    assert (tmp_path / "seen" / f"correlation_conv2-{STEPS}.npz").exists()


def test_bad_probes_are_refused(train):
    for given in ("0", "-1", "1.5", "many"):
        result = train("--run", "run", "--steps", 1, "--probe", given)
        assert result.status == 2 and "--probe" in result.errors[0], result
