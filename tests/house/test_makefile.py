# SPDX-License-Identifier: BSD-3-Clause
"""Every target of the Makefile is listed by `make help`, and its recipe can be expanded."""
import re
import subprocess

DELIVERED = {"build", "demo", "check", "check-long", "coverage", "data", "bench", "install", "format", "clean", "help"}


def make(source, *arguments):
    return subprocess.run(["make", "-C", source, "--no-print-directory", *arguments], capture_output=True, text=True)


def test_help_lists_every_target(source):
    result = make(source, "help")
    assert result.returncode == 0, result.stderr
    assert {line.split()[0] for line in result.stdout.splitlines()} == DELIVERED


def test_recipes_expand(source):
    for target in sorted(DELIVERED):
        result = make(source, "--dry-run", target)
        assert result.returncode == 0, result.stderr


def test_scripts_of_recipes_exist_and_can_run(source):
    called = set()
    for target in DELIVERED:
        called.update(re.findall(r"(?:^|\s)(cmake/[\w-]+\.sh)", make(source, "--dry-run", target).stdout))
    assert {"cmake/setup.sh", "cmake/get-data.sh", "cmake/demo.sh"} <= called
    for script in called:
        assert (source / script).stat().st_mode & 0o111, f"{script} cannot be executed"


def test_ci_runs_make_check_and_skips_nothing(source):
    ci = source / ".ci/run"
    assert ci.stat().st_mode & 0o111
    assert re.search(r"^exec make check .*-DWEIGHTSCAPE_SKIP_FAILS=ON", ci.read_text(), re.MULTILINE)
