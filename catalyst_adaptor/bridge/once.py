# SPDX-License-Identifier: BSD-3-Clause
"""Runs a Python file once, as ParaView's pvbatch would."""

import os
import runpy
import sys

from weightscape_bridge import failures


def run(path, arguments):
    """(whether the script refused, problem): it refuses by sys.exit(text), and there is no problem if all is well."""
    sys.argv = [path, *arguments]
    sys.path.insert(0, os.path.dirname(path))
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            return True, " ".join(end.code.split())
        return False, failures.describe(end, path) if end.code else ""
    except BaseException as error:  # a script may raise anything
        return False, failures.describe(error, path)
    return False, ""
