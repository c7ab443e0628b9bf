# SPDX-License-Identifier: BSD-3-Clause
"""All pictures of the default network at once, from the first step, and from channels that are still empty."""

import pytest

OF_LAYERS = ("weights", "trajectory", "activations", "correlation", "merging")
PICTURES = {"norms", "learning", *(f"{picture}_{layer}" for picture in OF_LAYERS for layer in ("conv1", "conv2"))}
SCRIPTS = {
    "poster": PICTURES,
    "weights": {"weights_conv1"},
    "norms": {"norms", "learning"},
    "trajectory": {"trajectory_conv1"},
    "activations": {"activations_conv1", "activations_conv2"},
    "correlation": {"correlation_conv1", "correlation_conv2"},
    "merging": {"merging_conv1", "merging_conv2"},
}


def assert_is_a_picture(picture):
    assert (picture[0, -1] == 255).all(), "the page is white"
    assert len({tuple(colour) for colour in picture[::4, ::4].reshape(-1, 3)}) > 4


@pytest.mark.parametrize("script", SCRIPTS)
def test_pictures_from_the_first_step(draw, capfd, script):
    from fake_channels import FakeRun

    drawing = draw(script)
    for step in (0, 1, 700):
        shown = drawing.show(step, FakeRun(step).channels())
        assert set(shown.pictures) == SCRIPTS[script]
        for picture in shown.pictures.values():
            assert_is_a_picture(picture)
    said = capfd.readouterr().err
    assert "ERR|" not in said and "Traceback" not in said


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_can_be_tried_on_empty_channels(draw, capfd, script):
    """The adaptor tries each script before training, when the channels have a type and nothing in them."""
    from vtkmodules.vtkCommonDataModel import vtkImageData, vtkTable

    images = ("weights", "activations", "correlation")
    empty = {f"{name}_{layer}": vtkImageData() for name in images for layer in ("conv1", "conv2")}
    empty.update({name: vtkTable() for name in ("norms", "trajectory_conv1", "trajectory_conv2")})
    assert set(draw(script).show(0, empty).pictures) == SCRIPTS[script]
    said = capfd.readouterr().err
    assert "ERR|" not in said and "Traceback" not in said


def test_a_run_without_activations_has_the_other_pictures(draw):
    """As of a host that has no images to look at."""
    from fake_channels import FakeRun

    channels = {name: data for name, data in FakeRun(3).channels().items() if not name.startswith(("activations_", "correlation_"))}
    shown = draw("poster").show(3, channels)
    assert set(shown.pictures) == {name for name in PICTURES if not name.startswith(("activations", "correlation", "merging"))}


def test_layers_are_those_of_the_run(draw):
    from fake_channels import FakeRun

    run = FakeRun(3, shapes={f"conv{number}": (4, 1, 3, 3) for number in (1, 2, 10)})
    shown = draw("correlation", "--size=320x240").show(3, run.channels())
    assert {f"correlation_conv{number}" for number in (1, 2, 10)} == set(shown.pictures)


def test_only_every_so_many_steps(draw):
    from fake_channels import FakeRun

    channels = FakeRun(30).channels()
    drawing = draw("weights", "--every=10")
    assert [bool(drawing.show(step, channels).pictures) for step in (20, 25, 30)] == [True, False, True]
