# SPDX-License-Identifier: BSD-3-Clause
"""recording: bytes per step of --record 1 beside those in memory, and what recording takes from the training.

Runs without and with a recording take turns; neither draws.
"""
import json
import tempfile
from pathlib import Path

import figures
from turns import Turns

PAIRS = 7
STEPS = 200
THREADS = 1


def _without(program, steps):
    with tempfile.TemporaryDirectory() as folder:
        return program.train(Path(folder) / "run", steps, "--threads", THREADS, "--insitu", "none")[0]


def _with(program, steps):
    """Seconds of the training, seconds per step that the program itself tells, and what is in the recording."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        seconds, insitu = program.train(run, steps, "--threads", THREADS, "--insitu", "record", "--record", 1)
        facts = json.loads(program.call("replay", run, "--list", "--json"))
    return seconds, insitu["dump_seconds"] / insitu["frames_recorded"], facts


def _print(result, facts):
    steps, stored, raw = result["steps"], result["stored_bytes_per_step"], result["raw_bytes_per_step"]
    print(f"\nrecording of {facts['frames']} frames: {stored:.0f} bytes per step in the file, with rows and index; "
          f"{raw:.0f} in memory ({stored / raw:.2f})")
    figures.print_spreads(f"recording each of {steps} steps, {THREADS} thread", [
        ("ms of a step without", figures.scaled(result["step_s"], 1e3), "{:.3f}"),
        ("ms more with the recording", figures.scaled(result["cost_s_per_step"], 1e3), "{:+.3f}"),
        ("of it told by the program, ms", figures.scaled(result["own_s_per_step"], 1e3), "{:.3f}"),
        ("cost", result["cost"], "{:+.2%}")])


def run(program, options):
    pairs, steps = options.rounds or PAIRS, options.steps or STEPS
    turns = Turns(pairs, lambda: _without(program, steps), lambda: _with(program, steps))
    between = [seconds for seconds, _, _ in turns.between]
    facts = turns.between[-1][2]
    result = {
        "steps": steps, "pairs": pairs, "frames": facts["frames"],
        "stored_bytes_per_step": facts["bytes"] / facts["frames"],
        "raw_bytes_per_step": facts["raw_bytes"] / facts["frames"],
        "step_s": figures.spread([seconds / steps for seconds in turns.without]),
        "cost": figures.spread(figures.costs(turns.without, between)),
        "cost_s_per_step": figures.spread(
            [(middle - usual) / steps for middle, usual in zip(between, figures.around(turns.without))]),
        "own_s_per_step": figures.spread([own for _, own, _ in turns.between])}
    _print(result, facts)
    return {**result, **turns.tell()}
