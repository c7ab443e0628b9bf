# script-version: 2.0
# SPDX-License-Identifier: BSD-3-Clause
"""What the filters of convolutions make of a few images of the probe set: feature maps.

Arguments: layer=all  every=100  size=1024x768  images=4 (1 to 10)  range=X (where the colours end).
"""

import os
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from paraview import catalyst
from weightscape_pictures import arguments, channels, page
from weightscape_pictures.activations_figure import ActivationsFigure

asked = arguments.parse(catalyst.get_args(), "layer", "every", "size", "images", "range", layer=channels.ALL)
options = page.options(asked.every)
layers = channels.layers_with(channels.ACTIVATIONS, asked.layer)
figures = [ActivationsFigure(layer, asked.images, asked.range, asked.every, asked.size) for layer in layers]


def catalyst_execute(info):
    for figure in figures:
        figure.update(info.time)
