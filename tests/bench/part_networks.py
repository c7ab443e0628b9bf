# SPDX-License-Identifier: BSD-3-Clause
"""networks: images per second of training and of inference, in total and for each layer, beside PyTorch, oneDNN and OpenBLAS,
and beside what the machine itself can do.

All ways of computing a network take turns, and so does the measure of the machine: a slow spell hits all of them. Medians
count. Before anything is measured all have to come to the same losses from the same weights."""
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import figures
import layer_work
import numpy
import roofline
import ways
from machine import Watch
from networks import NETWORKS, flop_of, without_dropout
from networks_table import lines_of
from program import Failed

ROUNDS = 3
SECONDS = 0.25  # of a turn; at least one step
THREADS = (1, 2)
BATCHES = (1, 32, 100, 256, 512)
LAYERS_BATCH = 100
IMAGES = 4096
CHECK_BATCH, CHECK_STEPS = 16, 4
TOLERANCE = 2e-5  # of a loss after some steps: sums in float32 in another order


def write_images(network, data, folder, count=IMAGES):
    """Images and labels as bare bytes: MNIST's where they fit, else noise."""
    size = int(numpy.prod(network.shape))
    images, labels = folder / "images", folder / "labels"
    if network.shape == (1, 28, 28):
        images.write_bytes((data / "train-images-idx3-ubyte").read_bytes()[16:16 + count * size])
        labels.write_bytes((data / "train-labels-idx1-ubyte").read_bytes()[8:8 + count])
    else:
        noise = numpy.random.default_rng(1)
        images.write_bytes(noise.integers(0, 256, count * size, dtype=numpy.uint8).tobytes())
        labels.write_bytes(noise.integers(0, network.classes, count, dtype=numpy.uint8).tobytes())
    return images, labels


def arguments_of(network, threads, files):
    return [network.spec, "x".join(map(str, network.shape)), network.classes, threads, *files]


def check(build, network, files, folder):
    """All ways train the same network: their losses are those of ours."""
    parameters, ours = folder / "parameters", None
    for name, command, environment in ways.commands(build, arguments_of(without_dropout(network), 1, files), parameters, 1):
        way = ways.Way(name, command, environment)
        try:
            if ours is None:
                way.ask("parameters", parameters)
            losses = way.ask("losses", CHECK_BATCH, CHECK_STEPS)["losses"]
        finally:
            way.close()
        ours = ours or losses
        if any(abs(loss - other) > TOLERANCE for loss, other in zip(losses, ours)):
            raise Failed(f"{network.title}: losses of {name} are {losses}, ours are {ours}: not the same training")


class Peak(ways.Way):
    """What the machine can do, measured as one more way."""

    def __init__(self, build, threads, environment=None):
        super().__init__("the machine", [build / "bin/peak", threads], environment or {})


def spreads(rows):
    """Of each key that all rows have, numbers only."""
    return {key: figures.spread([row[key] for row in rows]) for key, value in rows[0].items() if isinstance(value, float)}


def turned(running, number, rounds):
    """Each round begins with another one: whoever comes after the measure of the machine finds nothing in the caches."""
    first = number * len(running) // rounds
    return running[first:] + running[:first]


def measure_cell(network, running, peak, mode, batch, rounds):
    """One network in one mode with one batch."""
    rates, machine = {way.name: [] for way in running}, []
    for number in range(rounds):
        machine.append(peak.ask(SECONDS))
        for way in turned(running, number, rounds):
            rates[way.name].append(float(way.ask(mode, batch, SECONDS)["images_per_second"]))
    return {"rates": {name: figures.spread(values) for name, values in rates.items()}, "machine": spreads(machine),
            "instructions": machine[0]["instructions"], "flop_per_image": flop_of(network, mode == "train")}


def measure_layers(network, ours, peak, rounds):
    """Seconds of each layer in a step, forward and backward; layers that are done in one are one."""
    told, machine = [], []
    for _ in range(rounds):
        machine.append(peak.ask(SECONDS))
        told.append(ours.ask("layers", LAYERS_BATCH, 2 * SECONDS))
    seconds = [{name: statistics.median(each["layers"][name][way] for each in told) for name in told[0]["layers"]}
               for way in (0, 1)]
    return {"batch": LAYERS_BATCH, "forward": layer_work.forward_groups(network, LAYERS_BATCH, seconds[0]),
            "backward": layer_work.backward_groups(network, LAYERS_BATCH, seconds[1]), "loss_s": seconds[0]["loss"],
            "machine": spreads(machine), "step_s": statistics.median(each["step_s"] for each in told),
            "update_s": statistics.median(each["update_s"] for each in told)}


def measure_threads(build, network, files, folder, threads, options):
    """All of one network with so many threads."""
    started = [ways.Way(*each) for each in ways.commands(build, arguments_of(network, threads, files),
                                                         folder / "parameters", threads)]
    peak, rounds = Peak(build, threads), options.rounds or ROUNDS
    try:
        cells = {mode: {str(batch): measure_cell(network, started, peak, mode, batch, rounds)
                        for batch in options.batches or BATCHES} for mode in ("train", "infer")}
        return cells, measure_layers(network, started[0], peak, rounds)
    finally:
        for way in (*started, peak):
            way.close()


def newest_change():
    """What git calls the newest change of what is measured: its subject, which outlives a rebase."""
    done = subprocess.run(["git", "-C", Path(__file__).parent, "log", "-1", "--format=%s", "--", "../../cnn_core/src"],
                          capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def measure_network(program, key, options, found):
    network = NETWORKS[key]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = write_images(network, program.data, folder)
        check(program.build, network, files, folder)
        for threads in options.threads or THREADS:
            watch = Watch()
            cells, layers = measure_threads(program.build, network, files, folder, threads, options)
            place = found.setdefault(key, {}).setdefault(str(threads), {"train": {}, "infer": {}})
            for mode, of_batches in cells.items():
                place[mode].update(of_batches)
            place["by_layer"] = layers
            place["measured"] = time.strftime("%Y-%m-%d %H:%M")
            place["machine"] = watch.tell()
            place["newest"] = newest_change()
            print("\n".join(lines_of(key, threads, place)), flush=True)


def run(program, options):
    """Adds to what was found before, so that networks, batches and threads can be measured one by one."""
    left_out = {family: reason for family, reason in ways.found(program.build).items() if reason}
    for family, reason in left_out.items():
        print(f"  skipped: {family}: {reason}", file=sys.stderr)
    if not ways.OPENBLAS:
        print("  PyTorch uses the system's default BLAS (faster: libopenblas0-openmp)", file=sys.stderr)
    found = options.before.get("networks", {})
    for key in options.networks or NETWORKS:
        measure_network(program, key, options, found)
    result = {"rounds": options.rounds or ROUNDS, "seconds": SECONDS, "skipped": left_out,
              "pytorch": None if "pytorch" in left_out else ways.torch_version(), "networks": found}
    text = "\n".join(line for key, of_threads in found.items() for threads, place in of_threads.items()
                     for line in lines_of(key, threads, place))
    (program.build / "performance.txt").write_text(text + "\n", encoding="utf-8")
    print(f"\n  all tables: {program.build / 'performance.txt'}")
    roofline.draw(found, program.build / "roofline.png")
    return result
