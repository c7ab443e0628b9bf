# SPDX-License-Identifier: BSD-3-Clause
"""A parallel camera that fits a box into a part of the page, and where it puts a point."""

import numpy as np


def _axes(towards):
    """Unit vectors right, up and forward of a camera that sits in the direction `towards` of what it looks at."""
    forward = -np.asarray(towards, float) / np.linalg.norm(towards)
    right = np.cross(forward, (0.0, 0.0, 1.0) if abs(forward[2]) < 0.999 else (0.0, 1.0, 0.0))
    right /= np.linalg.norm(right)
    return right, np.cross(right, forward), forward


def corners(bounds):
    """The eight corners of (x0, x1, y0, y1, z0, z1)."""
    x, y, z = np.asarray(bounds, float).reshape(3, 2)
    return np.array([(a, b, c) for a in x for b in y for c in z])


def fit(view, size, points, towards, area):
    """Aims the view so that `points` fill `area`: left, right, bottom, top as parts of the page."""
    right, up, forward = _axes(towards)
    flat = np.stack([points @ right, points @ up], axis=1)
    low, high = flat.min(0), flat.max(0)
    extent = np.maximum(high - low, 1e-6)
    left_edge, right_edge, bottom_edge, top_edge = area
    aspect = size[0] / size[1]
    # World units that one page height shows, so that the wider of both directions just fits.
    page = max(extent[0] / (aspect * (right_edge - left_edge)), extent[1] / (top_edge - bottom_edge))
    off_centre = np.array([((left_edge + right_edge) / 2 - 0.5) * aspect, (bottom_edge + top_edge) / 2 - 0.5]) * page
    middle = (low + high) / 2 - off_centre
    depth = (points @ forward).mean()
    focus = middle[0] * right + middle[1] * up + depth * forward
    distance = 4 * np.linalg.norm(np.ptp(points, axis=0)) + page
    view.CameraParallelScale = float(page / 2)
    view.CameraFocalPoint = focus.tolist()
    view.CameraPosition = (focus - distance * forward).tolist()
    view.CameraViewUp = up.tolist()


def project(view, points):
    """Pixels (x from the left, y from the top) at which the view's present camera shows points of the world."""
    width, height = view.ViewSize
    matrix = view.GetActiveCamera().GetCompositeProjectionTransformMatrix(width / height, -1.0, 1.0)
    transform = np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
    points = np.atleast_2d(np.asarray(points, float))
    seen = np.c_[points, np.ones(len(points))] @ transform.T
    seen = seen[:, :2] / seen[:, 3:]
    return np.stack([(seen[:, 0] + 1) / 2 * width, (1 - seen[:, 1]) / 2 * height], axis=1)
