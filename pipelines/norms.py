# script-version: 2.0
# SPDX-License-Identifier: BSD-3-Clause
"""L2 norms of the weights and gradients of all layers over the steps, and a second picture of loss and accuracy.

Arguments: every=100  size=1024x768.
"""

import os
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from paraview import catalyst
from weightscape_pictures import arguments, page
from weightscape_pictures.learning_figure import LearningFigure
from weightscape_pictures.norms_figure import NormsFigure

asked = arguments.parse(catalyst.get_args(), "every", "size")
options = page.options(asked.every)
figures = [NormsFigure(asked.every, asked.size), LearningFigure(asked.every, asked.size)]


def catalyst_execute(info):
    for figure in figures:
        figure.update(info.time)
