# SPDX-License-Identifier: BSD-3-Clause
"""Memory as valgrind sees it, over a short training with all of its files, its resumption, and what reads them: no bad access, and
no block that nobody frees."""

import subprocess

import faults
import pytest
from conftest import Program, Result, environment

OPTIONS = ["--quiet", "--leak-check=full", "--errors-for-leak-kinds=definite,indirect,possible", "--error-exitcode=99",
           "--child-silent-after-fork=yes"]

CALLS = {
    "resume": ["train", "--resume", "whole", "--steps", "+2", "--quiet"],
    "eval": ["eval", "--data", "set", "--threads", 1, "whole/checkpoints/last.safetensors"],
    "merge": ["merge", "whole/checkpoints/last.safetensors", "-o", "merged.safetensors", "--data", "set", "--most", 1],
    "diagnose": ["diagnose", "whole"],
}


@pytest.fixture(scope="module")
def training(weightscape, tmp_path_factory):
    return faults.Training(Program(weightscape, tmp_path_factory.mktemp("valgrind")))


def call(training, *arguments):
    # It knows no vectors of 512 bits.
    return Result(subprocess.run(["valgrind", *OPTIONS, *training.program.command(*arguments)], cwd=training.folder, text=True,
                                 capture_output=True, timeout=120, env=environment(CNN_KERNELS="plain")))


def assert_clean(result):
    assert result.status == 0, "\n".join(result.errors)


def test_a_training(training):
    result = call(training, "train", *training.arguments, "--run", "checked")
    assert_clean(result)
    assert training.run("checked").numbers()[-1]["step"] == str(faults.STEPS)


@pytest.mark.parametrize("arguments", CALLS.values(), ids=CALLS)
def test_what_goes_on(training, arguments):
    assert_clean(call(training, *arguments))
