# SPDX-License-Identifier: BSD-3-Clause
"""The programs that compute one network (rate.h), each waiting for its turn: a process that is not asked is stopped, so
that threads of its that spin take nothing from the one that is measured."""
import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from program import Failed

HERE = Path(__file__).resolve().parent
# The BLAS with which PyTorch is fastest on several threads: it uses PyTorch's own. Others may be the system's default.
OPENBLAS = sorted(Path("/usr/lib").glob("*/openblas-openmp"))
# Ours, as it is, and as it would be if it multiplied by zeros like by all else.
OURS, DENSE = "weightscape", "weightscape, zeros multiplied"


class Way:
    """One program, from its start until `close`."""

    def __init__(self, name, command, environment):
        self.name, self._command = name, [str(word) for word in command]
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                         env=dict(os.environ, **environment))
        self._process.send_signal(signal.SIGSTOP)

    def ask(self, *words):
        """The answer to one order, as an object."""
        self._process.send_signal(signal.SIGCONT)
        try:
            self._process.stdin.write(" ".join(map(str, words)) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Failed(f"{self.name}: {' '.join(map(str, words))}: exit status {self._process.wait()}")
        self._process.send_signal(signal.SIGSTOP)
        return json.loads(line)

    def close(self):
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()  # perhaps in the middle of an answer
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        self._process.wait()
        self._process.stdout.close()


def found(build):
    """Family of ways -> why it is left out, or None."""
    torch = importlib.util.find_spec("torch")
    return {"weightscape": None,
            "pytorch": None if torch else "PyTorch is not installed (Debian: python3-torch)",
            "onednn": None if (build / "bin/rate_onednn").exists() else
            "built without oneDNN 2 (Debian 12: libdnnl-dev)",
            "openblas": None if (build / "bin/rate_openblas").exists() else
            "built without OpenBLAS (Debian: libopenblas-openmp-dev)"}


def torch_version():
    return subprocess.run([sys.executable, "-c", "import torch; print(torch.__version__)"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()


def commands(build, arguments, parameters, threads):
    """(name, command, environment) of all that are there; `arguments` as rate.h names them."""
    limits = {"OMP_NUM_THREADS": str(threads), "LD_LIBRARY_PATH": ":".join(map(str, OPENBLAS))}
    there = {family for family, reason in found(build).items() if reason is None}
    # Waiting threads matter where there are several.
    waiting = {"": {"OMP_WAIT_POLICY": "active"}, ", passive": {"OMP_WAIT_POLICY": "passive"}} if threads > 1 else {"": {}}
    ours = [build / "bin/rate_weightscape", *arguments]
    yield OURS, ours, {}
    yield DENSE, ours, {"CNN_ZEROS": "multiplied"}
    for words, policy in waiting.items():
        environment = dict(limits, **policy)
        if "pytorch" in there:
            for layout, flags in (("", []), (", channels last", ["--channels-last"])):
                yield (f"pytorch{layout}{words}",
                       [sys.executable, HERE / "rate_torch.py", *arguments, parameters, *flags], environment)
        for family in ("onednn", "openblas"):
            if family in there:
                yield f"{family}{words}", [build / f"bin/rate_{family}", *arguments], environment


def family_of(name):
    return name.split(",")[0]
