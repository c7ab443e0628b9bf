# SPDX-License-Identifier: BSD-3-Clause
"""A training asks for as much memory with few steps as with many."""
import os
import pathlib

from conftest import NET, environment

COUNTS = pathlib.Path(os.environ["WEIGHTSCAPE_BUILD"]) / "tests" / "libcounts_allocations.so"


def allocations(program, small_set, steps):
    file = program.folder / f"allocations-{steps}"
    program.good("train", "--net", NET, "--data", small_set, "--batch", 10, "--steps", steps, "--run", program.folder / f"run-{steps}",
                 "--insitu", "none", "--quiet", env=environment(LD_PRELOAD=str(COUNTS), ALLOCATIONS_FILE=str(file)))
    return int(file.read_text())


def test_steps_allocate_nothing(program, small_set):
    few, many = allocations(program, small_set, 3), allocations(program, small_set, 9)
    assert few > 100, "nothing was counted"
    assert many == few
