# SPDX-License-Identifier: BSD-3-Clause
"""Trainings of the poster's network to the end, in the one setting that the documents report."""
import json
import subprocess
import time

SEEDS = (1, 2, 3)
SETTING = ["--batch", "100", "--optimizer", "adam", "--lr", "1e-3", "--schedule", "cosine"]


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def train(weightscape, mnist, folder, epochs, seed, *more):
    """Trains without pictures; returns the seconds, and the accuracy of the last checkpoint on validation and test set."""
    start = time.monotonic()
    run(weightscape, "train", "--data", mnist, "--epochs", epochs, *SETTING, "--seed", seed, "--run", folder,
        "--insitu", "none", *more)
    seconds = time.monotonic() - start
    return {"seconds": seconds} | {which: evaluate(weightscape, mnist, folder, which)["accuracy"]
                                   for which in ("validation", "test")}


def evaluate(weightscape, mnist, folder, which):
    return json.loads(run(weightscape, "eval", "--json", "--data", mnist, "--set", which, folder / "checkpoints/last.safetensors"))


def write_table(path, title, head, rows):
    """A table as documents have it; cells are text."""
    lines = [head, ["---"] * len(head), *rows]
    path.write_text(f"{title}\n\n" + "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines), encoding="utf-8")
