# SPDX-License-Identifier: BSD-3-Clause
"""Bars of ranks, in three rows: step time with the waiting on top, loss, norm of the gradient."""

import numpy as np

from . import colour_scale, page
from .panel import Panel, linear_axis
from .sheet import Sheet

COMPUTE, WAIT, STRAGGLER, MEASURE = "#0072b2", "#bfd7ea", "#d55e00", "#6b6b6b"
_SLOW = 1.2  # times what is usual, from which on a rank is a straggler
_USUAL = (1024, 768)
_LEFT, _RIGHT, _TOP, _BOTTOM = 92, 24, 112, 78  # free around all rows, in pixels of the usual page
_GAP = 56  # between rows
_SHARES = (0.5, 0.25, 0.25)  # of the height, for each row
_BAR = 0.8  # of the distance between two bars
_ROOM = 1.06  # above the highest bar
_MILLI = 1000.0


class RankBars:
    """`columns` of the channel `ranks`, a value for each rank. `panels` by name, once it was drawn: time, loss, gradient."""

    def __init__(self, columns):
        self.columns = columns
        self.ranks = columns["rank"]
        self.count = len(self.ranks)
        self.step, self.wait = columns["mean_step_seconds"], columns["mean_wait_seconds"]
        self.compute = self.step - np.where(np.isfinite(self.wait), self.wait, 0)
        self.panels = {}

    def usual(self):
        """What most ranks take for their own work: the lower median, which one of two ranks cannot move."""
        known = np.sort(self.compute[np.isfinite(self.compute)])
        return float(known[(len(known) - 1) // 2]) if len(known) else np.nan

    def stragglers(self):
        """Ranks whose own work takes much longer than is usual, the slowest first: their indices."""
        if self.count < 2:
            return np.empty(0, int)
        with np.errstate(invalid="ignore"):
            late = np.flatnonzero(self.compute > _SLOW * self.usual())
        return late[np.argsort(-self.compute[late], kind="stable")]

    def draw(self, size):
        """The page as a Sheet."""
        sheet = Sheet(size)
        unit = min(size[0] / _USUAL[0], size[1] / _USUAL[1])
        boxes = self._boxes(size, unit)
        self.panels = {
            "time": self._panel("step time [ms]", boxes[0], _MILLI * self.step, unit),
            "loss": self._panel("loss of the rank's images (line: of the batch)", boxes[1], self.columns["loss"], unit),
            "gradient": self._panel("norm of the rank's gradient (line: mean)", boxes[2], self.columns["gradient_norm"], unit, "rank"),
        }
        for panel in self.panels.values():
            panel.draw_frame(sheet)
        self._draw_times(sheet, self.panels["time"])
        for name, column in (("loss", "loss"), ("gradient", "gradient_norm")):
            self._draw_bars(sheet, self.panels[name], self.columns[column])
        self._draw_legend(sheet, self.panels["time"], unit)
        return sheet

    # Parts.

    def _boxes(self, size, unit):
        """Left, bottom, right, top of each row, from the top."""
        free = size[1] - unit * (_TOP + _BOTTOM + 2 * _GAP)
        boxes, top = [], size[1] - unit * _TOP
        for share in _SHARES:
            bottom = top - share * free
            boxes.append((unit * _LEFT, bottom, size[0] - unit * _RIGHT, top))
            top = bottom - unit * _GAP
        return boxes

    def _panel(self, title, box, values, unit, across_title=""):
        finite = values[np.isfinite(values)]
        high = float(finite.max()) if len(finite) and finite.max() > 0 else 1.0
        across = linear_axis(-0.5, self.count - 0.5)
        across.marks = self._marks()
        return Panel(title, box, across, linear_axis(0, _ROOM * high, 4 if across_title == "" else 3), unit, across_title)

    def _marks(self):
        """As many ranks as there is room for under the bars, from the first on, equally far apart."""
        apart = next(step for step in (1, 2, 4, 5, 8, 10, 20, 25, 50, *(10**n for n in range(2, 12))) if self.count / step <= 32)
        return [(index, f"{self.ranks[index]:.0f}") for index in range(0, self.count, apart)]

    @staticmethod
    def _bar(panel, index, low, high):
        """Corners of a bar from low to high."""
        (left, bottom), (right, top) = panel.placed([index - _BAR / 2, index + _BAR / 2], [low, high])
        return [(left, bottom), (right, bottom), (right, top), (left, top)]

    def _whole(self, panel, index):
        """The bar of a value that has no place: as high as the row."""
        return self._bar(panel, index, panel.up.low, panel.up.high)

    def _draw_times(self, sheet, panel):
        late = set(self.stragglers())
        own, waits = [], []
        for index in np.flatnonzero(np.isfinite(self.step)):
            compute, step = _MILLI * max(0.0, self.compute[index]), _MILLI * self.step[index]
            own.append((self._bar(panel, index, 0, compute), page.rgb(STRAGGLER if index in late else COMPUTE)))
            waits.append((self._bar(panel, index, compute, step), page.rgb(WAIT)))
        sheet.areas(waits + own)

    def _draw_bars(self, sheet, panel, values):
        areas = [(self._bar(panel, index, 0, max(0.0, values[index])), page.rgb(MEASURE)) for index in np.flatnonzero(np.isfinite(values))]
        sick = np.flatnonzero(~np.isfinite(values) & (self.columns["images"] > 0))
        sheet.areas(areas + [(self._whole(panel, index), colour_scale.NOT_FINITE) for index in sick])
        mean = self._mean(values)
        if np.isfinite(mean) and self.count > 1:
            sheet.lines([(panel.placed([panel.across.low, panel.across.high], [mean, mean]), page.INK)], 1.5 * panel.unit)

    def _mean(self, values):
        """Over the batch: each rank counts for its images."""
        images = np.where(np.isfinite(self.columns["images"]), self.columns["images"], 0)
        there = np.isfinite(values) & (images > 0)
        return float(np.average(values[there], weights=images[there])) if there.any() else np.nan

    def _draw_legend(self, sheet, panel, unit):
        """Above the first row, at its right end."""
        _, _, right, top = panel.box
        entries = [("waiting for others", WAIT), ("own work", COMPUTE)]
        if len(self.stragglers()):
            entries.append(("own work, much slower than the others", STRAGGLER))
        areas, words, x = [], [], right
        for text, colour in entries:
            words.append((text, x, top + 15 * unit, 10 * unit, 1.0))
            x -= unit * (8.1 * len(text) + 8)
            areas.append(([(x - 12 * unit, top + 9 * unit), (x, top + 9 * unit), (x, top + 21 * unit), (x - 12 * unit, top + 21 * unit)],
                          page.rgb(colour)))
            x -= 30 * unit
        sheet.areas(areas)
        sheet.words(words, page.INK)
