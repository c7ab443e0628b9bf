# SPDX-License-Identifier: BSD-3-Clause
"""Each public header compiles alone, as strict C11 and as C++17."""
import os
import subprocess

import pytest
from sources import project_files

PUBLIC = ("cnn_core/include", "catalyst_adaptor/include")


def public_headers(source):
    return [name for name in project_files(source) if name.suffix == ".h" and str(name).startswith(PUBLIC)]


def compile_alone(source, path, language, standard):
    compiler = os.environ["CC" if language == "c" else "CXX"]
    flags = [f"-std={standard}", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    includes = [f"-I{source / folder}" for folder in PUBLIC]
    # Included from an empty file, twice: so it is no main file, and needs its guard.
    text = f'#include "{path}"\n' * 2
    return subprocess.run([compiler, *flags, *includes, "-x", language, "-"], input=text, capture_output=True, text=True)


@pytest.mark.parametrize("language, standard", [("c", "c11"), ("c++", "c++17")])
def test_public_headers_compile_alone(source, language, standard):
    headers = public_headers(source)
    assert headers
    for name in headers:
        result = compile_alone(source, source / name, language, standard)
        assert result.returncode == 0, f"{name} as {standard}:\n{result.stderr}"


@pytest.mark.parametrize("text", ["size_t n;\n", "static inline int f(void) { return 0 }\n", "typedef struct { int x; } t;\n"])
def test_a_header_that_needs_another_is_found(source, tmp_path, text):
    header = tmp_path / "planted.h"
    header.write_text(text)
    assert compile_alone(source, header, "c", "c11").returncode != 0
