# script-version: 2.0
# SPDX-License-Identifier: BSD-3-Clause
"""The walk of one convolution's weights, coloured by the step.

Arguments: layer=conv1  every=100  size=1024x768  components=weights|principal.
"""

import os
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from paraview import catalyst
from weightscape_pictures import arguments, channels, page
from weightscape_pictures.trajectory_figure import TrajectoryFigure

asked = arguments.parse(catalyst.get_args(), "layer", "every", "size", "components")
options = page.options(asked.every)
figures = [TrajectoryFigure(channels.convolution(asked.layer), asked.components, asked.every, asked.size)]


def catalyst_execute(info):
    for figure in figures:
        figure.update(info.time)
