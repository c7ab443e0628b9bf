# SPDX-License-Identifier: BSD-3-Clause
"""Arguments of the scripts: good ones arrive, bad ones are refused by name, value and limit."""

import pytest


@pytest.fixture
def arguments(pipelines):
    from weightscape_pictures import arguments

    return arguments


def test_values_arrive(arguments):
    given = ["--layer=conv2", "--every=50", "--size=800x600", "--range=0.5", "--array=delta", "--components=principal"]
    asked = arguments.parse(given, "layer", "every", "size", "range", "array", "components")
    assert vars(asked) == {
        "layer": "conv2",
        "every": 50,
        "size": (800, 600),
        "range": 0.5,
        "array": "delta",
        "components": "principal",
    }


def test_defaults(arguments):
    asked = arguments.parse([], "layer", "every", "size", "range", "array", "components")
    assert (asked.layer, asked.every, asked.size, asked.range) == ("conv1", 100, (1024, 768), None)
    assert (asked.array, asked.components) == ("weight", "weights")


def test_a_script_may_have_defaults_of_its_own(arguments):
    assert arguments.parse([], "layer", "images", layer="all").layer == "all"
    assert arguments.parse(["--layer=conv2"], "layer", layer="all").layer == "conv2"


@pytest.mark.parametrize(
    "given, said",
    [
        ("--every=0", "every=0: must be a whole number of steps, at least 1"),
        ("--every=-5", "every=-5: must be"),
        ("--every=1.5", "every=1.5: must be"),
        ("--every=\u0663", "every=\u0663: must be"),
        ("--every=", "every=: must be"),
        ("--size=1024", "size=1024: must be WIDTHxHEIGHT, each from 240 to 16384 pixels"),
        ("--size=1024x", "size=1024x: must be"),
        ("--size=1024x768x3", "size=1024x768x3: must be"),
        ("--size=10x768", "size=10x768: must be"),
        ("--size=99999x768", "size=99999x768: must be"),
        ("--range=0", "range=0: must be a finite number above 0"),
        ("--range=-1", "range=-1: must be"),
        ("--range=nan", "range=nan: must be"),
        ("--range=inf", "range=inf: must be"),
        ("--range=0,5", "range=0,5: must be"),
        ("--images=0", "images=0: must be a whole number from 1 to 10"),
        ("--images=11", "images=11: must be"),
        ("--of=bias", "of=bias: must be one of activations, weights"),
        ("--fade=0", "fade=0: must be a whole number of pictures, from 1 to 1000"),
        ("--array=bias", "array=bias: must be one of weight, gradient, delta"),
        ("--colour=red", "colour=red: no such argument; there is every, size, range, array, images, of, fade"),
        ("--ever=5", "ever=5: no such argument"),
    ],
)
def test_bad_values_are_refused(arguments, given, said):
    with pytest.raises(ValueError) as refusal:
        arguments.parse([given], "every", "size", "range", "array", "images", "of", "fade")
    assert str(refusal.value).startswith(said)


def test_unknown_layer_is_refused(draw, capfd):
    from fake_channels import FakeRun

    with pytest.raises(RuntimeError):
        draw("weights", "--layer=conv9").show(0, FakeRun(0).channels())
    assert "ValueError: layer=conv9: no such convolution; there is conv1, conv2" in capfd.readouterr().err
