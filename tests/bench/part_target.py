# SPDX-License-Identifier: BSD-3-Clause
"""target: seconds from the command to the first checkpoint that has 99.2 % of the test set right; the poster's network, all
cores, several seeds. The test set chooses nothing but the moment that is told: learning rate and epochs are fixed below.

Checkpoints are written while it trains, and evaluated afterwards; the time of one is that of its file."""
import json
import tempfile
import time
from pathlib import Path

import figures

SEEDS = 5
TARGET = 0.992
EPOCHS = 5
SETTING = ("--lr", "2e-3", "--schedule", "cosine", "--batch", 100)
CHECKPOINTS_PER_EPOCH = 4
STEPS_PER_EPOCH = 550


def _accuracy(program, checkpoint):
    return json.loads(program.call("eval", "--json", "--data", program.data, checkpoint))["accuracy"]


def _of_seed(program, seed, epochs):
    """Seconds and accuracy of all checkpoints, in order; the last one is that of the whole training."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        began = time.time()
        program.call("train", "--data", program.data, "--run", run, "--epochs", epochs, "--seed", seed, *SETTING,
                     "--checkpoint-every", STEPS_PER_EPOCH // CHECKPOINTS_PER_EPOCH, "--keep-checkpoints", 0,
                     "--insitu", "none", "--quiet")
        files = sorted((run / "checkpoints").glob("step_*.safetensors"))
        return [{"seconds": file.stat().st_mtime - began, "accuracy": _accuracy(program, file)} for file in files]


def first_at(checkpoints, target):
    """Seconds of the first checkpoint that is that good; None if none is."""
    return next((each["seconds"] for each in checkpoints if each["accuracy"] >= target), None)


def median_of(seconds):
    """Where more than half reached it, the median over all, with those that did not as the slowest; else None."""
    ordered = sorted(seconds, key=lambda value: (value is None, value))
    return ordered[len(ordered) // 2]


def run(program, options):
    seeds, epochs = options.rounds or SEEDS, EPOCHS
    courses = {seed: _of_seed(program, seed, epochs) for seed in range(1, seeds + 1)}
    reached = [first_at(course, TARGET) for course in courses.values()]
    figures.print_table(f"seconds to {TARGET:.1%} of the test set, {epochs} epochs, {' '.join(map(str, SETTING))}",
                        ("reached after", "accuracy at end", "seconds in all"),
                        [(f"seed {seed}", ("never" if first is None else f"{first:.1f}",
                                           f"{100 * course[-1]['accuracy']:.2f} %", f"{course[-1]['seconds']:.1f}"), "{}")
                         for (seed, course), first in zip(courses.items(), reached)])
    median = median_of(reached)
    print(f"  median: {'never' if median is None else f'{median:.1f} s'}")
    return {"target": TARGET, "epochs": epochs, "setting": [str(word) for word in SETTING], "seeds": courses,
            "seconds": reached, "median_s": median}
