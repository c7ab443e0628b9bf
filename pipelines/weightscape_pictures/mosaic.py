# SPDX-License-Identifier: BSD-3-Clause
"""Squares of one colour each, side by side on a plane: maps of activations, matrices."""

import numpy as np

from . import geometry

VALUE = "value"


def write_squares(output, x, y, values):
    """A square at each (x, y), its lower left corner, with its value, into a vtkPolyData; what is infinite becomes NaN."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    flat = np.zeros(len(x))
    corners = np.stack([np.stack(corner, axis=-1) for corner in ((x, y, flat), (x + 1, y, flat), (x + 1, y + 1, flat), (x, y + 1, flat))], axis=1)
    output.SetPoints(geometry.points(corners.reshape(-1, 3)))
    output.SetPolys(geometry.cells(np.arange(0, 4 * len(corners) + 1, 4)))
    marked = np.where(np.isfinite(values), values, np.nan).astype(np.float32)
    output.GetCellData().SetScalars(geometry.array(VALUE, marked))


def write_segments(output, ends, z):
    """Line segments ((x0, y0), (x1, y1)) at height z into a vtkPolyData."""
    places = np.reshape(np.asarray(ends, float), (-1, 2))
    if len(places):
        output.SetPoints(geometry.points(np.c_[places, np.full(len(places), z)]))
        output.SetLines(geometry.cells(np.arange(0, len(places) + 1, 2)))


def show_flat(shown, colour=None, line_width=None):
    """Lets a representation show its colours as they are, without light."""
    shown.Ambient, shown.Diffuse, shown.Specular = 1.0, 0.0, 0.0
    shown.Interpolation = "Flat"
    if colour:
        shown.AmbientColor = shown.DiffuseColor = colour
        shown.ColorArrayName = ["POINTS", ""]
    if line_width:
        shown.LineWidth = line_width
    return shown
