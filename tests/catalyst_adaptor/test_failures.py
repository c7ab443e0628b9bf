# SPDX-License-Identifier: BSD-3-Clause
"""What counts as a want of memory, and what does not."""

import errno
import importlib.util
import os
import pathlib
import resource

import pytest

PATH = pathlib.Path(os.environ["WEIGHTSCAPE_SOURCE"]) / "catalyst_adaptor/bridge/failures.py"


@pytest.fixture
def failures():
    found = importlib.util.spec_from_file_location("failures", PATH)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def raised(function):
    try:
        function()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def follows():
    try:
        raise MemoryError
    except MemoryError as error:
        raise ValueError("no array") from error


def hides():
    try:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")
    except OSError:
        raise ValueError("no file") from None


def fails(error):
    def function():
        raise error
    return function


@pytest.mark.parametrize("function", [
    fails(MemoryError()), follows, hides, lambda: bytearray(2**62),
    fails(OSError(errno.ENOMEM, "Cannot allocate memory")),
    fails(ImportError("libx.so: failed to map segment from shared object")),
    fails(ImportError("libx.so: cannot create shared object descriptor: Cannot allocate memory")),
    fails(RuntimeError("std::bad_alloc")),
])
def test_it_is_for_memory(failures, function):
    assert failures.is_for_memory(raised(function))


@pytest.mark.parametrize("function", [
    fails(ValueError("bad_alloc is a word")), fails(OSError(errno.ENOSPC, "No space left on device")),
    fails(ImportError("libx.so: cannot allocate memory in static TLS block")),
    fails(ImportError("No module named 'x'")), lambda: 1 / 0,
])
def test_it_is_not(failures, function):
    assert not failures.is_for_memory(raised(function))


def test_a_ring_of_causes_ends(failures):
    first, second = ValueError("one"), ValueError("two")
    first.__cause__, second.__cause__ = second, first
    assert not failures.is_for_memory(first)
    second.__context__ = MemoryError()
    assert failures.is_for_memory(first)


def test_whatever_fails_where_there_is_none(failures):
    """Threads, for one, do not say why they cannot be started."""
    used = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + (16 << 20), limits[1]))
    try:
        is_for_memory = failures.is_for_memory(RuntimeError("can't start new thread"))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    assert is_for_memory
    assert not failures.is_for_memory(RuntimeError("can't start new thread"))
