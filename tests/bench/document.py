# SPDX-License-Identifier: BSD-3-Clause
"""document.py BUILD: puts what BUILD/bench.json holds into docs/performance.md, between its marks, and the roofline beside it.

Everything outside of the marks is written by hand."""
import json
import re
import shutil
import sys
from pathlib import Path

import part_training
from networks import NETWORKS
from networks_table import lines_of, machine_words, marked_table, threads_words

SOURCE = Path(__file__).resolve().parents[2]
DOCUMENT = SOURCE / "docs/performance.md"
PICTURE = SOURCE / "docs/images/roofline.png"
LAYERS_OF = "1"  # threads of which the layers are told; performance.txt has all


def machine_lines(found):
    place = next(iter(next(iter(found["networks"].values())).values()))
    machine, pytorch = place["machine"], found["pytorch"]
    caches = ", ".join(f"{level} {size}" for level, size in machine["caches"].items())
    yield f"{machine['processor']}, {machine['cores']} cores, {caches}, {machine['memory_bytes'] / 2**30:.0f} GiB; " \
          f"PyTorch {pytorch or 'was left out'}. Median of {found['rounds']} turns of {found['seconds']} s each."
    yield ""
    yield "| network | threads | when | the machine's own rate, and what memory brings | cores that others had |"
    yield "|---|---|---|---|---|"
    for key, of_threads in found["networks"].items():
        for threads, place in of_threads.items():
            yield (f"| {NETWORKS[key].title} | {threads} | {place['measured']} | "
                   f"{machine_words([*place['train'].values(), *place['infer'].values()])} | "
                   f"{place['machine']['cores_of_others']:.2f} |")
    yield ""
    newest = dict.fromkeys(place["newest"] for of_threads in found["networks"].values() for place in of_threads.values())
    yield "The newest change of `cnn_core` in it: " + "; ".join(f"*{subject}*" for subject in newest) + "."


def table_lines(found, layers):
    """The tables of rates, or those of the layers."""
    for key, of_threads in found["networks"].items():
        for threads, place in of_threads.items():
            lines = "\n".join(lines_of(key, threads, place, marked=True))
            for table in re.split(rf"\n(?={re.escape(NETWORKS[key].title)}, {threads_words(threads)}: )", lines):
                is_layers = ": layers of a step" in table.split("\n", 1)[0]
                if table.strip() and is_layers == layers and (not layers or threads == LAYERS_OF):
                    yield from table.strip().split("\n")
                    yield ""


def training_lines(found):
    rows, scaling = part_training.rows_of(found["sets"])
    yield (f"{found['measured']}, PyTorch {found['pytorch'] or 'was left out'}; the newest change of `cnn_core` in it: "
           f"*{found['newest']}*.")
    yield ""
    yield from marked_table(rows)
    for line in scaling:
        yield ""
        yield line


def startup_lines(found):
    yield "| network | first step after, s | lowest to highest | memory at most, MB |"
    yield "|---|---|---|---|"
    for key, seconds in found["first_step_s"].items():
        yield (f"| {NETWORKS[key].title} | {seconds['median']:.3f} | {seconds['lowest']:.3f} to {seconds['highest']:.3f} | "
               f"{found['peak_memory_bytes'][key] / 1e6:.0f} |")


def filled(text, name, lines):
    """The text with what is between two marks replaced."""
    begin, end = f"<!-- {name}: written by tests/bench/document.py -->", f"<!-- end of {name} -->"
    if begin not in text or end not in text:
        raise SystemExit(f"{DOCUMENT}: no marks for {name}")
    before, rest = text.split(begin, 1)
    return before + begin + "\n" + "\n".join(lines).strip() + "\n" + end + rest.split(end, 1)[1]


def main():
    build = Path(sys.argv[1])
    told = json.loads((build / "bench.json").read_text(encoding="utf-8"))
    text = DOCUMENT.read_text(encoding="utf-8")
    if "networks" in told:
        text = filled(text, "machine", machine_lines(told["networks"]))
        text = filled(text, "rates", table_lines(told["networks"], False))
        text = filled(text, "layers", table_lines(told["networks"], True))
        shutil.copyfile(build / "roofline.png", PICTURE)
    if "training" in told:
        text = filled(text, "training", training_lines(told["training"]))
    if "startup" in told:
        text = filled(text, "start", startup_lines(told["startup"]))
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
