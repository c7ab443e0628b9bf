# SPDX-License-Identifier: BSD-3-Clause
"""Draws runs against one another: what they reached over what they differ in, loss, error, norms and walks.

Usage: compare.py RUN... --output FILE.png [--by OPTION] [--layer NAME] [--size WxH], in pvbatch or pvpython with a
display, or as `weightscape compare`, which brings both.
"""

import argparse
import os
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from weightscape_pictures import arguments, runs
from weightscape_pictures.comparison_figure import ComparisonFigure
from weightscape_pictures.sheet import save


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        sys.exit(f"{message} (usage: compare.py RUN... --output FILE.png)")


def main():
    parser = _Parser(allow_abbrev=False)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--output", required=True)
    parser.add_argument("--by")
    parser.add_argument("--layer")
    parser.add_argument("--size", default="1600x1000")
    asked = parser.parse_args()
    try:
        size = arguments.size(asked.size)
        figure = ComparisonFigure(runs.read(asked.runs), asked.by, asked.layer, size)
    except ValueError as error:
        sys.exit(str(error))
    save(figure.draw(), os.path.abspath(asked.output), size)


if __name__ == "__main__":
    main()
