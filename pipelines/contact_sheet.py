# SPDX-License-Identifier: BSD-3-Clause
"""Puts a run's pictures on one sheet: RUN/contact-sheet.png. Usage: contact_sheet.py RUN.

A row for each field of weights and of similar filters, at the first, the middle and the last step; the other pictures at the last step.
"""

import os
import re
import sys
from collections import defaultdict
from pathlib import Path

from PIL import Image

_NAME = re.compile(r"(?P<picture>.+)_(?P<step>\d{6,})\.png")
_THREE_TIMES = ("weights_", "gradients_", "deltas_", "merging_")
_COLUMNS = 3
_THUMBNAIL = (640, 480)
_GAP = 8


def pictures_of(run):
    """Paths of the pictures in a run folder: {picture: {step: path}}."""
    found = defaultdict(dict)
    for path in sorted(Path(run, "images").glob("*.cdb/*.png")):
        if match := _NAME.fullmatch(path.name):
            found[match["picture"]][int(match["step"])] = path
    return found


def choose(found):
    """Rows of paths, at most three in each."""
    rows, single = [], []
    for picture, at in sorted(found.items()):
        steps = sorted(at)
        if picture.startswith(_THREE_TIMES):
            chosen = dict.fromkeys((steps[0], steps[len(steps) // 2], steps[-1]))
            rows.append([at[step] for step in chosen])
        else:
            single.append(at[steps[-1]])
    return rows + [single[start : start + _COLUMNS] for start in range(0, len(single), _COLUMNS)]


def sheet_of(rows):
    """The sheet as an image."""
    width, height = _THUMBNAIL
    sheet = Image.new("RGB", (_COLUMNS * (width + _GAP) + _GAP, len(rows) * (height + _GAP) + _GAP), "#d0d0d4")
    for row, paths in enumerate(rows):
        for column, path in enumerate(paths):
            with Image.open(path) as picture:
                small = picture.convert("RGB")
                small.thumbnail(_THUMBNAIL, Image.LANCZOS)
            sheet.paste(small, (_GAP + column * (width + _GAP), _GAP + row * (height + _GAP)))
    return sheet


def save(sheet, path):
    """Writes aside, then renames: a sheet is whole or not there."""
    aside = path.with_name(f".{path.name}.part")
    with open(aside, "wb") as file:
        sheet.save(file, format="PNG")
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)


def main(arguments):
    if len(arguments) != 1:
        print(f"usage: {Path(sys.argv[0]).name} RUN", file=sys.stderr)
        return 2
    run = Path(arguments[0])
    rows = choose(pictures_of(run))
    if not rows:
        print(f"{run}: no pictures in {run / 'images'}", file=sys.stderr)
        return 2
    try:
        save(sheet_of(rows), run / "contact-sheet.png")
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
