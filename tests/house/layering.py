# SPDX-License-Identifier: BSD-3-Clause
"""Who may include whom: data flows from cnn_core through the app and insitu.h to the bridge, and no other way."""
import re
from pathlib import Path

from sources import c_files

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.MULTILINE)

CORE = "cnn_core"
APP = "cnn_core/app"
ADAPTOR = "catalyst_adaptor"
BRIDGE = "catalyst_adaptor/bridge"
MPI = ("cnn_core/app/mpi", "catalyst_adaptor/mpi", "tests")
CPLUSPLUS = {".cpp", ".hpp", ".cxx", ".hxx", ".cc"}


def inside(path, folder):
    return Path(folder) in path.parents


def is_paraview(header):
    return bool(re.match(r"(vtk|pqCore|pqComponents|Python\.h|catalyst)", header))


def is_adaptor(header):
    return header.startswith("weightscape/") or ADAPTOR in Path(header).parts


def is_core(header):
    return header.startswith("cnn/") or CORE in Path(header).parts


def problem_of(path, header):
    """Why `path` must not include `header`, or None."""
    if is_paraview(header) and not inside(path, BRIDGE):
        return f"headers of ParaView, VTK and Python belong into {BRIDGE} only"
    if is_adaptor(header) and inside(path, CORE) and not inside(path, APP):
        return f"{CORE} knows nothing of pictures; only {APP} sees both sides"
    if is_core(header) and inside(path, ADAPTOR):
        return f"{ADAPTOR} serves any trainer and knows nothing of {CORE}"
    if header == "mpi.h" and not any(inside(path, folder) for folder in MPI):
        return f"MPI's header belongs into {MPI[0]} and {MPI[1]} only, which are loaded where there are several ranks"
    return None


def violations(root):
    """One line for each include that breaks the rule, and for each C++ file outside the bridge."""
    found = []
    for path in c_files(root):
        if path.suffix in CPLUSPLUS and not inside(path, BRIDGE) and not inside(path, "tests"):
            found.append(f"{path}: C++ belongs into {BRIDGE} only")
        for header in INCLUDE.findall((root / path).read_text(encoding="utf-8")):
            problem = problem_of(path, header)
            if problem:
                found.append(f"{path}: includes {header}: {problem}")
    return found
