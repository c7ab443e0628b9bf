# SPDX-License-Identifier: BSD-3-Clause
"""The contact sheet: fields of weights three times, the rest at its last step."""

import subprocess
import sys

import pytest
from PIL import Image

COLOURS = {"weights_conv1_000000": "red", "weights_conv1_000050": "lime", "weights_conv1_000100": "blue"}


@pytest.fixture
def run(tmp_path):
    """A run folder with a blank in its name and plain pictures in it."""
    folder = tmp_path / "a r\u00fcn"
    images = folder / "images" / "poster.cdb"
    images.mkdir(parents=True)
    for name, colour in {**COLOURS, "norms_000050": "black", "norms_000100": "yellow"}.items():
        Image.new("RGB", (1024, 768), colour).save(images / f"{name}.png")
    return folder


def make(pipelines, *arguments):
    command = [sys.executable, str(pipelines / "contact_sheet.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_pictures_are_on_the_sheet(pipelines, run):
    made = make(pipelines, run)
    assert (made.returncode, made.stderr) == (0, "")
    with Image.open(run / "contact-sheet.png") as sheet:
        width, height = sheet.size
        first_row = [sheet.getpixel((width * part // 6, height // 4)) for part in (1, 3, 5)]
        second_row = sheet.getpixel((width // 6, height * 3 // 4))
    assert first_row == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    assert second_row == (255, 255, 0)


def test_nothing_else_is_left(pipelines, run):
    make(pipelines, run)
    assert sorted(path.name for path in run.iterdir()) == ["contact-sheet.png", "images"]


def test_a_folder_without_pictures(pipelines, tmp_path):
    made = make(pipelines, tmp_path)
    assert made.returncode == 2
    assert made.stderr == f"{tmp_path}: no pictures in {tmp_path / 'images'}\n"


def test_a_picture_that_is_none(pipelines, run):
    (run / "images" / "poster.cdb" / "norms_000200.png").write_text("no picture")
    made = make(pipelines, run)
    assert made.returncode == 1
    assert "norms_000200.png" in made.stderr and made.stderr.count("\n") == 1
    assert not (run / "contact-sheet.png").exists()


def test_usage(pipelines):
    assert make(pipelines).returncode == 2
