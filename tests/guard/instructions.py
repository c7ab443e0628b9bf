# SPDX-License-Identifier: BSD-3-Clause
"""How many instructions the hot kernels take: counted by callgrind, and so the same at each run, however busy the machine.

instructions.json holds the figures, what they were counted with, and the allowance. When they are to be others:

    cmake --build --preset release --target renew-instructions
"""
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FILE = Path(__file__).with_name("instructions.json")
RENEW = "cmake --build --preset release --target renew-instructions"
# valgrind knows AVX2 and not AVX-512, so that all machines run these.
KERNELS = "avx2"


def count(program):
    """What the program was built and run with; name -> instructions."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", "--collect-atstart=no", "--combine-dumps=no",
                   f"--callgrind-out-file={folder}/out", program]
        # Nothing of the environment may lie on the stack, whose place decides how copies are aligned.
        environment = {"PATH": os.environ["PATH"], "CNN_KERNELS": KERNELS}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{program}: exit status {done.returncode}: {done.stderr.strip()}")
        found = {}
        for name, instructions in _dumps(Path(folder)):
            found[name] = found.get(name, 0) + instructions
        return json.loads(done.stdout), found


def _dumps(folder):
    """In the order in which they were written."""
    for path in sorted(folder.glob("out.*"), key=lambda path: int(path.suffix[1:])):
        text = path.read_text(encoding="utf-8")
        name = re.search(r"^desc: Trigger: Client Request: (.+)$", text, re.MULTILINE)
        if name:
            yield name[1], int(re.search(r"^totals: (\d+)", text, re.MULTILINE)[1])


def known():
    return json.loads(FILE.read_text(encoding="utf-8"))


def difference(with_what, now):
    """Why figures counted with one thing tell nothing about those counted with another; None where they do."""
    words = [f"{key} {now[key]}, not {value}" for key, value in with_what.items() if now[key] != value]
    return "; ".join(words) or None


def complaints(before, now, allowance):
    """One line for each kernel that grew by more than the allowance, is new, or is gone."""
    for name in {**before, **now}:
        if name not in now:
            yield f"{name}: is not counted any more"
        elif name not in before:
            yield f"{name}: {now[name]:,} instructions, no figure in the file"
        elif now[name] > before[name] * (1 + allowance):
            yield (f"{name}: grew from {before[name]:,} to {now[name]:,} instructions "
                   f"({now[name] / before[name] - 1:+.1%}, allowed {allowance:.0%})")


def renew(program):
    with_what, found = count(program)
    facts = {"allowance": known()["allowance"] if FILE.exists() else 0.03, "with": with_what, "instructions": found}
    FILE.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(f"{FILE}: {len(found)} figures")


if __name__ == "__main__":
    renew(sys.argv[1])
