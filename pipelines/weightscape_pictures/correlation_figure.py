# SPDX-License-Identifier: BSD-3-Clause
"""How similar the filters of a convolution are, pair by pair."""

from . import camera, channels, colour_scale, filters, matrix, mosaic, page

_AREA = (0.02, 0.84, 0.03, 0.88)
_TITLES = {"activations": "correlation of activations", "weights": "correlation of weights"}
_HATCH = [0.55, 0.55, 0.58]


class CorrelationFigure:
    """A heat map of Pearson's correlation, on a scale from -1 to 1. `matrix` is what was drawn last."""

    def __init__(self, layer, of, every, size):
        self.layer, self.size, self._array = layer, size, matrix.ARRAYS[of]
        self.matrix = None
        self._source = channels.producer(channels.CORRELATION + layer)
        self.view = page.scene(size)
        self._lookup = colour_scale.table()
        colour_scale.stretch(self._lookup, 1.0)
        cells = mosaic.show_flat(self._show(matrix.write_cells))
        cells.ColorArrayName = ["CELLS", mosaic.VALUE]
        cells.LookupTable = self._lookup
        line = page.font(size, 10) / 7
        mosaic.show_flat(self._show(matrix.write_dead), _HATCH, line)
        mosaic.show_flat(self._show(matrix.write_frames), page.WHITE, 1.5 * line)  # the pairs are dark
        mosaic.show_flat(self._show(matrix.write_edge), page.GREY, line)
        mosaic.show_flat(self._show(matrix.write_labels), page.GREY)
        page.legend(self.view, self._lookup, size, "Pearson's r").CustomLabels = [-1.0, -0.5, 0.0, 0.5, 1.0]
        page.Words(self.view, size, 20, (0.02, 0.945), bold=1).say(f"{layer}: {_TITLES[of]}")
        self._what = page.Words(self.view, size, 13, (0.02, 0.91), colour=page.GREY)
        self._status = page.Words(self.view, size, 14, "Upper Right Corner")
        self._note = page.Words(self.view, size, 12, "Lower Right Corner")
        name = f"correlation_{layer}" if of == "activations" else f"correlation_{layer}_{of}"
        page.save_pictures(self.view, name, every, size)

    def _show(self, write):
        return page.show(filters.call(self._source, "vtkPolyData", write, self._array), self.view)

    def update(self, time):
        """Brings camera and words in line with the data at `time`."""
        page.keep_words_clean()
        image = channels.data_of(self._source, time)
        self.matrix = drawn = matrix.Matrix(image, self._array)
        left, below = drawn.room
        field = camera.corners((-left, max(1, drawn.count), -below, max(1, drawn.count), 0, 0))
        camera.fit(self.view, self.size, field, (0, 0, 1), _AREA)
        self._what.say(self.describe())
        self._status.say(page.status(channels.state_of(image)))
        self._note.say(self.notes())

    def describe(self):
        """How many filters there are, and how many of them are similar or dead."""
        count = self.matrix.count
        if not self.matrix.known:
            return ""
        groups = {int(number) for number in self.matrix.group.diagonal() if number >= 0}
        similar = int((self.matrix.group.diagonal() >= 0).sum())
        text = f"{count} filter{'s' * (count > 1)}"
        if groups:
            text += f"; {similar} of them in {len(groups)} group{'s' * (len(groups) > 1)} of similar ones"
        return text

    def notes(self):
        """What the marks mean that are there."""
        notes = []
        if self.matrix.count and len(self.matrix.pairs()):
            notes.append("framed: similar, of one group")
        dead = int(self.matrix.dead.sum())
        if dead:
            notes.append(f"hatched: dead, never varies ({dead})")
        return "\n".join(notes)
