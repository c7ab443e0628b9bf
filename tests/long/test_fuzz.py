# SPDX-License-Identifier: BSD-3-Clause
"""Every fuzz target for ten minutes without a finding, under libFuzzer. FUZZ_SECONDS in the environment: shorter.

What is found is kept in build/fuzz/findings: mend the reader, and put the input into tests/fuzz/corpus as
found-SOMETHING.seed."""
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

SECONDS = int(os.environ.get("FUZZ_SECONDS", 600))
TARGETS = ["axis", "checkpoint", "control", "dataset", "frame", "history", "idx", "knobs", "merge_spec", "network",
           "options", "recording", "ring", "steering"]
MEGABYTES = 1024


@pytest.fixture(scope="module")
def fuzzers(source):
    """The folder of the fuzzers, built with clang."""
    if not shutil.which("clang"):
        pytest.skip("clang is not installed")
    for command in (["cmake", "--preset", "fuzz"], ["cmake", "--build", "--preset", "fuzz"]):
        subprocess.run(command, cwd=source, check=True, stdout=subprocess.DEVNULL)
    return source / "build" / "fuzz" / "fuzz"


def test_every_target_is_run(source):
    listed = re.findall(r"^weightscape_fuzz_target\((\w+)", (source / "tests/fuzz/CMakeLists.txt").read_text(), re.MULTILINE)
    assert sorted(listed) == TARGETS


def finding(source, fuzzers, folder, target):
    """None, or what was found."""
    folder.mkdir()
    findings = fuzzers.parent / "findings"
    # New inputs go to the first folder; the corpus is only read.
    result = subprocess.run(
        [fuzzers / f"fuzz_{target}", folder, source / "tests/fuzz/corpus" / target, f"-max_total_time={SECONDS}",
         f"-artifact_prefix={findings}/{target}-", f"-rss_limit_mb={2 * MEGABYTES}", f"-malloc_limit_mb={4 * MEGABYTES}",
         "-timeout=20", "-max_len=20000", "-print_final_stats=1", "-close_fd_mask=1"],
        capture_output=True, text=True, errors="replace", timeout=SECONDS + 600)
    if result.returncode:
        return f"{target}: {result.stderr[-4000:]}"
    tried = int(re.search(r"number_of_executed_units: *(\d+)", result.stderr).group(1))
    print(f"{target}: {tried} inputs, {len(list(folder.iterdir()))} of them new")
    return None if tried > 10 * SECONDS else f"{target}: {tried} inputs say nothing"


def test_nothing_is_found(source, fuzzers, tmp_path):
    (fuzzers.parent / "findings").mkdir(exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda target: finding(source, fuzzers, tmp_path / target, target), TARGETS))
    assert [each for each in found if each] == []
