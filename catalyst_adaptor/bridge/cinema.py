# SPDX-License-Identifier: BSD-3-Clause
"""The table of a Cinema database: data.csv (Cinema specification D), right after every step and over several sessions."""

import csv
import os

TABLE = "data.csv"
_FILE = "FILE"


def _is_written(path):
    try:
        return os.path.getsize(path) > 0
    except OSError:
        return False


def _named_as_cinema_does(row):
    """ParaView calls the one file of a row FILE_png or the like."""
    return {_FILE if name.startswith(_FILE) else name: value for name, value in row.items()}


class Database:
    """A folder whose table names each picture once, in the order of time."""

    def __init__(self, folder):
        self.folder = folder
        self._rows = {}
        for row in self._read():
            self._keep(row)

    def _read(self):
        try:
            with open(os.path.join(self.folder, TABLE), newline="", encoding="utf-8") as table:
                return [row for row in csv.DictReader(table) if row.get(_FILE)]
        except (OSError, csv.Error, UnicodeDecodeError):
            return []  # no table yet, or none that can be read: it is made from what is written from here on

    def _keep(self, row):
        """Takes a row if its file is there; a later row of the same file replaces it."""
        if not _is_written(os.path.join(self.folder, row[_FILE])):
            return False
        self._rows[row[_FILE]] = row
        return True

    def has(self, step):
        """Whether a picture of `step` is in the table."""
        return any(float(row.get("time") or "nan") == step for row in self._rows.values())

    def add(self, table):
        """Takes the rows of a summary vtkTable; returns how many files it names that are there."""
        written = 0
        names = [table.GetColumnName(column) for column in range(table.GetNumberOfColumns())]
        for index in range(table.GetNumberOfRows()):
            row = {name: table.GetValue(index, column).ToString() for column, name in enumerate(names)}
            written += self._keep(_named_as_cinema_does({name: value for name, value in row.items() if value}))
        return written

    def _names(self):
        names = {name for row in self._rows.values() for name in row if name}
        return ["time", *sorted(names - {"time", _FILE}), _FILE]

    def save(self):
        """Writes the table aside and renames it."""
        path = os.path.join(self.folder, TABLE)
        rows = sorted(self._rows.values(), key=lambda row: (float(row.get("time") or 0), row[_FILE]))
        with open(path + ".part", "w", newline="", encoding="utf-8") as table:
            writer = csv.DictWriter(table, self._names(), restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            table.flush()
            os.fsync(table.fileno())
        os.replace(path + ".part", path)
