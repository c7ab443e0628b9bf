# SPDX-License-Identifier: BSD-3-Clause
"""A script that runs once, for no training: what it does, and how it may fail, is told in one line."""

import ctypes
import os
import pathlib

import pytest

OK, BAD_SCRIPT, NO_PICTURES, BAD_FILE = 0, -2, -3, -4


@pytest.fixture(scope="module")
def library():
    loaded = ctypes.CDLL(str(pathlib.Path(os.environ["WEIGHTSCAPE_BUILD"]) / "lib" / "libweightscape.so"))
    loaded.ws_message.restype = ctypes.c_char_p
    loaded.ws_script_run.argtypes = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p), ctypes.c_uint32, ctypes.c_double]
    return loaded


@pytest.fixture
def once(library, tmp_path):
    """once('text of a script', 'argument'...): status and message."""

    def run(text, *arguments, seconds=60):
        script = tmp_path / "a script.py"
        if text is not None:
            script.write_text(text)
        given = (ctypes.c_char_p * (len(arguments) + 1))(*map(os.fsencode, arguments), None)
        status = library.ws_script_run(os.fsencode(script), given, len(arguments), seconds)
        return status, library.ws_message().decode()

    return run


def test_it_draws_with_its_arguments_and_without_a_display(once, tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    status, message = once("import sys\nfrom paraview.simple import *\nShow(Sphere())\nprint('noise')\n"
                           "SaveScreenshot(sys.argv[2], ImageResolution=[64, 48])\n"
                           "assert sys.argv[1] == 'h\u00e9' and __name__ == '__main__'\n", "h\u00e9", tmp_path / "made.png")
    assert status == OK, message
    assert (tmp_path / "made.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("text, status, words", [
    ("import sys\nsys.exit('there is no\\nsuch thing')\n", BAD_FILE, "there is no such thing"),
    ("import sys\nsys.exit(3)\n", BAD_SCRIPT, "with status 3"),
    ("x = 1\nraise ValueError('too large')\n", BAD_SCRIPT, "script a script.py: a script.py:2: ValueError: too large"),
    ("x = = 1\n", BAD_SCRIPT, "a script.py:1: SyntaxError"),
    ("import os\nos.kill(os.getpid(), 11)\n", BAD_SCRIPT, "ends the process by signal 11"),
    (None, BAD_SCRIPT, "a script.py"),
])
def test_how_it_fails(once, text, status, words):
    found, message = once(text)
    assert found == status and words in message and "\n" not in message, (found, message)


def test_it_is_given_up(once):
    status, message = once("while True: pass\n", seconds=4)
    assert status == BAD_SCRIPT and "does not come back" in message


def test_there_is_nothing_to_draw_on(once, tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    status, message = once("pass\n")
    assert status == NO_PICTURES and "xvfb" in message
