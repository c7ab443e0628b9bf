# SPDX-License-Identifier: BSD-3-Clause
"""The socket of a training, as a client sees it that keeps to no protocol."""

import json
import os
import socket


class Client:
    """A connection to the training in a folder."""

    def __init__(self, run, within=30):
        folder = os.open(run, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            # A path of any length. With a timeout, connecting would fail where many wait to be let in.
            self.socket.connect(f"/proc/self/fd/{folder}/control")
            self.socket.settimeout(within)
        finally:
            os.close(folder)
        self.left = b""

    def send(self, data):
        self.socket.sendall(data)

    def answer(self):
        """The next line, as an object; None when the training has closed the connection."""
        while b"\n" not in self.left:
            try:
                got = self.socket.recv(65536)
            except ConnectionResetError:
                got = b""
            if not got:
                return None
            self.left += got
        line, self.left = self.left.split(b"\n", 1)
        return json.loads(line)

    def ask(self, command, **keys):
        self.send(json.dumps({"command": command, **keys}).encode() + b"\n")
        return self.answer()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        self.close()


def ask(run, command, **keys):
    """One request that must be answered with yes."""
    with Client(run) as client:
        answer = client.ask(command, **keys)
    assert answer and answer["ok"], answer
    return answer


def turn(run, **values):
    return ask(run, "set", values=values)
