# SPDX-License-Identifier: BSD-3-Clause
"""The walks of several runs in one plane: the two directions in which, over all runs together, most of the way lies."""

import numpy as np

_ROWS = 1000  # of each run from which the plane is found


class JointWalk:
    """Walks of a layer from its start, which is (0, 0). `paths` has a run's points (n, 2) with their steps; a run counts
    as much as any other, however far it went. `explained` are the two components' shares of the variance."""

    def __init__(self, runs, layer):
        sketches = [_finite(run, layer) for run in runs]
        self.axes, self.explained = _plane([rows for _, rows in sketches])
        self.paths = [(steps, rows @ self.axes.T) for steps, rows in sketches]


def _finite(run, layer):
    """Steps and sketches up to the first that is not finite."""
    steps, rows = run.column("step"), run.sketch(layer)
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    end = bad[0] if len(bad) else len(rows)
    return steps[:end], rows[:end]


def _plane(all_rows):
    width = all_rows[0].shape[1]
    total = np.zeros((width, width))
    for rows in all_rows:
        chosen = rows[np.unique(np.linspace(0, len(rows) - 1, _ROWS).astype(int))] if len(rows) else rows
        reach = np.sqrt((chosen**2).sum(axis=1).max()) if len(chosen) else 0.0
        if reach > 0:
            chosen = chosen / reach
            total += chosen.T @ chosen / len(chosen)
    shares, directions = np.linalg.eigh(total)
    axes = directions[:, ::-1][:, :2].T
    # A component's sign means nothing: its largest part is made positive, so that the picture is always the same.
    signs = np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])
    whole = max(shares.sum(), np.finfo(float).tiny)
    return axes * signs[:, None], [float(share / whole) for share in shares[::-1][:2]]
