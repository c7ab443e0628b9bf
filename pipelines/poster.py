# script-version: 2.0
# SPDX-License-Identifier: BSD-3-Clause
"""All pictures at once: norms, loss and accuracy; weights, walk, activations, correlation and similar filters of every convolution.

Arguments: every=100  size=1024x768.
"""

import os
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from paraview import catalyst
from weightscape_pictures import arguments, channels, page
from weightscape_pictures.activations_figure import ActivationsFigure
from weightscape_pictures.correlation_figure import CorrelationFigure
from weightscape_pictures.learning_figure import LearningFigure
from weightscape_pictures.merging_figure import MergingFigure
from weightscape_pictures.norms_figure import NormsFigure
from weightscape_pictures.trajectory_figure import TrajectoryFigure
from weightscape_pictures.weights_figure import WeightsFigure

IMAGES, FADE = 4, 5
asked = arguments.parse(catalyst.get_args(), "every", "size")
options = page.options(asked.every)
pictures = (asked.every, asked.size)
layers = channels.convolutions()
# A host that has no images to look at has no activations.
active, compared = (channels.layers_that_have(prefix) for prefix in (channels.ACTIVATIONS, channels.CORRELATION))
# Charts are drawn before scenes: see page.keep_words_clean.
figures = [
    NormsFigure(*pictures),
    LearningFigure(*pictures),
    *(WeightsFigure(layer, "weight", None, *pictures) for layer in layers),
    *(TrajectoryFigure(layer, "weights", *pictures) for layer in layers),
    *(ActivationsFigure(layer, IMAGES, None, *pictures) for layer in active),
    *(CorrelationFigure(layer, "activations", *pictures) for layer in compared),
    *(MergingFigure(layer, FADE, *pictures) for layer in compared),
]


def catalyst_execute(info):
    for figure in figures:
        figure.update(info.time)
