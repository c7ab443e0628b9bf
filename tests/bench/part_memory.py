# SPDX-License-Identifier: BSD-3-Clause
"""memory: what the process that draws holds after so many pictures."""
import tempfile
import time
from pathlib import Path

import figures
from program import Failed, resident

MARKS = (100, 300, 1000)
BEYOND = 25  # pictures after the last mark, so that the process is still there
LOOK_SECONDS = 0.02
SCRIPTS = {"weights.py, conv2": ("weights.py", {"layer": "conv2"}), "trajectory.py": ("trajectory.py", {"layer": "conv1"}),
           "norms.py": ("norms.py", {})}


def _is_drawn(folder, step):
    return any(folder.rglob(f"*_{step:06d}.png"))


def _wait_for(process, folder, step):
    while not _is_drawn(folder, step):
        if process.poll() is not None:
            raise Failed(f"replay: ended with {process.returncode} before step {step} was drawn")
        time.sleep(LOOK_SECONDS)


def _measure(program, recording, script):
    """Resident bytes at each mark; step n of a recording from step 1 on is its nth picture."""
    with tempfile.TemporaryDirectory() as folder:
        process = program.start("replay", recording, "--pipeline", script, "--first", 1, "--output", folder, "--quiet")
        try:
            held = []
            for mark in MARKS:
                _wait_for(process, Path(folder), mark)
                held.append(resident(process.pid))
            if process.wait() != 0:
                raise Failed(f"replay: ended with {process.returncode}")
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    return held


def run(program, options):
    del options  # one long run each is the measurement
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        trained = Path(folder) / "run"
        program.train(trained, MARKS[-1] + BEYOND, "--insitu", "record", "--record", 1)
        for name, (script, arguments) in SCRIPTS.items():
            found[name] = _measure(program, trained, program.script(script, every=1, size="1024x768", **arguments))
    figures.print_table("MB resident in the process that draws", [f"{mark} pictures" for mark in MARKS],
                        [(name, [bytes_held / 1e6 for bytes_held in held], "{:.1f}") for name, held in found.items()])
    return {"pictures": MARKS, "resident_bytes": found}
