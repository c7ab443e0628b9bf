# SPDX-License-Identifier: BSD-3-Clause
"""The ranks of a parallel training side by side, so that one that holds up the others is seen."""

import numpy as np

from . import channels, filters, history, page, rank_bars

_NAMES = ("rank", "images", "loss", "gradient_norm", "mean_step_seconds", "mean_wait_seconds", "mean_of")
_MOST_NAMED = 6  # stragglers in the note


def bars_of(table):
    """What is drawn of the channel, as RankBars."""
    return rank_bars.RankBars(history.columns_of(table, _NAMES))


def write_bars(algorithm, size):
    """Body of a programmable filter: the whole page but its words in the corners."""
    table = algorithm.GetInputDataObject(0, 0)
    if table.GetNumberOfRows():
        bars_of(table).draw(size).write(algorithm.GetOutputDataObject(0))


class RanksFigure:
    """Three rows of bars, one bar for each rank. `bars` is what was drawn last."""

    def __init__(self, every, size):
        self.size = size
        self.bars = None
        self._source = channels.producer(channels.RANKS)
        self.view = page.flat_scene(size)
        shown = page.show(filters.call(self._source, "vtkPolyData", write_bars, size), self.view)
        page.show_own_colours(shown)
        page.Words(self.view, size, 20, (0.02, 0.945), bold=1).say("Ranks side by side")
        self._what = page.Words(self.view, size, 13, (0.02, 0.91), colour=page.GREY)
        self._status = page.Words(self.view, size, 14, "Upper Right Corner")
        self._note = page.Words(self.view, size, 12, "Lower Right Corner")
        page.save_pictures(self.view, "ranks", every, size)

    def update(self, time):
        """Brings words in line with the data at `time`."""
        page.keep_words_clean()
        table = channels.data_of(self._source, time)
        self.bars = bars_of(table)
        self._what.say(self.describe())
        self._status.say(page.status(channels.state_of(table)))
        self._note.say(self.notes())

    def describe(self):
        """How many ranks, and what the times are."""
        bars = self.bars
        if not bars.count:
            return ""
        over = np.nanmax(np.append(bars.columns["mean_of"], 0))
        images = page.number(np.nansum(bars.columns["images"]), "{:.0f}")
        return f"{bars.count} rank{'s' * (bars.count > 1)}, a batch of {images} images; times: mean of {over:.0f} step{'s' * int(over != 1)}"

    def notes(self):
        """Who holds up the others, and by how much."""
        late = self.bars.stragglers()
        if not len(late):
            return ""
        compute, usual = self.bars.compute, self.bars.usual()
        named = [f"{self.bars.ranks[index]:.0f} ({compute[index] / usual:.1f}\u00d7)" for index in late[:_MOST_NAMED]]
        more = f" and {len(late) - _MOST_NAMED} more" if len(late) > _MOST_NAMED else ""
        return f"slower than the others: rank{'s' * (len(late) > 1)} {', '.join(named)}{more}"
