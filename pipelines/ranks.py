# script-version: 2.0
# SPDX-License-Identifier: BSD-3-Clause
"""The ranks of a parallel training side by side: step time and what of it is waiting, loss, norm of the gradient.

Arguments: every=100  size=1024x768.
"""

import os
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from paraview import catalyst
from weightscape_pictures import arguments, page
from weightscape_pictures.ranks_figure import RanksFigure

asked = arguments.parse(catalyst.get_args(), "every", "size")
options = page.options(asked.every)
figures = [RanksFigure(asked.every, asked.size)]


def catalyst_execute(info):
    for figure in figures:
        figure.update(info.time)
