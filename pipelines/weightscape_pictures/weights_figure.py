# SPDX-License-Identifier: BSD-3-Clause
"""The weights of a convolution as a field of boxes."""

import numpy as np

from . import boxes, camera, channels, colour_scale, filters, page, tile_labels

_AREA = (0.03, 0.84, 0.05, 0.87)
_TITLES = {"weight": "weights", "gradient": "gradients of the weights", "delta": "change of weights since the start"}


class WeightsFigure:
    """Boxes whose height and colour are the value of a weight. `field` is what was drawn last."""

    def __init__(self, layer, array, asked_range, every, size):
        self.layer, self.array, self.asked_range, self.size = layer, array, asked_range, size
        self.field = None
        self._source = channels.producer(channels.WEIGHTS + layer)
        self.view = page.scene(size)
        self._lookup = colour_scale.table()
        colour_scale.stretch(self._lookup, 1.0)
        self._show(boxes.write_tops, ambient=1.0, diffuse=0.0)
        self._show(boxes.write_sides, ambient=0.4, diffuse=0.5)
        labels = page.show(filters.call(self._source, "vtkPolyData", tile_labels.write_labels), self.view)
        labels.AmbientColor, labels.Ambient, labels.Diffuse = page.GREY, 1.0, 0.0
        self._legend = page.legend(self.view, self._lookup, size, array)
        page.Words(self.view, size, 20, (0.02, 0.945), bold=1).say(f"{layer}: {_TITLES[array]}")
        self._shape = page.Words(self.view, size, 13, (0.02, 0.91), colour=page.GREY)
        self._status = page.Words(self.view, size, 14, "Upper Right Corner")
        self._note = page.Words(self.view, size, 12, "Lower Right Corner")
        name = f"weights_{layer}" if array == "weight" else f"{array}s_{layer}"
        page.save_pictures(self.view, name, every, size)

    def _show(self, write, ambient, diffuse):
        faces = filters.call(self._source, "vtkPolyData", write, self.array, self.asked_range)
        shown = page.show(faces, self.view)
        shown.ColorArrayName = ["CELLS", boxes.VALUE]
        shown.LookupTable = self._lookup
        shown.Interpolation = "Flat"
        shown.Ambient, shown.Diffuse, shown.Specular = ambient, diffuse, 0.0

    def update(self, time):
        """Brings scale, camera and words in line with the data at `time`."""
        page.keep_words_clean()
        image = channels.data_of(self._source, time)
        self.field = field = boxes.Field(image, self.array, self.asked_range)
        colour_scale.stretch(self._lookup, field.end)
        self._legend.CustomLabels = [part * field.end for part in (-1, -0.5, 0, 0.5, 1)]
        tiles = tile_labels.Tiles(image)
        (width, depth), (left, front) = field.extent, tiles.room
        ground = camera.corners((-left, width, -front, depth, 0, 0))
        boxed = camera.corners((0, width, 0, depth, -boxes.HEIGHT, boxes.HEIGHT))
        camera.fit(self.view, self.size, np.concatenate([ground, boxed]), boxes.towards_camera(tiles), _AREA)
        self._shape.say(tiles.describe())
        self._status.say(page.status(channels.state_of(image)))
        self._note.say(self.notes())

    def notes(self):
        """What the reader must know about values that the scale does not show."""
        notes = []
        if self.field.beyond:
            notes.append(f"{self.field.beyond} beyond \u00b1{self.field.end:g}: colour and height end there")
        if self.field.not_finite:
            notes.append(f"{self.field.not_finite} not finite (NaN or infinite): magenta")
        return "\n".join(notes)
