# SPDX-License-Identifier: BSD-3-Clause
"""A page of flat drawings whose unit is the pixel, from the lower left: lines, areas and words, each of any colour."""

import os

import numpy as np
from paraview import simple
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkPolyData

from . import geometry, page
from .lettering import Lettering

_COLOUR = "colour"
_DISTANCE = 1000.0
_STEP = 0.01  # in height, between what is added first and next


class Sheet:
    """Collects what is drawn, then draws it. What is added later lies above."""

    def __init__(self, size):
        self.size = size
        self._lines = {}  # (width, opacity): strokes (points (n, 3), colour); all of a kind are shown as one
        self._areas = []  # (corners (n, 3), colour)
        self._words = []  # (points (n, 3), triangles (m, 3), colour)
        self._height = 0.0

    def _raised(self, points):
        """Points of the page at the height of what is being added."""
        points = np.asarray(points, float)
        return np.c_[points, np.full(len(points), self._height)]

    def lines(self, strokes, width, opacity=1.0):
        """Strokes: (points (n, 2), colour); those of less than two points are left out."""
        self._height += _STEP
        kind = self._lines.setdefault((width, opacity), [])
        kind += [(self._raised(points), colour) for points, colour in strokes if len(points) > 1]

    def areas(self, areas):
        """Areas: (corners (n, 2), colour), convex."""
        self._height += _STEP
        self._areas += [(self._raised(corners), colour) for corners, colour in areas]

    def words(self, words, colour):
        """Words: (text, x, y of their middle, height of a capital, anchor[, turned])."""
        self._height += _STEP
        letters, data = Lettering(), vtkPolyData()
        for text, x, y, height, *manner in words:
            if text:
                letters.write(text, x, y, height, *manner)
        letters.finish(data)
        if data.GetNumberOfPoints():
            points = vtk_to_numpy(data.GetPoints().GetData())[:, :2]
            triangles = vtk_to_numpy(data.GetPolys().GetConnectivityArray()).reshape(-1, 3)
            self._words.append((self._raised(points), triangles, colour))

    def _faces(self):
        """Areas and words as one."""
        faces = [corners for corners, _ in self._areas]
        colours = [colour for _, colour in self._areas]
        for points, triangles, colour in self._words:
            faces += list(points[triangles])
            colours += [colour] * len(triangles)
        return faces, colours

    def draw(self):
        """A view that shows it all."""
        page.keep_words_clean()
        width, height = self.size
        view = page.scene(self.size)
        for (line_width, opacity), strokes in self._lines.items():
            if strokes:
                data = _poly_data(*zip(*strokes))
                data.SetLines(_cells(strokes))
                _show(data, view, LineWidth=line_width, Opacity=opacity)
        faces, colours = self._faces()
        if faces:
            data = _poly_data(faces, colours)
            data.SetPolys(geometry.cells(np.cumsum([0, *map(len, faces)])))
            _show(data, view)
        view.CameraParallelScale = height / 2
        view.CameraFocalPoint = [width / 2, height / 2, 0.0]
        view.CameraPosition = [width / 2, height / 2, _DISTANCE]
        view.CameraViewUp = [0.0, 1.0, 0.0]
        return view


def _poly_data(pieces, colours):
    """The points of pieces, and a colour for each of them; cells are still to be set."""
    data = vtkPolyData()
    data.SetPoints(geometry.points(np.concatenate(pieces)))
    rgb = (255 * np.asarray(colours, float)).round().astype(np.uint8).reshape(-1, 3)
    data.GetCellData().AddArray(geometry.array(_COLOUR, rgb))
    return data


def _cells(strokes):
    return geometry.cells(np.cumsum([0, *(len(points) for points, _ in strokes)]))


def _show(data, view, **properties):
    """Shows a vtkPolyData in its own colours, without light."""
    source = simple.PVTrivialProducer()
    source.GetClientSideObject().SetOutput(data)
    source.UpdatePipeline()
    shown = simple.Show(source, view)
    shown.ColorArrayName, shown.MapScalars = ["CELLS", _COLOUR], 0
    shown.Ambient, shown.Diffuse, shown.Specular = 1.0, 0.0, 0.0
    for name, value in properties.items():
        setattr(shown, name, value)


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
