# SPDX-License-Identifier: BSD-3-Clause
"""What went wrong in a script: where, told once, counted; and whether it was for want of memory."""

import errno
import mmap
import os
import traceback


_LEAST_MEMORY = 64 << 20  # bytes; where there is not that much left, whatever fails does so for want of it
# What the loader, VTK and C++ say. "cannot allocate memory in static TLS block" is another want.
_SAID_OF_MEMORY = ("failed to map segment", "bad_alloc", "unable to allocate", "out of memory")


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


def is_for_memory(error):
    """Whether memory was wanting, for this exception or for one that led to it; or is wanting now."""
    return any(_is_itself_for_memory(one) for one in _chain(error)) or not _has_memory()


def _chain(error):
    """An exception and all that led to it, or that it holds, each once."""
    seen, left = [], [error]
    while left:
        one = left.pop()
        if one is not None and not any(one is other for other in seen):
            seen.append(one)
            left += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
    return seen


def _is_itself_for_memory(error):
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    if not isinstance(error, (ImportError, OSError, RuntimeError)):
        return False
    words = str(error).lower()
    return any(said in words for said in _SAID_OF_MEMORY) or \
        "cannot allocate memory" in words.replace("cannot allocate memory in static tls block", "")


def _has_memory():
    try:
        mmap.mmap(-1, _LEAST_MEMORY, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except (OSError, MemoryError):
        return False
    return True


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
