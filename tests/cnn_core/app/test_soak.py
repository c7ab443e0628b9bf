# SPDX-License-Identifier: BSD-3-Clause
"""An hour of everything at once: pictures, a recording, a viewer that is connected, merges. Memory stays flat, no row is dropped,
the budget is kept. SOAK_SECONDS in the environment: shorter."""

import os
import signal
import sys
import time
from pathlib import Path

import faults
from conftest import Run, boxes_every
from control import ask
from processes import command_of, descendants, descriptors_of, memory_of

sys.path.append(os.environ["WEIGHTSCAPE_SOURCE"] + "/tests/catalyst_adaptor")
from live_client import LiveClient  # noqa: E402

SECONDS = int(os.environ.get("SOAK_SECONDS", 3600))
MERGES = 12
GROWTH = 10_000_000
RECORD, PICTURES = 2000, 500
# Filters enough to merge some away again and again.
NET = "conv 32 5x5, relu, maxpool 2, conv 16 5x5, relu, maxpool 2, linear 10"


def usage(pid):
    """{role: (resident bytes, descriptors)} of the training and all that it has started."""
    found = {"training": (memory_of(pid), descriptors_of(pid))}
    for child in descendants(pid):
        command = command_of(child)
        if command and Path(command[0]).name == "weightscape-bridge":
            role = " ".join(word for word in command[1:3] if not word.isdigit())
            found[f"{role} {child}"] = memory_of(child), descriptors_of(child)
    return found


def soak(process, run, client):
    """Lets it all go on; returns what the processes used after a quarter of the time, and at the end."""
    begin, early, merges, step = time.monotonic(), None, 0, -1
    while (now := time.monotonic() - begin) < SECONDS:
        step, _ = client.fetch("weights_conv1", "weight", after=step)
        if early is None and now > SECONDS / 4:
            early = usage(process.pid)
        if now > merges * SECONDS / MERGES:
            merges += 1
            ask(run.path, "merge", spec="most=1,method=random,layers=conv1")
        assert process.poll() is None
        time.sleep(0.5)
    return early, usage(process.pid)


def test_an_hour(program, source, mnist, tmp_path, port):
    run = Run(tmp_path / "run")
    with LiveClient(port) as client:
        process = program.start(
            "train", "--data", mnist, "--net", NET, "--steps", 10**9, "--threads", 1, "--run", "run", "--quiet", "--checkpoint-every",
            5000, "--pipeline", boxes_every(source, PICTURES), "--record", RECORD, f"--live=localhost:{port}")
        client.wait_connected()
        client.extract("weights_conv1")
        early, late = soak(process, run, client)
        print(early, late)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    print(run.record()["insitu"])
    assert set(early) == set(late), "one has taken another's place"
    for role, before in early.items():
        assert late[role][0] <= before[0] + GROWTH and late[role][1] <= before[1] + 2, (role, early, late)
    last, insitu = run.last_step(), run.record()["insitu"]
    assert run.steps() == list(range(1, last + 1))
    rows = faults.history_rows(run.path / "history.ws")
    assert len(rows["step"]) == 8 * (last + 1), "the initial state has a row, too"
    assert insitu["frames_recorded"] >= last // RECORD
    assert (insitu["script_failures"], insitu["steps_given_up"], insitu["restarts"]) == (0, 0, 0)
    assert insitu["seconds"] <= insitu["budget"] * run.record()["seconds"], insitu
    merged = [line for line in faults.without_time((run.path / "steering.jsonl").read_text()) if line.get("action") == "merge"]
    assert len(merged) == MERGES
