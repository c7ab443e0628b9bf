# SPDX-License-Identifier: BSD-3-Clause
"""Starts programs on several ranks of this machine, whoever the user, however few its processors."""

import os
import shutil
import subprocess

import pytest

# Open MPI 4 and 5 refuse root, and more ranks than processors, unless they are told; ranks may run on all processors, and
# leave them to others while they are idle.
SETTINGS = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
            "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe", "OMPI_MCA_hwloc_base_binding_policy": "none",
            "OMPI_MCA_mpi_yield_when_idle": "1", "OMPI_MCA_btl_vader_single_copy_mechanism": "none"}
OF_A_LAUNCHER = ("OMPI_", "PMIX_", "PMI_", "PRTE_")


def command(count, *words):
    """The call of a program on `count` ranks; the test is skipped where there is no launcher."""
    mpirun = shutil.which("mpirun")
    if not mpirun:
        pytest.skip("no mpirun: apt-get install openmpi-bin")
    return [mpirun, "-np", str(count), *map(str, words)]


def environment(base=None, **changes):
    """`base`, or that of this process, in which a launcher works; with some variables set, or, for None, without them."""
    # Of an MPI with which these tests themselves were started nothing may be left.
    clean = {name: value for name, value in (os.environ if base is None else base).items()
             if name != "DISPLAY" and not name.startswith(OF_A_LAUNCHER)}
    # What MPI itself never frees is no concern of a sanitizer.
    leaks = {"ASAN_OPTIONS": ":".join(filter(None, [clean.get("ASAN_OPTIONS"), "detect_leaks=0"]))}
    return {name: value for name, value in {**clean, **leaks, **SETTINGS, **changes}.items() if value is not None}


def run(count, *words, seconds=120, **changes):
    """The finished process; nothing of it is left, also when it takes too long."""
    process = subprocess.Popen(command(count, *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               stdin=subprocess.DEVNULL, env=environment(**changes))
    try:
        out, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.terminate()
        out, errors = process.communicate()
        raise AssertionError(f"took longer than {seconds} s: {out}{errors}") from None
    return subprocess.CompletedProcess(words, process.returncode, out, errors)
