# SPDX-License-Identifier: BSD-3-Clause
"""A training without end, something beside it, and the same training with nothing beside it."""

import signal

from conftest import start_training

# One thread leaves what runs beside it, at idle priority, a processor. Nobody reads what it says.
ENDLESS = ["--steps", 10**9, "--threads", 1, "--checkpoint-every", 500, "--quiet"]


def start(program, small_set, *options, **how):
    return start_training(program, small_set, *ENDLESS, *options, **how)


def end(process, run, number=signal.SIGINT):
    """Ends it by a signal, and returns its last step."""
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number, errors
    return run.last_step()


def assert_undisturbed(trained, run, step):
    plain = trained("plain", "--steps", step, "--insitu", "none", "--checkpoint-every", step, "--threads", 1,
                    "--quiet", within=180)
    assert run.last.read_bytes() == plain.last.read_bytes()
    assert run.numbers() == plain.numbers()
