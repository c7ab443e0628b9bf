# SPDX-License-Identifier: BSD-3-Clause
"""Every file says its licence, and the root holds what people expect there and nothing else."""
import subprocess

import pytest
from sources import project_files

SPDX = "SPDX-License-Identifier: BSD-3-Clause"
HEAD_LINES = 3  # a script's first line, or a Catalyst script's version tag, comes before the licence

# JSON has no comments; pictures and prose carry none; the licence is the licence.
WITHOUT_SPDX = {".json", ".png", ".md", ".ws", ".ubyte", ".gz", ".wsrec", ".seed"}
WITHOUT_SPDX_NAMES = {"LICENSE", ".gitignore"}

TOP_LEVEL = {
    "catalyst_adaptor", "cnn_core", "pipelines", "tests", "cmake", "docs", "CMakeLists.txt", "README.md",
    "Makefile", "CMakePresets.json", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff",
}


def without_licence(root):
    found = []
    for name in project_files(root):
        if name.suffix in WITHOUT_SPDX or name.name in WITHOUT_SPDX_NAMES:
            continue
        head = (root / name).read_text(encoding="utf-8").splitlines()[:HEAD_LINES]
        if not any(SPDX in line for line in head):
            found.append(str(name))
    return found


def test_every_file_names_its_licence(source):
    assert without_licence(source) == []


@pytest.mark.parametrize("text", ["int x;\n", "\n" * HEAD_LINES + f"/* {SPDX} */\n", "/* SPDX-License-Identifier: MIT */\n"])
def test_a_file_without_licence_is_found(tmp_path, text):
    (tmp_path / "planted.c").write_text(text)
    assert without_licence(tmp_path) == ["planted.c"]


def links(root):
    return [str(name) for name in project_files(root) if (root / name).is_symlink()]


def test_no_link_is_among_the_files(source):
    """One may lead to a folder that only one machine has."""
    assert links(source) == []


def test_a_link_to_a_folder_is_found(tmp_path):
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / "planted").symlink_to(tmp_path)
    assert links(tmp_path) == ["planted"]


def test_the_root_is_tidy(source):
    top = {name.parts[0] for name in project_files(source)}
    assert {name for name in top - TOP_LEVEL if not name.startswith(".")} == set()
    assert TOP_LEVEL - top == set()
