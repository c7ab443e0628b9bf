# SPDX-License-Identifier: BSD-3-Clause
"""pictures: seconds a picture takes, PNG included, beside the same boxes by ParaView's own filters.

A recording is drawn again and again; all candidates take turns. Times are those between the files. The system's clock for
files is a coarse one, so that the time of one picture is that of ten, divided. The first picture, with which all is set
up, is left out.
"""
import tempfile
from pathlib import Path

import figures
from program import Failed

ROUNDS = 3
PICTURES = 100
STRETCH = 10
SIZE = "1024x768"
LAYERS = {"conv1": "16 filters", "conv2": "512 tiles"}


def _candidates(program):
    """name -> script."""
    plain = Path(__file__).with_name("plain_boxes.py")
    found = {}
    for layer in LAYERS:
        found[f"{layer} weights.py"] = program.script("weights.py", layer=layer, every=1, size=SIZE)
        found[f"{layer} plain"] = program.script(plain, layer=layer, every=1)
    return found


def _draw(program, recording, script):
    """Seconds per picture of each stretch."""
    with tempfile.TemporaryDirectory() as folder:
        program.call("replay", recording, "--pipeline", script, "--output", folder, "--quiet")
        files = sorted(Path(folder).rglob("*.png"))
        if len(files) != PICTURES + 1:
            raise Failed(f"{script}: {len(files)} pictures, not {PICTURES + 1}")
        times = [file.stat().st_mtime_ns / 1e9 for file in files]
    return [(last - first) / STRETCH for first, last in zip(times[::STRETCH], times[STRETCH::STRETCH])]


def _ratio(found, layer):
    return found[f"{layer} weights.py"]["median"] / found[f"{layer} plain"]["median"]


def run(program, options):
    rounds = options.rounds or ROUNDS
    candidates = _candidates(program)
    taken = {name: [] for name in candidates}
    with tempfile.TemporaryDirectory() as folder:
        trained = Path(folder) / "run"
        program.train(trained, PICTURES, "--insitu", "record", "--record", 1)
        for _ in range(rounds):
            for name, script in candidates.items():
                taken[name] += _draw(program, trained, script)
    found = {name: figures.spread(values) for name, values in taken.items()}
    figures.print_spreads(f"seconds per picture of {SIZE}, {rounds} times {PICTURES} pictures",
                          [(f"{LAYERS[name.split()[0]]}, {name}", values, "{:.4f}") for name, values in found.items()])
    for layer in LAYERS:
        print(f"  {layer}: weights.py takes {_ratio(found, layer):.2f} of the time of the plain filters")
    return {"rounds": rounds, "pictures": PICTURES, "size": SIZE, "seconds_per_picture": found,
            "ratio": {layer: _ratio(found, layer) for layer in LAYERS}}
