# script-version: 2.0
# SPDX-License-Identifier: BSD-3-Clause
"""How similar the filters of convolutions are, pair by pair: heat maps of Pearson's correlation.

Arguments: layer=all  every=100  size=1024x768  of=activations|weights.
"""

import os
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from paraview import catalyst
from weightscape_pictures import arguments, channels, page
from weightscape_pictures.correlation_figure import CorrelationFigure

asked = arguments.parse(catalyst.get_args(), "layer", "every", "size", "of", layer=channels.ALL)
options = page.options(asked.every)
layers = channels.layers_with(channels.CORRELATION, asked.layer)
figures = [CorrelationFigure(layer, asked.of, asked.every, asked.size) for layer in layers]


def catalyst_execute(info):
    for figure in figures:
        figure.update(info.time)
