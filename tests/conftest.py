# SPDX-License-Identifier: BSD-3-Clause
"""What every Python test shares: the folders that ctest names in the environment, and skips that ctest can see."""
import os
from pathlib import Path

import pytest
from ports import free_port

SKIPPED = 77  # SKIP_RETURN_CODE in tests/CMakeLists.txt


def folder(variable):
    if variable not in os.environ:
        pytest.exit(f"{variable} is not set: run the tests through ctest", returncode=2)
    return Path(os.environ[variable])


@pytest.fixture(scope="session")
def source():
    """The root of the sources."""
    return folder("WEIGHTSCAPE_SOURCE")


@pytest.fixture(scope="session")
def build():
    """The build folder."""
    return folder("WEIGHTSCAPE_BUILD")


@pytest.fixture(scope="session")
def weightscape():
    """The program."""
    return folder("WEIGHTSCAPE_BIN") / "weightscape"


@pytest.fixture(scope="session")
def mnist():
    """The folder of MNIST, as `make data` leaves it."""
    path = folder("WEIGHTSCAPE_DATA") / "mnist"
    if not (path / "train-images-idx3-ubyte").exists():
        pytest.skip(f"{path}: no MNIST there; `make data` gets it")
    return path


@pytest.fixture
def port():
    """A free one."""
    return free_port()


def pytest_sessionfinish(session, exitstatus):
    """A file with a skipped test counts as skipped: ctest must never show green for what was not tried."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == pytest.ExitCode.OK and reporter.stats.get("skipped"):
        session.exitstatus = SKIPPED
