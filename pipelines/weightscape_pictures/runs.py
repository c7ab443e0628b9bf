# SPDX-License-Identifier: BSD-3-Clause
"""Folders of runs: what was asked for, how it ended, and the columns of its histories."""

import csv
import json
import os
import struct

import numpy as np

_MAGIC = b"WSHIST1\n"
_PREFIX = len(_MAGIC) + 8
_SKETCH = "_sketch"
DIVERGED, COMPLETE = "failed", "complete"  # as run.json says it


class BadRun(ValueError):
    """A folder that cannot be read as a run; one line."""


def _read_record(folder):
    path = os.path.join(folder, "run.json")
    try:
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
        options, status = record["options"], record["status"]
    except OSError as error:
        raise BadRun(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadRun(f"{path}: is not the record of a run ({error})") from error
    if not isinstance(options, dict):
        raise BadRun(f"{path}: options are no object")
    return record, options, status


def read_history(path):
    """The rows of history.ws as a structured array, without a torn last one; its head names and types the columns."""
    size = os.path.getsize(path)
    try:
        with open(path, "rb") as file:
            prefix = file.read(_PREFIX)
            (length,) = struct.unpack("<Q", prefix[len(_MAGIC):])
            if prefix[: len(_MAGIC)] != _MAGIC or _PREFIX + length > size:
                raise ValueError("its head is cut off, or of another kind")
            columns = json.loads(file.read(length))["columns"]
        types = np.dtype([(name, kind, (count,)) if count > 1 else (name, kind) for name, kind, count in columns])
    except (ValueError, KeyError, TypeError, struct.error) as error:
        raise BadRun(f"{path}: is no history of a run ({error})") from error
    rows = (size - _PREFIX - length) // types.itemsize
    if not rows:
        return np.empty(0, types)
    return np.memmap(path, types, "r", offset=_PREFIX + length, shape=(rows,))


def read_metrics(path):
    """The rows of metrics.csv as a dictionary of columns; a cell without a value is NaN, a torn last row left out."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    if not rows:
        raise BadRun(f"{path}: is empty")
    header = rows[0]
    rows = [row for row in rows[1:] if len(row) == len(header)]
    try:
        values = np.array([[float(cell) if cell else np.nan for cell in row] for row in rows])
    except ValueError as error:
        raise BadRun(f"{path}: {error}") from error
    values = values.reshape(len(rows), len(header))
    return {name: values[:, index] for index, name in enumerate(header)}


class Run:
    """One run. `options` are texts, numbers, truth values or lists, as recorded."""

    def __init__(self, folder):
        self.folder = os.path.normpath(folder)
        self.name = os.path.basename(os.path.abspath(folder))
        self.record, self.options, self.status = _read_record(folder)
        history = os.path.join(folder, "history.ws")
        metrics = os.path.join(folder, "metrics.csv")
        try:
            self._rows = read_history(history) if os.path.exists(history) else read_metrics(metrics)
        except OSError as error:
            raise BadRun(f"{error.filename}: {error.strerror}") from error
        self.columns = list(self._rows.dtype.names if isinstance(self._rows, np.ndarray) else self._rows)

    def column(self, name):
        """A column as float64; all NaN where the run has none of this name."""
        if name not in self.columns:
            return np.full(len(self._rows["step"]), np.nan)
        return np.asarray(self._rows[name], float)

    def layers(self):
        """Layers with parameters, in the order of the network."""
        end = "_weight_l2"
        return [name[: -len(end)] for name in self.columns if name.endswith(end)]

    def walks(self):
        """Layers whose walk is kept: convolutions."""
        return [name[: -len(_SKETCH)] for name in self.columns if name.endswith(_SKETCH)]

    def sketch(self, layer):
        """The sketch of a convolution's way from its start: a row of numbers for each step."""
        return np.asarray(self._rows[layer + _SKETCH], float)

    def has_diverged(self):
        return self.status == DIVERGED

    def validation(self):
        """(loss, accuracy) at the end; NaN where they were not measured, or the run has diverged."""
        found = self.record.get("validation") or {}
        values = (found.get("loss"), found.get("accuracy"))
        if self.has_diverged():
            return np.nan, np.nan
        return tuple(np.nan if value is None else float(value) for value in values)

    def validation_images(self):
        count = (self.record.get("data") or {}).get("validation") or 0
        return int(count)


def read(folders):
    """The runs in these folders."""
    return [Run(folder) for folder in folders]
