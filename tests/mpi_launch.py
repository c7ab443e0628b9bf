# SPDX-License-Identifier: BSD-3-Clause
"""Starts programs on several ranks of this machine, whoever the user, however few its processors."""

import os
import shutil
import subprocess

import pytest


def launcher(count):
    """The command in front of a program; the test is skipped where there is none."""
    mpirun = shutil.which("mpirun")
    if not mpirun:
        pytest.skip("no mpirun: apt-get install openmpi-bin")
    return [mpirun, "-np", str(count)]


def environment(**changes):
    """Open MPI refuses root and more ranks than processors, unless it is told; idle ranks shall leave the processor to others."""
    settings = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
                "OMPI_MCA_mpi_yield_when_idle": "1", "OMPI_MCA_btl_vader_single_copy_mechanism": "none"}
    kept = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    return {**kept, **settings, **changes}


def run(count, *command, seconds=120, **changes):
    """The finished process; nothing of it is left, also when it takes too long."""
    process = subprocess.Popen([*launcher(count), *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               stdin=subprocess.DEVNULL, env=environment(**changes))
    try:
        out, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.terminate()
        out, errors = process.communicate()
        raise AssertionError(f"took longer than {seconds} s: {out}{errors}") from None
    return subprocess.CompletedProcess(command, process.returncode, out, errors)
