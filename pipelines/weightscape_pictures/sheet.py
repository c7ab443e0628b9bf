# SPDX-License-Identifier: BSD-3-Clause
"""A page of flat drawings whose unit is the pixel, from the lower left: lines, areas and words, each of any colour."""

import os

import numpy as np
from paraview import simple
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkPolyData

from . import geometry, page
from .lettering import Lettering

_STEP = 0.01  # in height, between what is added first and next


class Sheet:
    """Collects what is drawn, then draws it. What is added later lies above."""

    def __init__(self, size):
        self.size = size
        self._faces = {}  # opacity: [points (n, 3)], [corners of each face], [colours]; all of one are shown as one
        self._height = 0.0

    def _add(self, points, counts, colours, opacity=1.0):
        """Faces whose points follow one another, above all that is there."""
        self._height += _STEP
        if len(points):
            kept = self._faces.setdefault(opacity, ([], [], []))
            kept[0].append(np.c_[points, np.full(len(points), self._height)])
            kept[1].append(np.asarray(counts))
            kept[2].append(np.asarray(colours, float).reshape(-1, 3))

    def lines(self, strokes, width, opacity=1.0):
        """Strokes: (points (n, 2), colour); those of less than two points are left out."""
        ribbons = [(_ribbon(np.asarray(points, float), width), colour) for points, colour in strokes if len(points) > 1]
        corners = [ribbon for ribbon, _ in ribbons]
        colours = [np.broadcast_to(colour, (len(ribbon) // 4, 3)) for ribbon, colour in ribbons]
        if ribbons:
            colours = np.concatenate(colours)
            self._add(np.concatenate(corners), np.full(len(colours), 4), colours, opacity)

    def areas(self, areas):
        """Areas: (corners (n, 2), colour), convex."""
        if areas:
            self._add(np.concatenate([corners for corners, _ in areas]), [len(corners) for corners, _ in areas],
                      [colour for _, colour in areas])

    def words(self, words, colour):
        """Words: (text, x, y of their middle, height of a capital, anchor[, turned])."""
        letters, data = Lettering(), vtkPolyData()
        for text, x, y, height, *manner in words:
            if text:
                letters.write(text, x, y, height, *manner)
        letters.finish(data)
        if data.GetNumberOfPoints():
            points = vtk_to_numpy(data.GetPoints().GetData())[:, :2]
            corners = vtk_to_numpy(data.GetPolys().GetConnectivityArray())
            count = len(corners) // 3
            self._add(points[corners], np.full(count, 3), np.broadcast_to(colour, (count, 3)))

    def draw(self):
        """A view that shows it all."""
        page.keep_words_clean()
        view = page.flat_scene(self.size)
        for opacity, (points, counts, colours) in self._faces.items():
            _show(view, np.concatenate(points), np.concatenate(counts), np.concatenate(colours)).Opacity = opacity
        return view

    def write(self, output):
        """All of it as a vtkPolyData, whatever its opacity, in colours of its cells."""
        if self._faces:
            _fill(output, *(np.concatenate(parts) for parts in zip(*(map(np.concatenate, each) for each in self._faces.values()))))


def _ribbon(points, width):
    """A line as quadrilaterals, one for each stretch: four corners after four."""
    along = np.diff(points, axis=0)
    lengths = np.hypot(*along.T)
    kept = lengths > 0
    starts, along = points[:-1][kept], along[kept] / lengths[kept, None]
    ends = points[1:][kept]
    aside = width / 2 * np.stack([-along[:, 1], along[:, 0]], axis=1)
    # A little longer than the stretch, so that corners close.
    more = width / 4 * along
    return np.stack([starts - more + aside, starts - more - aside, ends + more - aside, ends + more + aside],
                    axis=1).reshape(-1, 2)


def _fill(data, points, counts, colours):
    data.SetPoints(geometry.points(points))
    data.SetPolys(geometry.cells(np.concatenate([[0], np.cumsum(counts)])))
    data.GetCellData().AddArray(geometry.array(page.COLOUR, (255 * colours).round().astype(np.uint8)))


def _show(view, points, counts, colours):
    """Shows faces in their own colours, without light."""
    data = vtkPolyData()
    _fill(data, points, counts, colours)
    source = simple.PVTrivialProducer()
    source.GetClientSideObject().SetOutput(data)
    source.UpdatePipeline()
    shown = simple.Show(source, view)
    page.show_own_colours(shown)
    return shown


def save(view, path, size):
    """Writes a picture aside, then renames it: it is whole or not there."""
    folder, name = os.path.split(path)
    aside = os.path.join(folder, f".{name}.part.png")
    try:
        simple.SaveScreenshot(aside, view, ImageResolution=list(size), CompressionLevel=5)
        if not os.path.exists(aside):
            raise OSError(f"{path}: cannot be written")
        os.replace(aside, path)
    finally:
        if os.path.exists(aside):
            os.remove(aside)
