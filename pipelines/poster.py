# script-version: 2.0
# SPDX-License-Identifier: BSD-3-Clause
"""All pictures at once: weights and walk of every convolution, norms, loss and accuracy.

Arguments: every=100  size=1024x768.
"""

import os
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from paraview import catalyst
from weightscape_pictures import arguments, channels, page
from weightscape_pictures.learning_figure import LearningFigure
from weightscape_pictures.norms_figure import NormsFigure
from weightscape_pictures.trajectory_figure import TrajectoryFigure
from weightscape_pictures.weights_figure import WeightsFigure

asked = arguments.parse(catalyst.get_args(), "every", "size")
options = page.options(asked.every)
pictures = (asked.every, asked.size)
layers = channels.convolutions()
# Charts are drawn before scenes: see page.keep_words_clean.
figures = [
    NormsFigure(*pictures),
    LearningFigure(*pictures),
    *(WeightsFigure(layer, "weight", None, *pictures) for layer in layers),
    *(TrajectoryFigure(layer, "weights", *pictures) for layer in layers),
]


def catalyst_execute(info):
    for figure in figures:
        figure.update(info.time)
