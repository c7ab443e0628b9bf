# SPDX-License-Identifier: BSD-3-Clause
"""Every fuzz target without a finding: for ten minutes under libFuzzer, FUZZ_SECONDS in the environment: shorter; for one under
AFL++, AFL_SECONDS.

What is found is kept in build/fuzz/findings: mend the reader, and put the input into tests/fuzz/corpus as
found-SOMETHING.seed."""
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

SECONDS = int(os.environ.get("FUZZ_SECONDS", 600))
AFL_SECONDS = int(os.environ.get("AFL_SECONDS", 60))
TARGETS = ["axis", "checkpoint", "control", "dataset", "frame", "history", "idx", "knobs", "merge_spec", "network",
           "options", "recording", "ring", "steering"]
MEGABYTES = 1024


def built(source, folder, compiler):
    """The folder of the fuzzers, built with that compiler."""
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not installed")
    compilers = [f"-DCMAKE_C_COMPILER={compiler}", f"-DCMAKE_CXX_COMPILER={compiler}++"]
    for command in (["cmake", "--preset", "fuzz", "-B", folder, *compilers], ["cmake", "--build", folder, "--target", "fuzzers"]):
        subprocess.run(command, cwd=source, check=True, stdout=subprocess.DEVNULL)
    return source / folder / "fuzz"


@pytest.fixture(scope="module")
def fuzzers(source):
    return built(source, "build/fuzz", "clang")


@pytest.fixture(scope="module")
def afl_fuzzers(source):
    return built(source, "build/afl", "afl-clang-fast")


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


def afl_finding(source, fuzzers, folder, target):
    """None, or what was found; it stays in build/afl/findings."""
    shutil.rmtree(folder / target, ignore_errors=True)
    # It would refuse to begin where a program that dies is somebody's to ask about, and where processors may slow down.
    settings = {"AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_NO_AFFINITY": "1", "AFL_NO_UI": "1"}
    result = subprocess.run(
        ["afl-fuzz", "-V", str(AFL_SECONDS), "-t", "20000", "-i", source / "tests/fuzz/corpus" / target, "-o", folder / target,
         "--", fuzzers / f"fuzz_{target}"],
        capture_output=True, text=True, errors="replace", timeout=AFL_SECONDS + 600, env={**os.environ, **settings})
    if result.returncode:
        return f"{target}: {result.stdout[-4000:]}{result.stderr[-4000:]}"
    stats = dict(re.findall(r"^(\w+) *: (\d+)", (folder / target / "default" / "fuzzer_stats").read_text(), re.MULTILINE))
    print(f"{target}: {stats['execs_done']} inputs, {stats['corpus_found']} of them new")
    if int(stats["saved_crashes"]) or int(stats["saved_hangs"]):
        return f"{target}: {stats['saved_crashes']} crashes, {stats['saved_hangs']} that take too long"
    return None if int(stats["execs_done"]) > 10 * AFL_SECONDS else f"{target}: {stats['execs_done']} inputs say nothing"


def test_afl_finds_nothing(source, afl_fuzzers):
    folder = afl_fuzzers.parent / "findings"
    folder.mkdir(exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda target: afl_finding(source, afl_fuzzers, folder, target), TARGETS))
    assert [each for each in found if each] == []
