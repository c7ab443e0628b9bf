# SPDX-License-Identifier: BSD-3-Clause
"""training: images per second of the poster's network, ours beside PyTorch's, and our peak memory.

The candidates take turns (A B C A B C ...), so that a slow spell of the machine hits all of them; medians count."""
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 5
STEPS = 300
THREADS = (1, 2)
TORCH = [sys.executable, Path(__file__).with_name("bench_torch.py")]
# The BLAS with which PyTorch is fastest on several threads: it uses PyTorch's own. Others may be the system's default.
OPENBLAS = sorted(Path("/usr/lib").glob("*/openblas-openmp"))


def candidates(build, data, threads, steps, with_torch):
    """name -> (command, environment) for one number of threads."""
    arguments = [data, str(threads), str(steps)]
    found = {"weightscape": ([build / "bin/bench_train", *arguments], {})}
    if with_torch:
        limits = {"OMP_NUM_THREADS": str(threads), "LD_LIBRARY_PATH": ":".join(map(str, OPENBLAS))}
        passive = dict(limits, OMP_WAIT_POLICY="passive")
        for layout, flags in (("", []), (", channels last", ["--channels-last"])):
            command = [*TORCH, *arguments, *flags]
            found[f"pytorch{layout}"] = (command, limits)
            found[f"pytorch{layout}, passive waiting"] = (command, passive)
    return found


def rate_of(command, environment):
    done = subprocess.run(command, env=dict(os.environ, **environment), check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)["images_per_second"]


def measure(found, rounds):
    rates = {name: [] for name in found}
    for _ in range(rounds):
        for name, (command, environment) in found.items():
            rates[name].append(rate_of(command, environment))
    return rates


def peak_memory(build, data, steps):
    """Bytes resident at most in `weightscape train` without pictures."""
    with tempfile.TemporaryDirectory() as folder:
        command = [build / "bin/weightscape", "train", "--data", data, "--steps", str(steps), "--insitu", "none",
                   "--run", Path(folder) / "run"]
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise subprocess.CalledProcessError(child.returncode, command)
    return usage.ru_maxrss * 1024


def torch_version():
    if not importlib.util.find_spec("torch"):
        return None
    return subprocess.run([sys.executable, "-c", "import torch; print(torch.__version__)"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()


def print_table(threads, rates):
    medians = {name: statistics.median(values) for name, values in rates.items()}
    best = max((rate for name, rate in medians.items() if name != "weightscape"), default=None)
    print(f"\n{threads} thread{'s' if threads > 1 else ''}")
    print(f"  {'':42}{'images/s':>10}{'lowest':>10}{'highest':>10}")
    for name, values in rates.items():
        print(f"  {name:42}{medians[name]:10.0f}{min(values):10.0f}{max(values):10.0f}")
    if best:
        print(f"  weightscape / the best of pytorch: {medians['weightscape'] / best:.2f}")


def run(program, options):
    rounds, steps = options.rounds or ROUNDS, options.steps or STEPS
    version = torch_version()
    if version:
        print(f"pytorch {version}, {'OpenBLAS' if OPENBLAS else 'the default BLAS (faster: libopenblas0-openmp)'}")
    else:
        print("pytorch is not installed: no comparison (Debian: python3-torch)")
    result = {"steps": steps, "rounds": rounds, "pytorch": version, "images_per_second": {}}
    for threads in options.threads or THREADS:
        found = candidates(program.build, program.data, threads, steps, version is not None)
        rates = measure(found, rounds)
        print_table(threads, rates)
        result["images_per_second"][str(threads)] = rates
    result["peak_memory_bytes"] = peak_memory(program.build, program.data, steps)
    print(f"\npeak memory of weightscape train, without pictures: {result['peak_memory_bytes'] / 1e6:.0f} MB")
    return result
