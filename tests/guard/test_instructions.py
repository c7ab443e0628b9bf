# SPDX-License-Identifier: BSD-3-Clause
"""No hot kernel takes more instructions than instructions.json allows."""
import shutil

import instructions
import pytest

BEFORE = {"conv1 forward": 1000, "fc1 backward": 2000}


@pytest.fixture(scope="module")
def counted(build):
    """What was counted now, with what."""
    program = build / "tests/count_instructions"
    if not shutil.which("valgrind") or not program.exists():
        pytest.skip("valgrind or its headers are not there (Debian: valgrind)")
    return instructions.count(program)


def test_no_kernel_grew(counted):
    facts = instructions.known()
    with_what, now = counted
    reason = instructions.difference(facts["with"], with_what)
    if reason:
        pytest.skip(f"figures are of another build: {reason}")
    found = list(instructions.complaints(facts["instructions"], now, facts["allowance"]))
    assert not found, "\n".join([*found, f"If this is meant: {instructions.RENEW}"])


def test_every_part_was_counted(counted):
    _, now = counted
    for name in ("poster conv1 forward", "poster conv2 backward", "poster fc1 forward", "poster fc1 backward",
                 "wide conv2 backward", "odd conv2 forward", "update sgd", "update momentum", "update adam",
                 "similarity sums"):
        assert now[name] > 1000, name
    # Multiplications alone, eight to an instruction: fewer cannot be, whatever the kernel.
    assert now["poster fc1 backward"] > 4 * 2 * 1568 * 1024 / 8


@pytest.mark.parametrize("now, lines", [
    ({"conv1 forward": 1030, "fc1 backward": 1500}, []),
    ({"conv1 forward": 1031, "fc1 backward": 2000},
     ["conv1 forward: grew from 1,000 to 1,031 instructions (+3.1%, allowed 3%)"]),
    ({"conv1 forward": 1000}, ["fc1 backward: is not counted any more"]),
    ({**BEFORE, "fc2 backward": 7}, ["fc2 backward: 7 instructions, no figure in the file"]),
])
def test_what_is_complained_about(now, lines):
    assert list(instructions.complaints(BEFORE, now, 0.03)) == lines


def test_figures_of_another_build_are_none():
    built = {"compiler": "12.2.0", "kernels": "avx2"}
    assert instructions.difference(built, dict(built)) is None
    assert instructions.difference(built, {"compiler": "14.2.0", "kernels": "avx2"}) == "compiler 14.2.0, not 12.2.0"
