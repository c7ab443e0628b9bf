# SPDX-License-Identifier: BSD-3-Clause
"""The machine on which something is measured, and how much of it others had meanwhile."""
import os
import resource
import time
from pathlib import Path

LOOK_SECONDS = 3


def _processor():
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return "unknown"


def _caches():
    """L1d, L2, L3 of the first processor, as the system writes their sizes."""
    found = {}
    for cache in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind, level, size = ((cache / name).read_text(encoding="ascii").strip() for name in ("type", "level", "size"))
        if kind != "Instruction":
            found[f"L{level}"] = size
    return found


def _memory_bytes():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _busy_seconds():
    """Of all processors together, and what the host took from them."""
    fields = [int(word) for word in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]]
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen = fields
    return (user + nice + system + interrupts + soft_interrupts + stolen) / os.sysconf("SC_CLK_TCK")


def _own_seconds():
    """Of this process and of all that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


class Watch:
    """From here on: the load before, and the cores that other processes have used."""

    def __init__(self):
        self.load = os.getloadavg()[0]
        self._began, self._busy, self._own = time.monotonic(), _busy_seconds(), _own_seconds()

    def cores_of_others(self):
        others = (_busy_seconds() - self._busy) - (_own_seconds() - self._own)
        return max(0.0, others / (time.monotonic() - self._began))

    def tell(self):
        return {"processor": _processor(), "cores": len(os.sched_getaffinity(0)), "caches": _caches(),
                "memory_bytes": _memory_bytes(), "load_before": self.load,
                "cores_of_others": self.cores_of_others()}


def wait_for_quiet(most, patience):
    """Waits until others use at most so many cores, but not longer than `patience` seconds."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        watch = Watch()
        time.sleep(LOOK_SECONDS)
        if watch.cores_of_others() <= most:
            return
