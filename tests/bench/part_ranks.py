# SPDX-License-Identifier: BSD-3-Clause
"""ranks: what ranks say to each other, by bench_ranks, beside a step of the training; a model of it, and where it leads."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import figures
from program import Failed

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import mpi_launch  # noqa: E402

COUNTS = (1, 2, 3, 4, 8)
ROUNDS = 2  # of all counts, in turns
REPEATS = 9  # within one call
BYTES = {"sum_16k": 16 << 10, "sum_256k": 256 << 10, "sum_all": 1663370 * 4}
NAMES = {"sum_16k": "sum of 16 KB", "sum_256k": "sum of 256 KB", "sum_all": "sum of all gradients, 6.7 MB", "rows": "a row of each, to all",
         "show": "what is shown, to rank 0, 0.75 MB", "picture": "a picture put together"}
# A network of the day: 100 Gbit/s, a message in 2 us. Assumed, not measured.
FAR = {"alpha": 2e-6, "beta": 1 / 12.5e9}
FAR_COUNTS = (2, 8, 64, 256, 1000, 10000)


def sum_time(count, size, alpha, beta):
    """Each rank sends count - 1 blocks and gets as many, twice; a block is a part of `size`."""
    return 2 * (count - 1) * alpha + 2 * (count - 1) / count * size * beta


def tree_time(count, size, alpha, beta):
    """The same by halving and doubling: as many bytes, log2 messages."""
    return 2 * np.ceil(np.log2(count)) * alpha + 2 * (count - 1) / count * size * beta


def fit(medians, cores):
    """alpha and beta of sums; more ranks than cores take turns. With the largest error as a part of what was measured."""
    cases = [(count, size, medians[count][name]) for count in medians if count > 1 for name, size in BYTES.items()]
    turns = [max(1.0, count / cores) for count, _, _ in cases]
    terms = np.array([[turn * sum_time(count, size, 1, 0) / seconds, turn * sum_time(count, size, 0, 1) / seconds]
                      for turn, (count, size, seconds) in zip(turns, cases)])
    alpha, beta = np.linalg.lstsq(terms, np.ones(len(cases)), rcond=None)[0]
    return {"alpha": float(alpha), "beta": float(beta), "largest_error": float(np.abs(terms @ [alpha, beta] - 1).max())}


def _environment():
    """Ranks are bound to processors, or not, as they are for whoever calls mpirun."""
    return mpi_launch.environment(OMPI_MCA_hwloc_base_binding_policy=None)


def _call(path, count, repeats):
    command = [*([shutil.which("mpirun"), "-np", str(count)] if count > 1 else []), str(path), str(repeats)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=_environment())
    if done.returncode:
        raise Failed(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def _step(program, count, steps):
    """Seconds of a step of the poster's network on so many ranks of one thread each."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = [*([shutil.which("mpirun"), "-np", str(count)] if count > 1 else []), str(program.path), "train", "--data",
                   str(program.data), "--run", str(run), "--steps", str(steps), "--threads", "1", "--insitu", "none", "--quiet"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=_environment())
        if done.returncode:
            raise Failed(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr.strip()}")
        times = [float(line.split(",")[2]) for line in (run / "metrics.csv").read_text().splitlines()[1:]]
        return (times[-1] - times[len(times) // 2]) / (len(times) - 1 - len(times) // 2)


def run(program, options):
    path = program.path.with_name("bench_ranks")
    if not path.exists() or not shutil.which("mpirun"):
        raise Failed("ranks: no MPI: apt-get install libopenmpi-dev openmpi-bin")
    rounds, steps = options.rounds or ROUNDS, options.steps or 30
    told = {count: [] for count in COUNTS}
    took = {count: [] for count in COUNTS}
    for _ in range(rounds):
        for count in COUNTS:
            told[count].append(_call(path, count, REPEATS))
            took[count].append(_step(program, count, steps))
    medians = {count: {name: float(np.median([each[name] for each in told[count]])) for name in told[count][0]} for count in COUNTS}
    step = {count: float(np.median(took[count])) for count in COUNTS}
    cores = len(os.sched_getaffinity(0))
    model = fit(medians, cores)
    figures.print_table(f"milliseconds, ranks on {cores} processors, medians", COUNTS, [
        *((words, [1e3 * medians[count].get(name, float("nan")) for count in COUNTS], "{:.3f}") for name, words in NAMES.items()),
        ("a step of the poster's network", [1e3 * step[count] for count in COUNTS], "{:.1f}")])
    print(f"\n  sums: a message {1e6 * model['alpha']:.1f} us, a byte {1e9 * model['beta']:.3f} ns; "
          f"largest error {100 * model['largest_error']:.0f} %")
    size = BYTES["sum_all"]
    figures.print_table("milliseconds of a sum of 6.7 MB, 100 Gbit/s and 2 us assumed", FAR_COUNTS, [
        ("as it is", [1e3 * sum_time(count, size, **FAR) for count in FAR_COUNTS], "{:.2f}"),
        ("by halving and doubling", [1e3 * tree_time(count, size, **FAR) for count in FAR_COUNTS], "{:.2f}"),
        ("own share of the step", [1e3 * step[1] / count for count in FAR_COUNTS], "{:.3f}")])
    return {"rounds": rounds, "cores": cores, "seconds": medians, "step_s": step, "model": model}
