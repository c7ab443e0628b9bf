# SPDX-License-Identifier: BSD-3-Clause
"""overhead: what pictures take from the training beside which they are drawn.

Runs without and with pictures take turns, and each run with pictures is compared with the two around it. The time is that
of the training loop; the wait for the last pictures is not in it. Runs without pictures keep norms and walks of the
weights in each step, too.
"""
import tempfile
import time
from pathlib import Path

import figures
from program import Failed
from turns import Turns

PAIRS = 7
STEPS = 550
EVERY = 50
THREADS = (1, 2)


def _train(program, steps, *arguments):
    """Seconds of the training, seconds before and after it, and what run.json tells of pictures."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        seconds, insitu = program.train(Path(folder) / "run", steps, *arguments)
        return seconds, time.monotonic() - began - seconds, insitu


def _without(program, steps, threads):
    return _train(program, steps, "--threads", threads, "--insitu", "none")


def _with(program, steps, threads):
    scripts = [program.script(name, every=EVERY) for name in ("weights.py", "norms.py")]
    told = _train(program, steps, "--threads", threads, "--insitu-required", "--strict",
                  *(word for script in scripts for word in ("--pipeline", script)))
    insitu = told[2]
    least = 3 * (steps // EVERY)  # weights.py draws one picture, norms.py two
    if insitu["transport"] != "sidecar" or insitu["images_written"] < least:
        raise Failed(f"{insitu['images_written']} pictures by {insitu['transport']}, not {least} or more by the sidecar")
    return told


def _measure(program, pairs, steps, threads):
    turns = Turns(pairs, lambda: _without(program, steps, threads), lambda: _with(program, steps, threads))
    without = [seconds for seconds, _, _ in turns.without]
    between = [seconds for seconds, _, _ in turns.between]
    return turns, {
        "without_s": figures.spread(without), "with_s": figures.spread(between),
        "cost": figures.spread(figures.costs(without, between)), "drift": figures.spread(figures.drift(without)),
        "own_share": figures.spread([insitu["seconds"] / seconds for seconds, _, insitu in turns.between]),
        "beside_s": figures.spread([beside for _, beside, _ in turns.between]),
        "frames_spilled": [insitu["frames_spilled"] for _, _, insitu in turns.between]}


def _print(threads, steps, found):
    figures.print_spreads(
        f"pictures beside {steps} steps, {threads} thread{'s' if threads > 1 else ''}",
        [("seconds without pictures", found["without_s"], "{:.3f}"),
         ("seconds with pictures", found["with_s"], "{:.3f}"),
         ("cost of pictures", found["cost"], "{:+.2%}"),
         ("of it told by the program", found["own_share"], "{:.3%}"),
         ("from one run without to the next", found["drift"], "{:+.2%}"),
         ("seconds before and after training", found["beside_s"], "{:.1f}")])


def run(program, options):
    pairs, steps = options.rounds or PAIRS, options.steps or STEPS
    result = {"steps": steps, "every": EVERY, "pairs": pairs, "threads": {}}
    for threads in options.threads or THREADS:
        turns, found = _measure(program, pairs, steps, threads)
        _print(threads, steps, found)
        result["threads"][str(threads)] = {**found, **turns.tell()}
    return result
