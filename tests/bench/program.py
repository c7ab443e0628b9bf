# SPDX-License-Identifier: BSD-3-Clause
"""The program as it was built: training and replaying for a measurement."""
import csv
import json
import re
import subprocess
from pathlib import Path


def resident(pid, what="VmRSS"):
    """Bytes that a process holds, or has held at most (VmHWM), as it is told of itself; None once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return None
    found = re.search(rf"^{what}:\s+(\d+) kB$", status, re.MULTILINE)
    return 1024 * int(found[1]) if found else None


class Failed(Exception):
    """A call that ended otherwise than well; its text is for people."""


class Program:
    def __init__(self, build, data, pipelines):
        self.build, self.data, self.pipelines = build, data, pipelines
        self.path = build / "bin/weightscape"

    def call(self, *arguments):
        """Runs a command to its end and returns what it printed."""
        command = [str(word) for word in (self.path, *arguments)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def start(self, *arguments):
        """Starts a command that says nothing."""
        return subprocess.Popen([str(word) for word in (self.path, *arguments)], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def train(self, run, steps, *arguments):
        """Trains the poster's network; returns the seconds of the training loop and what run.json tells of pictures."""
        self.call("train", "--data", self.data, "--run", run, "--steps", steps, "--seed", 1, "--quiet", *arguments)
        with open(run / "metrics.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if len(rows) != steps:
            raise Failed(f"{run}: metrics.csv has {len(rows)} rows, {steps} steps were asked for")
        record = json.loads((run / "run.json").read_text(encoding="utf-8"))
        return float(rows[-1]["time_s"]), record["insitu"]

    def script(self, name, **arguments):
        """A script with its arguments, as --pipeline takes it; a name without a folder is one of the pipelines."""
        return ",".join([str(self.pipelines / name), *(f"{key}={value}" for key, value in arguments.items())])
