# SPDX-License-Identifier: BSD-3-Clause
"""doctor: what works, and what mends the rest."""

import re

import make_files
from conftest import environment


def test_a_machine_on_which_all_works(program):
    out = program.good("doctor").out
    assert re.search(r"^ok +ParaView: \d+\.\d+", out, re.MULTILINE)
    assert re.search(r"^ok +Python: 3\.", out, re.MULTILINE)
    assert re.search(r"^ok +display: ", out, re.MULTILINE)
    assert "MPI" in out and "MISSING" not in out


def test_no_display(program, tmp_path):
    (tmp_path / "empty").mkdir()
    result = program("doctor", env=environment(DISPLAY=None, PATH=str(tmp_path / "empty")))
    assert result.status == 1
    assert re.search(r"^MISSING +display", result.out, re.MULTILINE)
    assert "apt-get install xvfb" in result.out


def test_data(program, small_set, tmp_path):
    assert "220 + 20 + 50 images" in program.good("doctor", "--data", small_set).out
    make_files.write_idx(tmp_path / "bad", labels=[11] * 40)
    result = program("doctor", "--data", "bad")
    assert result.status == 1 and "label 11" in result.out


def test_scripts(program, source, tmp_path):
    (tmp_path / "broken.py").write_text("# script-version: 2.0\ndef broken(:\n")
    good = source / "pipelines/weights.py"
    assert f"ok       script: {good}" in program.good("doctor", "--pipeline", good).out
    result = program("doctor", "--pipeline", good, "--pipeline", "broken.py", "--pipeline", "missing.py")
    assert result.status == 1
    assert f"ok       script: {good}" in result.out
    assert re.search(r"^BAD +script: broken\.py: .*SyntaxError", result.out, re.MULTILINE)
    assert re.search(r"^BAD +script: missing\.py: ", result.out, re.MULTILINE)
