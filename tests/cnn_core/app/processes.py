# SPDX-License-Identifier: BSD-3-Clause
"""Processes as /proc shows them: whose children they are, how they are, and what they use."""

import os
from pathlib import Path

MARK = "WEIGHTSCAPE_TEST"

def stat_of(pid):
    """(state, parent) of a process, None if there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], int(fields[1])


def is_alive(pid):
    found = stat_of(pid)
    return found is not None and found[0] not in "ZX"


def command_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants(pid):
    """All processes below `pid`, without itself."""
    parents = {}
    for entry in Path("/proc").iterdir():
        found = stat_of(entry.name) if entry.name.isdigit() else None
        if found:
            parents.setdefault(found[1], []).append(int(entry.name))
    below, waiting = [], [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        below += children
        waiting += children
    return below


def ranks_of(process):
    """The process of each rank of a training that a launcher runs, in the order of ranks."""
    found = {}
    for pid in descendants(process.pid):
        if "train" not in command_of(pid)[1:2]:
            continue
        for variable in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            if variable.startswith(b"OMPI_COMM_WORLD_RANK="):
                found[int(variable.split(b"=")[1])] = pid
    return [found[number] for number in sorted(found)]


def marked(mark):
    """Processes that have the variable MARK=mark in their environment, whoever their parent is."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return [pid for pid in found if is_alive(pid)]


def sidecar_of(pid):
    """The process that draws for the training `pid`, None if there is none."""
    for child in descendants(pid):
        command = command_of(child)
        if command and Path(command[0]).name == "weightscape-bridge" and "sidecar" in command:
            return child
    return None


def memory_of(pid):
    """Resident bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors_of(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
