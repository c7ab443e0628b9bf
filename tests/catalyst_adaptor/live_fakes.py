# SPDX-License-Identifier: BSD-3-Clause
"""Programs that listen where a ParaView should, and are none, or none that goes on."""

import socket
import struct
import threading

# Tags of the messages, each of which is a tag, a length and bytes.
ENDIAN, VERSION, HASH, IDS = 0x3C3C3C3C, 0x3E3E3E3E, 0x3F3F3F3F, 0x3D3D3D3D
GREETING, GREETED, PROCESSES, UPDATE = 99991, 99990, 8002, 1


class Fake:
    """Listens, and does `answer(connection)` with each call, until `close`."""

    def __init__(self, port, answer=None):
        self._listener = socket.create_server(("127.0.0.1", port))
        self._answer, self._open, self._ends = answer, [], False
        self.calls = 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while not self._ends:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.calls += 1
            self._open.append(connection)
            if self._answer and not self._ends:
                try:
                    self._answer(connection)
                except (OSError, EOFError):
                    pass

    def close(self):
        self._ends = True
        self._listener.shutdown(socket.SHUT_RDWR)
        for connection in self._open:
            connection.close()
        self._thread.join()
        self._listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _read(connection, count):
    read = b""
    while len(read) < count:
        more = connection.recv(count - len(read))
        if not more:
            raise EOFError
        read += more
    return read


def receive(connection):
    tag, length = struct.unpack("<ii", _read(connection, 8))
    return tag, _read(connection, length)


def send(connection, tag, payload):
    connection.sendall(struct.pack("<ii", tag, len(payload)) + payload)


def speak_http(connection):
    connection.recv(1)  # as servers do; what is closed unread may take the answer away
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(4096):
        pass
    connection.close()


def greet(connection, known_hash=True, problem=0):
    """The part of a ParaView, up to its verdict."""
    for _ in range(4):
        tag, payload = receive(connection)
        send(connection, tag, payload if known_hash or tag != HASH else b"0" * len(payload))
        if tag == HASH and not known_hash:
            connection.close()
            return
    assert receive(connection)[0] == GREETING  # how long the next one is
    name = receive(connection)[1]
    assert name.startswith(b"paraview.insitu.5."), name
    send(connection, GREETED, struct.pack("<i", problem))


def be_of_other_library(connection):
    greet(connection, known_hash=False)


def be_of_other_version(connection):
    greet(connection, problem=1)


def leave_in_update(connection):
    """Takes the proxies, and ends inside the first round, between two answers."""
    greet(connection)
    receive(connection)
    assert receive(connection)[1].startswith(b"<")  # the proxies
    send(connection, PROCESSES, struct.pack("<i", 1))
    receive(connection)
    assert receive(connection)[0] == UPDATE
    send(connection, 8010, struct.pack("<i", 0))
    connection.close()


def ask_for_too_much(connection):
    """Says in its first round that a state of two gigabytes follows."""
    greet(connection)
    receive(connection)
    receive(connection)
    send(connection, PROCESSES, struct.pack("<i", 1))
    receive(connection)
    receive(connection)
    send(connection, 8010, struct.pack("<i", 2**31 - 2))
    connection.close()
