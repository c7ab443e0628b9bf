# SPDX-License-Identifier: BSD-3-Clause
"""training: a whole training of the poster's network, three epochs of MNIST, beside PyTorch: how fast both are from the
first second to the last, with one thread and with several, and with as much less as processors without AVX-512 have.

All ways take turns, and so does the measure of the machine, until ours has done its epochs: what relu leaves at zero, and
with it our speed, changes all the while."""
import sys
import tempfile
import time
from pathlib import Path

import figures
import part_networks
import ways
from networks import NETWORKS, flop_of
from networks_table import aligned, fastest_of, threads_words
from ways import DENSE, OURS, family_of

NETWORK = "poster"
EPOCHS, IMAGES, BATCH = 3, 60000, 100
STEPS = EPOCHS * IMAGES // BATCH
SECONDS = 1.0  # of a turn
THREADS = (1, 2)
# What keeps all from AVX-512, each by its own name for it.
AVX2 = {"CNN_KERNELS": "avx2", "ATEN_CPU_CAPABILITY": "avx2", "DNNL_MAX_CPU_ISA": "AVX2", "OPENBLAS_CORETYPE": "Haswell"}
FAMILIES = (OURS, "pytorch")


class Racers:
    """All ways of one number of threads, the machine's own among them, and what they have done."""

    def __init__(self, build, network, files, parameters, threads, environment):
        arguments = part_networks.arguments_of(network, threads, files)
        self.ways = [ways.Way(name, command, dict(limits, **environment))
                     for name, command, limits in ways.commands(build, arguments, parameters, threads)
                     if family_of(name) in FAMILIES]
        self.peak = part_networks.Peak(build, threads, environment)
        self.rates, self.gflops, self.steps = {way.name: [] for way in self.ways}, [], 0

    def is_done(self, rounds, steps):
        return len(self.gflops) >= rounds if rounds else self.steps >= steps

    def race(self):
        number, count = len(self.gflops), len(self.ways)
        machine = self.peak.ask(part_networks.SECONDS)
        self.gflops.append(machine["gflops"])
        self.instructions = machine["instructions"]
        for way in part_networks.turned(self.ways, number % count, count):
            told = way.ask("train", BATCH, SECONDS)
            self.rates[way.name].append(float(told["images_per_second"]))
            self.steps += told["steps"] if way.name == OURS else 0

    def close(self):
        for way in (*self.ways, self.peak):
            way.close()


def quotients(over, under):
    """Of each two values of the same round."""
    return figures.spread([above / below for above, below in zip(over, under)])


def tell(racers, flop):
    rates = racers.rates
    spreads = {name: figures.spread(values) for name, values in rates.items()}
    best = fastest_of(spreads, "pytorch")
    done = {name: [rate * flop / 1e9 for rate in rates[name]] for name in (OURS, DENSE)}
    return {"rates": spreads, "best": best, "steps": racers.steps,
            "ratio": quotients(rates[OURS], rates[best]) if best else None,
            "of_peak": {name: quotients(values, racers.gflops) for name, values in done.items()},
            "gflops": figures.spread(racers.gflops)}


def measure(build, network, files, parameters, environment, options, steps=STEPS):
    """Of each number of threads; and how much more the most do than the fewest, in the rounds that both have."""
    threads = options.threads or THREADS
    every = [Racers(build, network, files, parameters, count, environment) for count in threads]
    try:
        while racing := [racers for racers in every if not racers.is_done(options.rounds, steps)]:
            for racers in racing:
                racers.race()
    finally:
        for racers in every:
            racers.close()
    first, last = every[0], every[-1]
    return {"instructions": first.instructions,
            "threads": {str(count): tell(racers, flop_of(network, True)) for count, racers in zip(threads, every)},
            "scaling": {name: quotients(last.rates[name], first.rates[name]) for name in (OURS, DENSE)}
                       if last is not first else None}


HEAD = ["instructions", "threads", "Weightscape", "of peak", "zeros multiplied", "of peak", "PyTorch", "ratio", "quartiles"]


def row_of(instructions, threads, found):
    words = [instructions, threads]
    for name in (OURS, DENSE):
        words += [f"{found['rates'][name]['median']:,.0f}", f"{100 * found['of_peak'][name]['median']:.1f} %"]
    if not found["best"]:
        return [*words, "skipped", "-", "-"]
    low, high = found["ratio"]["quartiles"]
    return [*words, f"{found['rates'][found['best']]['median']:,.0f}", f"{found['ratio']['median']:.2f}",
            f"{low:.2f} to {high:.2f}"]


def scaling_words(threads, scaling):
    words = [f"{scaling[name]['median']:.2f} times ({'zeros multiplied' if name == DENSE else 'as it is'}; quartiles "
             f"{scaling[name]['quartiles'][0]:.2f} to {scaling[name]['quartiles'][1]:.2f})" for name in (OURS, DENSE)]
    return f"{threads_words(threads[-1])} beside {threads[0]}: {', '.join(words)}"


def rows_of(sets):
    """The table, and behind it what is said of scaling."""
    rows = [row_of(found["instructions"], threads, place) for found in sets for threads, place in found["threads"].items()]
    return [HEAD, *rows], [f"{found['instructions']}: {scaling_words(list(found['threads']), found['scaling'])}."
                           for found in sets if found["scaling"]]


def run(program, options):
    network = NETWORKS[NETWORK]
    reason = ways.found(program.build)["pytorch"]
    if reason:
        print(f"  skipped: pytorch: {reason}", file=sys.stderr)
    sets = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = part_networks.write_images(network, program.data, folder, IMAGES)
        part_networks.check(program.build, network, files, folder)
        for environment in ({}, AVX2):
            if not sets or sets[0]["instructions"] == "avx512":
                sets.append(measure(program.build, network, files, folder / "parameters", environment, options))
    rows, scaling = rows_of(sets)
    print(f"\n  {network.title}, {EPOCHS} epochs of MNIST, batch {BATCH}, images/s, turns of {SECONDS} s")
    print("\n".join([*aligned(rows), *(f"  {line}" for line in scaling)]))
    return {"epochs": EPOCHS, "batch": BATCH, "seconds": SECONDS, "pytorch": None if reason else ways.torch_version(),
            "measured": time.strftime("%Y-%m-%d %H:%M"), "newest": part_networks.newest_change(), "sets": sets}
