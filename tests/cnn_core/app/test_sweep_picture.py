# SPDX-License-Identifier: BSD-3-Clause
"""The picture at the end of a sweep; a machine that cannot draw it has all the rest."""

from conftest import NET, without_xvfb
from PIL import Image


def call(small_set, folder):
    return ["sweep", "--data", small_set, "-o", folder, "--vary", "lr=0.01,0.1", "--", "--net", NET, "--batch", 20,
            "--steps", 11]


def test_it_is_drawn(program, small_set, tmp_path):
    result = program.good(*call(small_set, "s"), within=120)
    assert result.out.splitlines()[-1] == "picture: s/compare.png" and not result.errors
    with Image.open(tmp_path / "s/compare.png") as picture:
        assert picture.size == (1600, 1000)


def test_without_a_display_the_rest_is_done(program, small_set, tmp_path):
    result = program(*call(small_set, "s"), env=without_xvfb(tmp_path))
    assert result.status == 0 and (tmp_path / "s/sweep.csv").exists()
    assert len(result.errors) == 1 and "compare.png: not drawn" in result.errors[0] and "xvfb" in result.errors[0]
