# SPDX-License-Identifier: BSD-3-Clause
"""startup: seconds from the command to the end of the first step, and the most memory of a training, for each network;
without pictures. The step has ended when its row is in metrics.csv."""
import sys
import tempfile
import time
from pathlib import Path

import figures
from networks import NETWORKS
from program import Failed, resident

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cnn_core"))
from make_files import write_idx  # noqa: E402

ROUNDS = 7
STEPS = 20
LOOK_SECONDS = 0.001
IMAGES = 4096  # of a set of noise


def _data_for(network, program, folder):
    """MNIST where its images fit."""
    if network.shape == (1, 28, 28):
        return program.data
    write_idx(folder, train=IMAGES, test=100, size=network.shape[1:], channels=network.shape[0], classes=network.classes)
    return folder


def _rows(file):
    """Complete rows below the head."""
    try:
        return file.read_bytes().count(b"\n") - 1
    except FileNotFoundError:
        return 0


def _measure(program, network, data, steps):
    """Seconds to the first row, and bytes that were resident at most: asked while it runs, since what is told at its end
    counts what its parent had when it was started."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        began = time.monotonic()
        process = program.start("train", "--net", network.spec, "--data", data, "--steps", steps, "--run", run,
                                "--insitu", "none", "--quiet")
        first, held = None, 0
        while process.poll() is None:
            if first is None and _rows(run / "metrics.csv") > 0:
                first = time.monotonic() - began
            held = resident(process.pid, "VmHWM") or held
            time.sleep(LOOK_SECONDS)
        if process.returncode or first is None:
            raise Failed(f"train: {network.title}: ended with {process.returncode}")
        return first, held


def run(program, options):
    rounds, steps = options.rounds or ROUNDS, options.steps or STEPS
    seconds, memory = {key: [] for key in NETWORKS}, {}
    with tempfile.TemporaryDirectory() as folder:
        data = {key: _data_for(network, program, Path(folder)) for key, network in NETWORKS.items()}
        for _ in range(rounds):
            for key, network in NETWORKS.items():
                first, memory[key] = _measure(program, network, data[key], steps)
                seconds[key].append(first)
    found = {key: figures.spread(values) for key, values in seconds.items()}
    figures.print_spreads("seconds from the command to the end of the first step, batch 100",
                          [(NETWORKS[key].title, spread, "{:.3f}") for key, spread in found.items()])
    figures.print_table("MB resident at most", ("MB",),
                        [(NETWORKS[key].title, (held / 1e6,), "{:.0f}") for key, held in memory.items()])
    return {"rounds": rounds, "steps": steps, "first_step_s": found, "peak_memory_bytes": memory}
