# SPDX-License-Identifier: BSD-3-Clause
"""What the filters of a convolution make of a few images."""

import numpy as np

from . import camera, channels, colour_scale, filters, maps, mosaic, page

_AREA = (0.02, 0.85, 0.04, 0.88)
_ABOVE = 0.6  # room for the numbers of images, in maps


class ActivationsFigure:
    """Feature maps, a row for each filter, an image in each column. `maps` is what was drawn last, `end` its scale's."""

    def __init__(self, layer, images, asked_range, every, size):
        self.layer, self.images, self.asked_range, self.size = layer, images, asked_range, size
        self.maps = self.layout = None
        self.end = 1.0
        self._source = channels.producer(channels.ACTIVATIONS + layer)
        self.view = page.scene(size)
        self._lookup = colour_scale.table()
        left, right, bottom, top = _AREA
        self._aspect = (right - left) / (top - bottom) * size[0] / size[1]
        shown = self._show(maps.write_maps)
        mosaic.show_flat(shown)
        shown.ColorArrayName = ["CELLS", mosaic.VALUE]
        shown.LookupTable = self._lookup
        mosaic.show_flat(self._show(maps.write_labels), colour=page.GREY)
        self._legend = page.legend(self.view, self._lookup, size, "activation")
        page.Words(self.view, size, 20, (0.02, 0.945), bold=1).say(f"{layer}: activations")
        self._shape = page.Words(self.view, size, 13, (0.02, 0.91), colour=page.GREY)
        self._status = page.Words(self.view, size, 14, "Upper Right Corner")
        self._note = page.Words(self.view, size, 12, "Lower Right Corner")
        page.save_pictures(self.view, f"activations_{layer}", every, size)

    def _show(self, write):
        return page.show(filters.call(self._source, "vtkPolyData", write, self.images, self._aspect), self.view)

    def update(self, time):
        """Brings scale, camera and words in line with the data at `time`."""
        page.keep_words_clean()
        image = channels.data_of(self._source, time)
        self.maps = drawn = maps.Maps(image, self.images)
        self.end = drawn.end(self.asked_range)
        has_negative = bool((drawn.finite < 0).any())
        _paint(self._lookup, self.end, has_negative)
        parts = (-1, -0.5, 0, 0.5, 1) if has_negative else (0, 0.25, 0.5, 0.75, 1)
        self._legend.CustomLabels = [part * self.end for part in parts]
        if drawn.values.size:
            self.layout = maps.layout_of(drawn, self._aspect)
            field = camera.corners((0, self.layout.width, 0, self.layout.height + _ABOVE, 0, 0))
            camera.fit(self.view, self.size, field, (0, 0, 1), _AREA)
        self._shape.say(self._describe())
        self._status.say(page.status(channels.state_of(image)))
        self._note.say(self.notes())

    def _describe(self):
        if not self.maps.values.size:
            return ""
        count, shown, rows, columns = self.maps.values.shape
        return f"{count} filter{'s' * (count > 1)} (rows), {shown} image{'s' * (shown > 1)} of the probe (columns), maps {rows} \u00d7 {columns}"

    def notes(self):
        """What the reader must know about values that the scale does not show."""
        beyond = int((np.abs(self.maps.finite) > self.end).sum())
        missing = self.maps.values.size - self.maps.finite.size
        notes = []
        if beyond:
            notes.append(f"{100 * beyond / self.maps.values.size:.2g} % beyond {self.end:g}: the colour ends there")
        if missing:
            notes.append(f"{missing} not finite (NaN or infinite): magenta")
        return "\n".join(notes)


def _paint(lookup, end, has_negative):
    """The scale of weights; of what is never negative its upper half."""
    colour_scale.stretch(lookup, end)
    if not has_negative:
        points = list(lookup.RGBPoints)
        lookup.RGBPoints = [value for start in range(0, len(points), 4) if points[start] >= 0 for value in points[start : start + 4]]
