# SPDX-License-Identifier: BSD-3-Clause
"""Filters whose body is a Python function of this package."""

from paraview import simple


def call(source, output_type, function, *arguments):
    """A programmable filter that calls `function(filter, *arguments)` when its input has changed."""
    listed = ", ".join(["self", *map(repr, arguments)])
    made = simple.ProgrammableFilter(Input=source, OutputDataSetType=output_type)
    made.Script = f"import {function.__module__} as body\nbody.{function.__name__}({listed})"
    return made
