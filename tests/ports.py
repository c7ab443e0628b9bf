# SPDX-License-Identifier: BSD-3-Clause
"""Ports of this machine."""

import socket


def free_port():
    """One that nobody has at the moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
