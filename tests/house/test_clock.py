# SPDX-License-Identifier: BSD-3-Clause
"""The clock on the wall may be set back at any time: nothing is measured by it, it is only written down."""

import re

import pytest
from sources import project_files

WALL = re.compile(r"\bCLOCK_(?:REALTIME|TAI)|\bgettimeofday\b|\bsystem_clock\b|\btime\.time\(|(?<![\w.>])time\((?:NULL|nullptr|0|&)|"
                  r"\b(?:sem_timedwait|pthread_mutex_timedlock)\b")
CODE = {".c", ".h", ".cpp", ".py"}
# What a record tells of when a run was begun and written.
WRITES_IT_DOWN = {"cnn_core/app/run_record.c"}


def test_no_source_measures_by_it(source):
    ours = [name for name in project_files(source) if name.parts[0] != "tests" and name.suffix in CODE]
    assert len(ours) > 200
    assert {str(name) for name in ours if WALL.search((source / name).read_text(encoding="utf-8"))} == WRITES_IT_DOWN


@pytest.mark.parametrize("text", ["clock_gettime(CLOCK_REALTIME, &now)", "start = time.time()", "time_t now = time(NULL);",
                                  "std::chrono::system_clock::now()", "sem_timedwait(&a, &b)"])
def test_it_would_be_found(text):
    assert WALL.search(text)
