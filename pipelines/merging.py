# script-version: 2.0
# SPDX-License-Identifier: BSD-3-Clause
"""Filters as boxes at the places that they had when the run began, coloured by group; merged ones fade out.

Arguments: layer=all  every=100  size=1024x768  fade=5 (pictures until a merged filter is gone).
"""

import os
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from paraview import catalyst
from weightscape_pictures import arguments, channels, page
from weightscape_pictures.merging_figure import MergingFigure

asked = arguments.parse(catalyst.get_args(), "layer", "every", "size", "fade", layer=channels.ALL)
options = page.options(asked.every)
layers = channels.layers_with(channels.CORRELATION, asked.layer)
figures = [MergingFigure(layer, asked.fade, asked.every, asked.size) for layer in layers]


def catalyst_execute(info):
    for figure in figures:
        figure.update(info.time)
