# SPDX-License-Identifier: BSD-3-Clause
"""`make install` into an empty prefix; the example builds from there, both ways, and draws."""

import os
import pathlib
import subprocess

import pytest

import hosts
from test_scripts import EXPORTED

SOURCE = pathlib.Path(os.environ["WEIGHTSCAPE_SOURCE"]) / "catalyst_adaptor" / "example"


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("prefix")
    subprocess.run(["cmake", "--install", os.environ["WEIGHTSCAPE_BUILD"], "--prefix", prefix], check=True,
                   stdout=subprocess.DEVNULL)
    return prefix


def assert_it_draws(program, tmp_path):
    script = hosts.script(tmp_path, "picture.py", EXPORTED)
    output = tmp_path / "pictures"
    done = subprocess.run([program, output, "8", script], capture_output=True, text=True, env=hosts.without_display(), timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "3 of 3 images\n"
    assert len(list(output.glob("picture.cdb/*.png"))) == 3


def test_with_cmake(prefix, tmp_path):
    build = tmp_path / "build"
    subprocess.run(["cmake", "-S", SOURCE, "-B", build, "-DCMAKE_PREFIX_PATH=%s" % prefix], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", build], check=True, stdout=subprocess.DEVNULL)
    assert_it_draws(build / "fake_trainer", tmp_path)


def test_with_pkg_config(prefix, tmp_path):
    found = next(prefix.glob("lib*/**/weightscape.pc")).parent
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "weightscape"], check=True, capture_output=True, text=True,
                           env=dict(os.environ, PKG_CONFIG_PATH=str(found))).stdout.split()
    program = tmp_path / "fake_trainer"
    subprocess.run([os.environ.get("CC", "cc"), "-std=c11", SOURCE / "fake_trainer.c", *flags, "-lm",
                    "-Wl,-rpath,%s" % found.parent, "-o", program], check=True)
    assert_it_draws(program, tmp_path)


def test_the_header_stands_alone(prefix, tmp_path):
    header = prefix / "include" / "weightscape" / "insitu.h"
    for language, standard in (("c", "c11"), ("c++", "c++17")):
        subprocess.run([os.environ.get("CC", "cc"), "-x", language, "-std=" + standard, "-pedantic", "-Wall", "-Werror",
                        "-fsyntax-only", header], check=True)
