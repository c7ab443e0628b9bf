# SPDX-License-Identifier: BSD-3-Clause
"""merging: units merged by similarity against units left out by norm, or at random, at the same sizes: accuracy on the
test set as they are, and after an epoch of training more; the poster's network, several seeds.

A run of each seed is copied for each candidate, the copy's checkpoint is merged, and the copy goes on."""
import json
import shutil
import statistics
import tempfile
from pathlib import Path

from figures import print_table
from program import Failed

SEEDS = 3
EPOCHS = 2  # before anything is merged
SIZES = ((12, 24), (8, 16), (5, 10))  # of conv1 and conv2, of 16 and 32
METHODS = ("similar", "norm", "random")
LAYERS = ("conv1", "conv2")


def evaluate(program, run):
    found = json.loads(program.call("eval", "--json", "--data", program.data, newest(run)))
    return {"accuracy": found["accuracy"], "loss": found["loss"]}


def newest(run):
    return run / "checkpoints/last.safetensors"


def go_on(program, run, steps):
    program.call("train", "--resume", run, "--steps", f"+{steps}", "--insitu", "none", "--quiet")


def merge_in_place(program, run, method, seed, size):
    """Merges the newest checkpoint of a run, under both of its names; what was predicted and measured."""
    reports = []
    for layer, keep in zip(LAYERS, size):
        reports.append(json.loads(program.call("merge", newest(run), "-o", newest(run), "--data", program.data, "--json",
                                               "--layers", layer, "--keep", keep, "--method", method, "--seed", seed)))
    steps = sorted((run / "checkpoints").glob("step_*.safetensors"))
    for path in steps[:-1]:
        path.unlink()
    shutil.copyfile(newest(run), steps[-1])
    return {"predicted": sum(report["predicted"] for report in reports),
            "measured": reports[-1]["loss_after"] - reports[0]["loss_before"],
            "at_once": {"accuracy": reports[-1]["accuracy_after"], "loss": reports[-1]["loss_after"]}}


def candidate(program, base, method, seed, size, steps):
    run = base.with_name("candidate")
    shutil.copytree(base, run)
    found = merge_in_place(program, run, method, seed, size) if method else {"at_once": evaluate(program, run)}
    go_on(program, run, steps)
    found["after"] = evaluate(program, run)
    shutil.rmtree(run)
    return found


def of_seed(program, folder, seed, steps):
    """size and method -> what was found, from one run."""
    base = folder / f"seed{seed}"
    program.call("train", "--data", program.data, "--run", base, "--epochs", EPOCHS, "--seed", seed, "--insitu", "none",
                 "--quiet")
    steps = steps or json.loads((base / "run.json").read_text(encoding="utf-8"))["steps_per_epoch"]
    found = {"16, 32": {"none": candidate(program, base, None, seed, None, steps)}}
    for size in SIZES:
        found[f"{size[0]}, {size[1]}"] = {method: candidate(program, base, method, seed, size, steps)
                                          for method in METHODS}
        print(f"  seed {seed}, {size[0]} and {size[1]} filters: " + ", ".join(
            f"{method} {100 * each['at_once']['accuracy']:.2f} % then {100 * each['after']['accuracy']:.2f} %"
            for method, each in found[f"{size[0]}, {size[1]}"].items()), flush=True)
    shutil.rmtree(base)
    return found


def mean_of(seeds, size, method, when, what):
    return statistics.fmean(found[size][method][when][what] for found in seeds.values())


def spread_of(seeds, size, method, when):
    values = [100 * found[size][method][when]["accuracy"] for found in seeds.values()]
    return f"{statistics.fmean(values):.2f} ({min(values):.2f}..{max(values):.2f})"


def print_result(seeds):
    first = next(iter(seeds.values()))
    for size, methods in first.items():
        print(f"\n{size} filters, accuracy in % on the test set, mean of {len(seeds)} seeds (lowest..highest)")
        print(f"  {'':12}{'at once':>28}{'after an epoch':>28}{'loss at once':>16}{'after':>10}")
        for method in methods:
            print(f"  {method:12}{spread_of(seeds, size, method, 'at_once'):>28}"
                  f"{spread_of(seeds, size, method, 'after'):>28}"
                  f"{mean_of(seeds, size, method, 'at_once', 'loss'):16.4f}"
                  f"{mean_of(seeds, size, method, 'after', 'loss'):10.4f}")


def print_prediction(seeds):
    pairs = [(found["predicted"], found["measured"]) for sizes in seeds.values() for methods in sizes.values()
             for found in methods.values() if "predicted" in found]
    if len(pairs) > 1:
        predicted, measured = zip(*pairs)
        print_table("loss change, predicted on 1000 training images and measured on the test set", ("correlation",),
                    [(f"{len(pairs)} merges", (statistics.correlation(predicted, measured),), "{:.4f}")])


def run(program, options):
    seeds = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, (options.rounds or SEEDS) + 1):
            seeds[seed] = of_seed(program, Path(folder), seed, options.steps)
    if not seeds:
        raise Failed("merging: no seeds")
    print_result(seeds)
    print_prediction(seeds)
    return {"epochs_before": EPOCHS, "seeds": seeds}
