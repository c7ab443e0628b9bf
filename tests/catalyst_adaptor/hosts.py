# SPDX-License-Identifier: BSD-3-Clause
"""Runs strided_host, and names what its head promises."""

import os
import pathlib
import re
import subprocess

HOST = pathlib.Path(os.environ["WEIGHTSCAPE_BUILD"]) / "tests" / "strided_host"
SHAPES = {"conv1": (5, 3, 2, 4), "conv2": (4, 1, 3, 3)}

HEADER = "# script-version: 2.0\nfrom paraview.simple import *\nfrom paraview import catalyst\noptions = catalyst.Options()\n"


class Outcome:
    def __init__(self, process):
        self.status, self.errors = process.returncode, process.stderr
        found = re.search(r"images (\d+) of (\d+), failures (\d+), pictures (\d+)", process.stdout)
        self.written, self.expected, self.failures, self.pictures = map(int, found.groups()) if found else (None,) * 4


def run(output, *scripts, steps=10, seconds=60, required=0, environment=None):
    output.mkdir(exist_ok=True)
    process = subprocess.run([HOST, output, str(steps), str(seconds), str(required), *map(str, scripts)],
                             capture_output=True, text=True, errors="replace", timeout=200, stdin=subprocess.DEVNULL,
                             env=environment if environment is not None else without_display())
    return Outcome(process)


def without_display(**changes):
    environment = {k: v for k, v in os.environ.items() if k != "DISPLAY"}
    environment.setdefault("HOST_TRANSPORT", "inline")
    environment.update(changes)
    return environment


def script(folder, name, text):
    path = folder / name
    path.write_text(HEADER + text)
    return path
