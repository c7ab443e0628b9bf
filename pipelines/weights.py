# script-version: 2.0
# SPDX-License-Identifier: BSD-3-Clause
"""The weights of one convolution as boxes.

Arguments: layer=conv1  every=100  size=1024x768  array=weight|gradient|delta  range=X (where the colours end).
"""

import os
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from paraview import catalyst
from weightscape_pictures import arguments, channels, page
from weightscape_pictures.weights_figure import WeightsFigure

asked = arguments.parse(catalyst.get_args(), "layer", "every", "size", "array", "range")
options = page.options(asked.every)
figures = [WeightsFigure(channels.convolution(asked.layer), asked.array, asked.range, asked.every, asked.size)]


def catalyst_execute(info):
    for figure in figures:
        figure.update(info.time)
