# SPDX-License-Identifier: BSD-3-Clause
"""What `ssh -R 127.0.0.1:NEAR:localhost:FAR` does to a connection: it takes every call at once, drops those that nobody answers
at the far end, and carries bytes in pieces of its own, with a delay. It takes little in advance, and can be held."""

import math
import socket
import threading
import time

DELAY = 0.02  # one way
MOST_AT_ONCE = 1500
TAKEN_IN_ADVANCE = 64 * 1024


class ForwardedPort:
    def __init__(self, near, far):
        self._far, self._ends = far, False
        self._left, self._flows = math.inf, threading.Event()  # bytes until it is held
        self._flows.set()
        self._listener = socket.create_server(("127.0.0.1", near))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, TAKEN_IN_ADVANCE)
        self._open, self._threads = [], []
        self.calls = self.dropped = 0
        self._start(self._serve)

    def _start(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self):
        while not self._ends:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.calls += 1
            try:
                far = socket.create_connection(("127.0.0.1", self._far))
            except OSError:
                self.dropped += 1
                near.close()
                continue
            self._open += [near, far]
            self._start(self._carry, near, far)
            self._start(self._carry, far, near)

    def _carry(self, origin, target):
        try:
            while piece := origin.recv(MOST_AT_ONCE):
                time.sleep(DELAY if len(piece) < MOST_AT_ONCE else 0)
                target.sendall(piece)
                self._left -= len(piece)
                if self._left <= 0:
                    self._flows.clear()
                self._flows.wait()
        except OSError:
            pass
        for end in (origin, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def hold_after(self, count):
        """Carries so many bytes more, and then none."""
        self._left = count

    def is_held(self):
        return not self._flows.is_set()

    def go_on(self):
        self._left = math.inf
        self._flows.set()

    def cut(self):
        """The line is gone; the next call finds another."""
        for end in self._open:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._open = []

    def close(self):
        self._ends = True
        self.go_on()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
