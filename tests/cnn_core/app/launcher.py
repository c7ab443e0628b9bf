# SPDX-License-Identifier: BSD-3-Clause
"""Several copies of the program as one job, by whatever mpirun there is: also as root, and on fewer processors."""

import os
import shutil

import pytest
from conftest import Program
from processes import command_of, descendants

# Open MPI 4 and 5 refuse root, and more ranks than processors, unless they are told.
PERMISSIONS = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
               "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none",
               "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe"}


class Launcher(Program):
    """Calls `count` copies of the program; further copies, with other arguments, follow "+", and how many they are."""

    def __init__(self, path, folder, count):
        super().__init__(path, folder)
        self.count = count

    def command(self, *arguments):
        words = ["mpirun", "-np", str(self.count), str(self.path)]
        rest = iter(map(str, arguments))
        for word in rest:
            words += [":", "-np", next(rest), str(self.path)] if word == "+" else [word]
        return words

    def __call__(self, *arguments, **how):
        return super().__call__(*arguments, env=permitted(how.pop("env", None)), **how)

    def start(self, *arguments, **how):
        return super().start(*arguments, env=permitted(how.pop("env", None)), **how)


def permitted(env):
    # Of an MPI with which these tests themselves were started nothing may be left.
    clean = {name: value for name, value in (env or os.environ).items()
             if not name.startswith(("OMPI_", "PMIX_", "PMI_", "PRTE_"))}
    # What MPI itself never frees is no concern of a sanitizer.
    leaks = ":".join(filter(None, [clean.get("ASAN_OPTIONS"), "detect_leaks=0"]))
    return {**clean, **PERMISSIONS, "ASAN_OPTIONS": leaks}


@pytest.fixture
def ranks(weightscape, build, tmp_path):
    """ranks(3): a Launcher of three copies."""
    if not shutil.which("mpirun") or not (build / "lib/weightscape/libweightscape-mpi.so").exists():
        pytest.skip("no MPI")
    made = []

    def make(count):
        made.append(Launcher(weightscape, tmp_path, count))
        return made[-1]

    yield make
    for launcher in made:
        launcher.close()


def own(errors):
    """The lines of our program among those of the launcher."""
    return [line for line in errors if line.startswith("weightscape")]


def processes_of(process):
    """The process of each rank, in the order of ranks."""
    found = [pid for pid in descendants(process.pid) if "train" in command_of(pid)[1:2]]
    numbers = {}
    for pid in found:
        for variable in open(f"/proc/{pid}/environ", "rb").read().split(b"\0"):
            if variable.startswith(b"OMPI_COMM_WORLD_RANK="):
                numbers[int(variable.split(b"=")[1])] = pid
    return [numbers[number] for number in sorted(numbers)]
