# SPDX-License-Identifier: BSD-3-Clause
"""A disk that is full for what pictures need: what is missing is told once, the training does not mind."""

import pytest
from conftest import Run, boxes_every, environment, pictures
from faults import TESTS

STEPS, EVERY = 40, 5
FILES = {"backlog.wsrec": "pictures that cannot be drawn", "data.csv.part": "data.csv"}


@pytest.mark.parametrize("name, words", FILES.items(), ids=FILES)
def test_a_file_that_cannot_be_written(train, trained, source, tmp_path, name, words):
    plain = trained("plain", "--steps", STEPS, "--insitu", "none")
    result = train("--run", "run", "--steps", STEPS, "--checkpoint-every", 1, "--pipeline", boxes_every(source, EVERY), env=environment(
        LD_PRELOAD=str(TESTS / "libbad_disk.so"), BAD_DISK_PATH=f"*/{name}", BAD_DISK_AT="1", BAD_DISK_MOST="1000000",
        BAD_DISK_HOW="ENOSPC"))
    run = Run(tmp_path / "run")
    assert len([line for line in result.errors if words in line]) == 1, result
    assert result.status == 0, result
    assert run.last.read_bytes() == plain.last.read_bytes() and run.numbers() == plain.numbers()
    assert pictures(run)
