# SPDX-License-Identifier: BSD-3-Clause
"""The files that belong to the project."""
import subprocess
from pathlib import Path

# What building, training and Python leave behind in a folder that is no git clone.
LEFTOVERS = {".git", "build", "data", "runs", "demo", "__pycache__"}


def project_files(root):
    """All files of the project, relative to its root: as git sees them, or all but leftovers where there is no git."""
    git = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if (root / ".git").exists():
        listed = subprocess.run(git, check=True, capture_output=True, text=True).stdout.split("\0")
        names = [Path(name) for name in listed if name and ((root / name).is_file() or (root / name).is_symlink())]
    else:
        names = [path.relative_to(root) for path in root.rglob("*") if path.is_file()]
        names = [name for name in names if not LEFTOVERS.intersection(name.parts)]
    return sorted(names)


def c_files(root):
    return [name for name in project_files(root) if name.suffix in {".c", ".h", ".cpp", ".hpp", ".cxx", ".hxx", ".cc"}]
