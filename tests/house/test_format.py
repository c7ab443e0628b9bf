# SPDX-License-Identifier: BSD-3-Clause
"""C and C++ look as .clang-format says."""
import re
import shutil
import subprocess

import pytest
from sources import c_files

MAJOR = 14  # Debian 12's: other versions break lines elsewhere


@pytest.fixture(scope="module")
def clang_format():
    program = shutil.which("clang-format")
    if not program:
        pytest.skip("clang-format is not installed")
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    if int(re.search(r"version (\d+)", version).group(1)) != MAJOR:
        pytest.skip(f"{version.strip()}: the sources are formatted by version {MAJOR}")
    return program


def check(program, files, style):
    command = [program, "--dry-run", "-Werror", f"--style=file:{style}", *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True)


def test_sources_are_formatted(source, clang_format):
    files = [source / name for name in c_files(source)]
    result = check(clang_format, files, source / ".clang-format")
    unformatted = set(re.findall(r"^(\S.*?):\d+:\d+: error", result.stderr, re.MULTILINE))
    assert (unformatted, result.returncode) == (set(), 0), "`make format` mends it"


def test_a_badly_formatted_file_is_found(source, tmp_path, clang_format):
    planted = tmp_path / "planted.c"
    planted.write_text("int  main( void ){return 0;}\n")
    assert check(clang_format, [planted], source / ".clang-format").returncode != 0
