# SPDX-License-Identifier: BSD-3-Clause
"""Similar filters of a convolution, and what becomes of them when they are merged."""

import numpy as np

from . import boxes, camera, channels, filters, merging_field, mosaic, page

_AREA = (0.03, 0.97, 0.05, 0.87)


class MergingFigure:
    """Boxes of weights, a colour for each group of similar filters. `field` is what was drawn last."""

    def __init__(self, layer, fade, every, size):
        self.layer, self.size = layer, size
        self._key = f"merging_{layer}"
        self.field = merging_field.MergingField(self._key, fade, every)
        self._weights = channels.producer(channels.WEIGHTS + layer)
        # Whoever looks at correlations has the groups computed, which the weights' channel then tells.
        self._correlation = channels.producer(channels.CORRELATION + layer)
        self.view = page.scene(size)
        self._show_boxes(merging_field.write_tops, 1.0, 0.0)
        self._show_boxes(merging_field.write_sides, 0.4, 0.5)
        line = page.font(size, 10) / 7
        mosaic.show_flat(self._show(merging_field.write_places), page.FAINT, line)
        mosaic.show_flat(self._show(merging_field.write_labels, False), page.GREY)
        mosaic.show_flat(self._show(merging_field.write_labels, True), page.FAINT)
        page.Words(self.view, size, 20, (0.02, 0.945), bold=1).say(f"{layer}: similar filters")
        self._what = page.Words(self.view, size, 13, (0.02, 0.91), colour=page.GREY)
        self._status = page.Words(self.view, size, 14, "Upper Right Corner")
        self._note = page.Words(self.view, size, 12, "Lower Right Corner")
        page.save_pictures(self.view, f"merging_{layer}", every, size)

    def _show(self, write, *arguments):
        return page.show(filters.call(self._weights, "vtkPolyData", write, self._key, *arguments), self.view)

    def _show_boxes(self, write, ambient, diffuse):
        shown = self._show(write)
        shown.ColorArrayName = ["CELLS", merging_field.COLOUR]
        shown.MapScalars = 0
        shown.Interpolation = "Flat"
        shown.Ambient, shown.Diffuse, shown.Specular = ambient, diffuse, 0.0

    def update(self, time):
        """Brings the field, camera and words in line with the data at `time`."""
        page.keep_words_clean()
        channels.data_of(self._correlation, time)
        image = channels.data_of(self._weights, time)
        state = channels.state_of(image)
        self.field.take(image, state["step"])
        if self.field.filters:
            (width, depth), left = self.field.extent, self.field.room
            ground = camera.corners((-left, width, 0, depth, 0, 0))
            boxed = camera.corners((0, width, 0, depth, -boxes.HEIGHT, boxes.HEIGHT))
            camera.fit(self.view, self.size, np.concatenate([ground, boxed]), self.field.towards_camera, _AREA)
        self._what.say(self.describe())
        self._status.say(page.status(state))
        self._note.say(self.notes())

    def describe(self):
        """How many filters are left, and of how many."""
        field = self.field
        if not field.filters:
            return ""
        left = len(field.present)
        text = f"{left} of {field.count} filters" if left < field.count else f"{left} filter{'s' * (left > 1)}"
        return f"{text}; one colour for each group of similar ones, grey: like no other"

    def notes(self):
        """What the marks mean that are there."""
        return "empty places: merged into another filter of their colour" if len(self.field.present) < self.field.count else ""
