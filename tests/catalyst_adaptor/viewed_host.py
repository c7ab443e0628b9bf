# SPDX-License-Identifier: BSD-3-Clause
"""A host in a thread of this process that trains nothing, is shown live, rests when it is held, and keeps what it is asked."""

import ctypes
import json
import os
import threading
import time

import numpy

from live_client import PATIENCE
from live_host import CONVOLUTION, LIBRARY, Layer, Options, Row

SIDECAR = 0  # ws_transport_kind
SHAPES = {"conv1": (4, 1, 3, 3), "conv2": (3, 2, 2, 2)}
PROBE = (12, 3, 2)  # images and their maps' rows and columns
SHOWN = 10
ACTIVATIONS, CORRELATION = 2, 4  # ws_wants
LINE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p)


PREPARE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint64, ctypes.POINTER(ctypes.c_uint8))


class Command(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("origin", ctypes.c_char * 64), ("name", ctypes.c_char * 48), ("value", ctypes.c_char * 256)]


def weights_at(step, layer, shapes=SHAPES):
    """What a convolution holds: no two steps have a value in common."""
    shape = shapes[layer]
    values = numpy.arange(numpy.prod(shape), dtype=numpy.float32) / numpy.float32(1024)
    return (values + numpy.float32(step)).reshape(shape)


def activations_at(step, filters):
    """[images, filters, rows, columns], likewise."""
    shape = (PROBE[0], filters, *PROBE[1:])
    return (numpy.arange(numpy.prod(shape)) / 65536 + step).astype(numpy.float32).reshape(shape)


def correlation_at(step, filters):
    return numpy.eye(filters) + 1 / (step + 2)


class ViewedHost:
    """Goes on, a step after the other, until `close`."""

    def __init__(self, folder, live, scripts=(), seconds=0.01, record=0, status=None, shows_more=False):
        """shows_more: activations and correlations, too, when somebody wants them; `prepared` has (step, ws_wants of conv1)."""
        self._library = ctypes.CDLL(str(LIBRARY))
        self._library.ws_message.restype = ctypes.c_char_p
        self._library.ws_insitu_next.restype = ctypes.POINTER(ctypes.c_uint64)
        folder.mkdir(exist_ok=True)
        self.folder, self.lines, self.commands, self.holders = folder, [], [], []
        self.step, self.held_at, self.longest_step = 0, None, 0.0
        self._seconds, self._status, self._ends = seconds, status, False
        self.prepared, self._shows_more, self._views, self._shapes, self._next_shapes = [], shows_more, {}, dict(SHAPES), None
        self._prepare = PREPARE(lambda context, step, wanted: self._make_views(step, wanted[0]))
        self._memory = {layer: weights_at(0, layer) for layer in SHAPES}
        self._line = LINE(lambda context, level, line: self.lines.append(line.decode()))
        texts = (ctypes.c_char_p * (len(scripts) + 1))(*[os.fsencode(script) for script in scripts])
        path = os.fsencode(folder)
        options = Options(size=ctypes.sizeof(Options), script_count=len(scripts), scripts=ctypes.cast(texts, ctypes.c_void_p), output=path,
                          folder=path, transport=SIDECAR, watchers=1, overhead=1, record=record, live=live.encode() if live else None,
                          log=ctypes.cast(self._line, ctypes.c_void_p), prepare=ctypes.cast(self._prepare, ctypes.c_void_p))
        self._handle = ctypes.c_void_p()
        self._check(self._library.ws_insitu_create(ctypes.byref(options), ctypes.byref(self._handle)))
        for name in self._memory:
            self._check(self._library.ws_insitu_add_layer(self._handle, ctypes.byref(self._layer(name))))
        self._check(self._library.ws_insitu_start(self._handle))
        self._next = self._library.ws_insitu_next(self._handle)
        self._thread = threading.Thread(target=self._train)
        self._thread.start()

    def _check(self, status):
        assert status >= 0, self._library.ws_message()

    def _layer(self, name, views=None):
        memory = self._memory[name]
        layer = Layer(size=ctypes.sizeof(Layer), kind=CONVOLUTION, name=name.encode(), shape=memory.shape, weight=memory.ctypes.data)
        if self._shows_more:
            layer.activation_shape = (PROBE[0], memory.shape[0], *PROBE[1:])
            layer.offers = ACTIVATIONS | CORRELATION
        for field, values in (views or {}).items():
            setattr(layer, field, values.ctypes.data)
        return layer

    def _change(self, views):
        for index, name in enumerate(self._memory):
            self._check(self._library.ws_insitu_change_layer(self._handle, index, ctypes.byref(self._layer(name, views.get(name)))))

    def _make_views(self, step, wanted):
        self.prepared.append((step, wanted))
        self._views = {name: {"activation": activations_at(step, len(memory)), "pearson": correlation_at(step, len(memory))}
                       for name, memory in self._memory.items()}
        self._change(self._views)

    def reshape(self, filters):
        """conv1 has so many filters from the next step on."""
        self._next_shapes = {"conv1": (filters, 1, 3, 3), "conv2": SHAPES["conv2"]}
        self.wait(lambda: self._next_shapes is None)

    def _take_shapes(self):
        if self._next_shapes:
            self._shapes, self._next_shapes = self._next_shapes, None
            self._memory = {layer: weights_at(self.step, layer, self._shapes) for layer in SHAPES}
            self._change({})

    def _train(self):
        while not self._ends:
            began = time.monotonic()
            self._take_shapes()
            for name, memory in self._memory.items():
                memory[...] = weights_at(self.step, name, self._shapes)
            row = Row(size=ctypes.sizeof(Row), step=self.step, epoch=self.step / 100, loss=1 / (self.step + 1))
            self._check(self._library.ws_insitu_row(self._handle, ctypes.byref(row)))
            self._show()
            self._listen()
            self.longest_step = max(self.longest_step, time.monotonic() - began)
            self._rest()
            time.sleep(self._seconds)
            self.step += 1

    def _show(self):
        if self._next[0] <= self.step:
            self._check(self._library.ws_insitu_show(self._handle, ctypes.c_uint64(self.step)))

    def _listen(self):
        command = Command(size=ctypes.sizeof(Command))
        while self._library.ws_insitu_poll(self._handle, ctypes.byref(command)) == 1:
            self.commands.append((command.name.decode(), command.value.decode(), time.monotonic()))
        if self._status:
            text = self._status if isinstance(self._status, str) else json.dumps(self._status)
            self._check(self._library.ws_insitu_status(self._handle, text.encode()))

    def _rest(self):
        who = ctypes.create_string_buffer(64)
        while self._library.ws_insitu_is_held(self._handle, who) == 1 and not self._ends:
            self.held_at = self.step
            self.holders.append(who.value.decode())
            self._library.ws_insitu_idle(self._handle)
            self._show()
            self._listen()
            time.sleep(0.02)
        self.held_at = None

    def tell(self, status):
        """What the host tells of itself from here on: an object, or a text as it is."""
        self._status = status

    def wait(self, condition, seconds=PATIENCE):
        """Until condition() is true; what it was."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            time.sleep(0.005)
        raise AssertionError(f"not within {seconds} s; it said {self.lines}")

    def wait_line(self, text, count=1, seconds=PATIENCE):
        """Until `count` lines with this text were told."""
        return self.wait(lambda: len([line for line in self.lines if text in line]) >= count, seconds)

    def asked(self):
        return [(name, value) for name, value, _ in self.commands]

    def close(self):
        self._ends = True
        self._thread.join()
        self._library.ws_insitu_free(self._handle)
        self._handle = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._handle:
            self.close()
