# SPDX-License-Identifier: BSD-3-Clause
"""The walk of a convolution's weights in a plane, coloured by the step."""

import numpy as np

from . import camera, channels, filters, growth, page, walk
from .ticks import ticks

COMPONENTS = {
    "weights": (("w0", "w1"), "walk of the first two weights", ("weight w0", "weight w1")),
    "principal": (("pc1", "pc2"), "walk along its principal components", ("component 1", "component 2")),
}
_AREA = (0.03, 0.84, 0.03, 0.87)
_BEGAN, _IS = page.INK, [0.84, 0.10, 0.11]
# Viridis, from five of its colours; its yellow end is darkened, for a white page.
_STOPS = (
    (0.267, 0.005, 0.329),
    (0.230, 0.322, 0.546),
    (0.128, 0.567, 0.551),
    (0.369, 0.789, 0.383),
    (0.900, 0.800, 0.100),
)


def colour_of(fraction):
    """The colour of a step, given as a part of all steps: three numbers from 0 to 1."""
    places = np.linspace(0, 1, len(_STOPS))
    return [float(np.interp(fraction, places, part)) for part in np.transpose(_STOPS)]


def _paint(lookup, last):
    places = np.linspace(0, 1, len(_STOPS))
    lookup.RGBPoints = [part for place in places for part in (float(place * last), *colour_of(place))]


class TrajectoryFigure:
    """A walk with its axes and a colour bar. `walk` is what was drawn last, `said` what was said of it."""

    def __init__(self, layer, components, every, size):
        self.layer, self.size, self.walk, self.said = layer, size, None, ""
        self._names, title, axis_titles = COMPONENTS[components]
        self._source = channels.producer(channels.TRAJECTORY + layer)
        self.view = page.scene(size)
        self._lookup = page.colour_table()
        self._legend = page.legend(self.view, self._lookup, size, "training\nstep")
        self._show(walk.write_frame, colour=page.FAINT)
        self._show(walk.write_lettering, axis_titles, colour=page.INK)
        self._line, line = self._show(walk.write_walk)
        line.LineWidth = page.font(size, 10) / 5
        for row, colour in ((0, _BEGAN), (-1, _IS)):
            self._show(walk.write_dot, row, colour=colour)
        page.Words(self.view, size, 20, (0.02, 0.945), bold=1).say(f"{layer}: {title}")
        ends = page.Words(self.view, size, 13, (0.02, 0.91), colour=page.GREY)
        ends.say("black dot: where it began; red dot: where it is")
        self._growth = page.Words(self.view, size, 11, (0.02, 0.88), colour=page.GREY)
        self._status = page.Words(self.view, size, 14, "Upper Right Corner")
        name = f"trajectory_{layer}" if components == "weights" else f"trajectory_{layer}_{components}"
        page.save_pictures(self.view, name, every, size)

    def _show(self, write, *arguments, colour=None):
        """Shows what `write` makes of the walk, without light: in one colour, or coloured by the step."""
        source = filters.call(self._source, "vtkPolyData", write, self._names, *arguments)
        shown = page.show(source, self.view)
        shown.Ambient, shown.Diffuse = 1.0, 0.0
        if colour:
            shown.AmbientColor = colour
        else:
            shown.ColorArrayName = ["POINTS", walk.STEP]
            shown.LookupTable = self._lookup
        return source, shown

    def drawn_points(self):
        """How many points the line has, after thinning."""
        return self._line.GetClientSideObject().GetOutputDataObject(0).GetNumberOfPoints()

    def update(self, time):
        """Brings axes, colours and words in line with the data at `time`."""
        page.keep_words_clean()
        table = channels.data_of(self._source, time)
        self.walk = walk.Walk(table, self._names)
        last = max(1.0, time)
        _paint(self._lookup, last)
        self._legend.CustomLabels = ticks(0, last, least=1)[0]
        plot = camera.corners((-walk.ROOM_LEFT, walk.PLOT[0], -walk.ROOM_BELOW, walk.PLOT[1], 0, 0))
        camera.fit(self.view, self.size, plot, (0, 0, 1), _AREA)
        self._status.say(page.status(channels.state_of(table)))
        self.said = growth.of_walk(table)
        self._growth.say(self.said)
