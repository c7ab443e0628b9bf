# SPDX-License-Identifier: BSD-3-Clause
"""Where processes take calls from the network, as the kernel tells it."""

import os
import pathlib

LOOPBACK = ("0100007F", "00000000000000000000000001000000")


def listening(pid):
    """Local addresses on which the process or one below it takes calls."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += listening(child)
    sockets = {os.readlink(link) for link in pathlib.Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink() and os.path.lexists(link)}
    for kind in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                found.append(fields[1])
    return found


def listening_beyond(pid):
    """Those that another machine can reach."""
    return [address for address in listening(pid) if address.split(":")[0] not in LOOPBACK]
