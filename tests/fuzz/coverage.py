#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Prints which share of the lines of each reader was run, in a build with WEIGHTSCAPE_COVERAGE whose tests have been run, and ends
with 1 where it is less than it must be: coverage.py BUILD, after all tests; coverage.py BUILD --own, after those of the readers
only. Which files that are: coverage.py --files"""

import json
import subprocess
import sys
from pathlib import Path

LEAST = 0.90
# By their own tests alone: what is left there is about several clients, and about readers in other processes, which tests kill.
LESS = {"control lines": 0.80, "ring, attached": 0.85}
# Where a file goes on to write.
WRITES = "/* ---- writing ---- */"

READERS = {
    "IDX, gzip": ["cnn_core/src/idx.c", "cnn_core/src/dataset.c"],
    "safetensors": ["cnn_core/src/safetensors.c", "cnn_core/src/safetensors_values.c", "cnn_core/src/checksum.c"],
    "checkpoints": ["cnn_core/src/checkpoint_load.c", "cnn_core/src/checkpoint_parts.c", "cnn_core/src/merge_history.c"],
    "lines of networks": ["cnn_core/src/spec.c", "cnn_core/src/schedule.c", "cnn_core/src/number.c"],
    "frames": ["catalyst_adaptor/src/frame.c", "catalyst_adaptor/src/packing.c"],
    "recordings": ["catalyst_adaptor/src/recording.c", "catalyst_adaptor/src/recording_file.c"],
    "histories": ["catalyst_adaptor/src/history_tail.c", "catalyst_adaptor/src/row_layout.c"],
    "ring, attached": ["catalyst_adaptor/src/ring_reader.c", "catalyst_adaptor/src/ring_memory.c"],
    "control lines": ["cnn_core/app/control.c", "cnn_core/app/session_requests.c"],
    "knobs": ["cnn_core/app/knobs.c"],
    "steering.jsonl": ["cnn_core/app/steering.c"],
    "options": ["cnn_core/app/options.c", "cnn_core/app/train_options.c"],
    "merges": ["cnn_core/app/merge_spec.c"],
    "sweeps": ["cnn_core/app/sweep_axis.c"],
}


def lines_of(build, root):
    """{file: {line: how often it was run}} of all files that count."""
    counts = sorted(str(path.resolve()) for path in build.rglob("*.gcda"))
    told = subprocess.run(["gcov", "--stdout", "--json-format", *counts], cwd=build, check=True, capture_output=True, text=True)
    found = {}
    for text in told.stdout.splitlines():
        for file in json.loads(text)["files"]:
            path = (build / file["file"]).resolve()
            if path.is_relative_to(root):
                lines = found.setdefault(str(path.relative_to(root)), {})
                for line in file["lines"]:
                    number = line["line_number"]
                    lines[number] = lines.get(number, 0) + line["count"]
    return found


def reading_lines(root, found, file):
    """[(file, line, how often it was run)] of what reads."""
    text = (root / file).read_text(encoding="utf-8")
    end = text[:text.index(WRITES)].count("\n") if WRITES in text else float("inf")
    return [(file, number, count) for number, count in sorted(found.get(file, {}).items()) if number <= end]


def main():
    root = Path(__file__).resolve().parents[2]
    if sys.argv[1] == "--files":
        print(";".join(str(root / file) for files in READERS.values() for file in files), end="")
        return
    build, less = Path(sys.argv[1]).resolve(), LESS if sys.argv[2:] == ["--own"] else {}
    found, failed = lines_of(build, root), False
    print(f"{'reader':20} {'lines':>6} {'run':>7}   not run")
    for reader, files in READERS.items():
        lines = [line for file in files for line in reading_lines(root, found, file)]
        missed = [f"{Path(file).name}:{number}" for file, number, count in lines if not count]
        share = 1 - len(missed) / len(lines) if lines else 0
        failed |= share < less.get(reader, LEAST)
        print(f"{reader:20} {len(lines):6} {share:7.1%}   {' '.join(missed[:6])}{' ...' if len(missed) > 6 else ''}")
    if failed:
        sys.exit("coverage.py: a reader's share is too small")


if __name__ == "__main__":
    main()
