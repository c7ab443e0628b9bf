# SPDX-License-Identifier: BSD-3-Clause
"""bench.py: how fast the program computes beside others and beside the machine's limits, what it takes and what it leaves
to others, in parts. Prints tables, and writes all values to BUILD/bench.json, one object for each part; parts that were not
asked for stay there as they are.

Candidates take turns, so that a slow spell of the machine hits all of them; medians count. The machine should have
nothing else to do: its load before a part is written down, and how much of it others had meanwhile.
"""
import argparse
import json
import signal
import sys
from pathlib import Path

import part_memory
import part_merging
import part_networks
import part_overhead
import part_pictures
import part_publish
import part_ranks
import part_recording
import part_startup
import part_target
import part_training
from machine import Watch
from networks import NETWORKS
from program import Failed, Program

PARTS = {"networks": part_networks, "training": part_training, "startup": part_startup, "overhead": part_overhead,
         "publish": part_publish, "pictures": part_pictures, "memory": part_memory, "recording": part_recording, "merging": part_merging,
         "ranks": part_ranks, "target": part_target}
# What training and an algorithm achieve, not what the program takes: they have no place among the others, and take long.
ON_REQUEST = {"merging", "ranks", "target"}
SOURCE = Path(__file__).resolve().parents[2]


def earlier(file):
    """What the file holds of the parts; nothing if there is none that can be read."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {part: found[part] for part in PARTS if part in found} if isinstance(found, dict) else {}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=[part for part in PARTS if part not in ON_REQUEST],
                        help="parts to measure, instead of all but merging, ranks and target")
    parser.add_argument("--steps", type=int, help="training steps a run, instead of the part's own number")
    parser.add_argument("--rounds", type=int, help="rounds, pairs or runs, instead of the part's own number")
    parser.add_argument("--threads", type=int, nargs="+",
                        help="training threads (networks, training, overhead), instead of 1 and 2")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, help="networks to measure (networks), instead of all")
    parser.add_argument("--batches", type=int, nargs="+", help="images in a batch (networks), instead of 1 to 512")
    return parser.parse_args()


def end(number, _frame):
    """As an exception, so that those who were started are ended, too."""
    sys.exit(128 + number)


def main():
    options = parse()
    signal.signal(signal.SIGTERM, end)
    build = options.build.resolve()
    program = Program(build, options.data.resolve(), SOURCE / "pipelines")
    file = build / "bench.json"
    for name in PARTS:
        if name not in options.only:
            continue
        watch = Watch()
        print(f"\n== {name} (load {watch.load:.2f})", flush=True)
        options.before = earlier(file).get(name, {})
        try:
            result = PARTS[name].run(program, options)
        except Failed as failure:
            print(failure, file=sys.stderr)
            return 1
        where = watch.tell()
        print(f"  (others had {where['cores_of_others']:.2f} cores meanwhile)", flush=True)
        found = {**earlier(file), name: {"machine": where, **result}}
        file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"\nall values: {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
