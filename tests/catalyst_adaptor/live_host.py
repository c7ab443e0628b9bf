# SPDX-License-Identifier: BSD-3-Clause
"""A host in this process, which records step by step: a test says when, and knows the weights."""

import ctypes
import os
import pathlib

import numpy

LIBRARY = pathlib.Path(os.environ["WEIGHTSCAPE_BUILD"]) / "lib" / "libweightscape.so"
RECORD_ONLY = 2  # ws_transport_kind
CONVOLUTION = 1  # ws_layer_kind


class Options(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32), ("script_count", ctypes.c_uint32), ("scripts", ctypes.c_void_p),
        ("output", ctypes.c_char_p), ("folder", ctypes.c_char_p), ("first_step", ctypes.c_uint64),
        ("script_seconds", ctypes.c_double), ("required", ctypes.c_int32), ("read_only", ctypes.c_int32),
        ("transport", ctypes.c_int32), ("wait", ctypes.c_int32), ("always", ctypes.c_int32), ("watchers", ctypes.c_int32),
        ("overhead", ctypes.c_double), ("record", ctypes.c_uint64), ("live", ctypes.c_char_p), ("stop", ctypes.c_void_p),
        ("progress", ctypes.c_void_p), ("wait_context", ctypes.c_void_p), ("prepare", ctypes.c_void_p),
        ("prepare_context", ctypes.c_void_p), ("log", ctypes.c_void_p), ("log_context", ctypes.c_void_p),
        ("communicator", ctypes.c_void_p), ("rank", ctypes.c_uint32), ("ranks", ctypes.c_uint32),
    ]


class Layer(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32), ("kind", ctypes.c_int32), ("name", ctypes.c_char_p), ("shape", ctypes.c_int64 * 4),
        ("stride", ctypes.c_int64 * 4), ("weight", ctypes.c_void_p), ("gradient", ctypes.c_void_p), ("initial", ctypes.c_void_p),
        ("activation", ctypes.c_void_p), ("activation_shape", ctypes.c_int64 * 4), ("pearson", ctypes.c_void_p),
        ("pearson_weights", ctypes.c_void_p), ("dead", ctypes.c_void_p), ("group", ctypes.c_void_p),
        ("source", ctypes.c_void_p), ("offers", ctypes.c_uint32), ("merged_count", ctypes.c_uint32),
        ("source_channel", ctypes.c_void_p), ("whole", ctypes.c_int32 * 2), ("weight_range", ctypes.c_double), ("merged", ctypes.c_void_p),
        ("merged_weight", ctypes.c_void_p), ("activation_part", ctypes.c_int64 * 2),
    ]


class Row(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("norm_count", ctypes.c_uint32), ("step", ctypes.c_uint64)] + [
        (name, ctypes.c_double)
        for name in ("epoch", "time_s", "loss", "accuracy", "learning_rate", "validation_loss", "validation_accuracy")
    ] + [("norms", ctypes.c_void_p)]


def weights_at(step, shape):
    """What the convolution holds: no two steps have a value in common."""
    count = int(numpy.prod(shape))
    return (numpy.arange(count, dtype=numpy.float32) + numpy.float32(1000 * step)).reshape(shape)


class LiveHost:
    """One convolution, conv1. first_step: as of a run that was resumed there."""

    def __init__(self, folder, shape=(4, 1, 3, 3), first_step=0):
        self._library = ctypes.CDLL(str(LIBRARY))
        self._library.ws_message.restype = ctypes.c_char_p
        folder.mkdir(exist_ok=True)
        self.recording = folder / "recording.wsrec"
        self.shape = shape
        self._memory = weights_at(0, shape)
        self._handle = ctypes.c_void_p()
        path = os.fsencode(folder)
        options = Options(size=ctypes.sizeof(Options), output=path, folder=path, transport=RECORD_ONLY, record=1,
                          first_step=first_step)
        self._check(self._library.ws_insitu_create(ctypes.byref(options), ctypes.byref(self._handle)))
        self._check(self._library.ws_insitu_add_layer(self._handle, ctypes.byref(self._layer())))
        self._check(self._library.ws_insitu_start(self._handle))

    def _check(self, status):
        assert status >= 0, self._library.ws_message()

    def _layer(self):
        return Layer(size=ctypes.sizeof(Layer), kind=CONVOLUTION, name=b"conv1", shape=self.shape,
                     weight=self._memory.ctypes.data)

    def reshape(self, shape):
        self.shape = shape
        self._memory = weights_at(0, shape)
        self._check(self._library.ws_insitu_change_layer(self._handle, 0, ctypes.byref(self._layer())))

    def train(self, steps, loss=1.0):
        """Records these steps."""
        for step in steps:
            self._memory[...] = weights_at(step, self.shape)
            row = Row(size=ctypes.sizeof(Row), step=step, loss=loss / (step + 1))
            self._check(self._library.ws_insitu_row(self._handle, ctypes.byref(row)))
            self._check(self._library.ws_insitu_show(self._handle, ctypes.c_uint64(step)))

    def close(self):
        self._library.ws_insitu_free(self._handle)
