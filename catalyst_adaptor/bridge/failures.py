# SPDX-License-Identifier: BSD-3-Clause
"""What went wrong in a script: where, told once, counted."""

import os
import traceback


class TimedOut(BaseException):
    """Raised inside a script that has run for too long."""

    def __str__(self):
        return "it took too long"


class Told(Exception):
    """Stands for a failure that has been noted, on its way back through ParaView."""


def _place(error, script):
    """File and line: the innermost frame in the script's folder, else the innermost of all."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    folder = os.path.dirname(script)
    own = [frame for frame in frames if os.path.dirname(frame.filename).startswith(folder)]
    last = (own or frames)[-1:]
    return (last[0].filename, last[0].lineno) if last else (script, 0)


def describe(error, script):
    """'file:line: Type: message', in one line."""
    file, line = _place(error, script)
    if isinstance(error, SyntaxError):
        message = error.msg
    elif isinstance(error, SystemExit):
        message = f"the script ended itself, with status {error.code}"
    else:
        message = str(error)
    text = f"{os.path.basename(file)}:{line}: {type(error).__name__}"
    return " ".join(f"{text}: {message}".split()) if message else text


class Failures:
    """The failures of one script. The first is told at once, how many there were at the end."""

    def __init__(self, name, warn):
        self.count = 0
        self._name, self._warn = name, warn

    def add(self, step, problem):
        self.count += 1
        if self.count == 1:
            self._warn(f"script {self._name} failed at step {step}: {problem}; training goes on")

    def summarise(self):
        if self.count > 1:
            self._warn(f"script {self._name} failed {self.count - 1} more times")
