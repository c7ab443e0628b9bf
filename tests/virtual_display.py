# SPDX-License-Identifier: BSD-3-Clause
"""A display without a screen, for tests that draw."""

import os
import shutil
import subprocess

import pytest


def start(*options, size=(1280, 1024), preexec_fn=None):
    """Xvfb, and the name of its display; -noreset, or it would turn clients away each time the last one leaves."""
    if not shutil.which("Xvfb"):
        pytest.skip("no Xvfb: apt-get install xvfb")
    read, write = os.pipe()
    screen = f"{size[0]}x{size[1]}x24"
    server = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-noreset", "-screen", "0", screen, "-nolisten", "tcp", *options],
                              pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=preexec_fn)
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    assert number, "Xvfb ended before it was ready"
    return server, f":{number}"
