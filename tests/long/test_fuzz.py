# SPDX-License-Identifier: BSD-3-Clause
"""Every fuzz target for ten minutes without a finding, under libFuzzer. FUZZ_SECONDS in the environment: shorter.

What is found is kept in build/fuzz/findings: mend the reader, and put the input into tests/fuzz/corpus as
found-SOMETHING.seed."""
import os
import re
import shutil
import subprocess

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


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_found(source, fuzzers, tmp_path, target):
    findings = fuzzers.parent / "findings"
    findings.mkdir(exist_ok=True)
    # New inputs go to the first folder; the corpus is only read.
    result = subprocess.run(
        [fuzzers / f"fuzz_{target}", tmp_path, source / "tests/fuzz/corpus" / target, f"-max_total_time={SECONDS}",
         f"-artifact_prefix={findings}/{target}-", f"-rss_limit_mb={2 * MEGABYTES}", f"-malloc_limit_mb={4 * MEGABYTES}",
         "-timeout=20", "-max_len=20000", "-print_final_stats=1", "-close_fd_mask=1", "-verbosity=1"],
        capture_output=True, text=True, errors="replace", timeout=SECONDS + 600)
    assert result.returncode == 0, result.stderr[-4000:]
    tried = int(re.search(r"number_of_executed_units: *(\d+)", result.stderr).group(1))
    assert tried > 10 * SECONDS, "too few inputs were tried to say anything"
