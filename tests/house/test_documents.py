# SPDX-License-Identifier: BSD-3-Clause
"""What the documents tell people to type exists: make targets, files, subcommands, options; and links lead somewhere."""
import re
import subprocess
from pathlib import Path

import pytest
from sources import project_files

BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
# Paths of the tree that a command may name.
IN_TREE = re.compile(r"(?<![\w./-])((?:pipelines|cmake|tests|docs)/[\w./-]*\w)")


def documents(root):
    return [name for name in project_files(root) if name.suffix == ".md"]


def commands(text):
    """The lines of a document's shell blocks: continued ones joined, comments dropped."""
    lines = "".join(BLOCK.findall(text)).replace("\\\n", " ").splitlines()
    return [line for line in (re.sub(r"(^|\s)#.*", "", line).strip() for line in lines) if line]


def make_targets(root):
    return set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))


def help_of(program, subcommand):
    return subprocess.run([program, subcommand, "--help"], capture_output=True, text=True, timeout=30)


def problems_of_command(root, program, line):
    for path in IN_TREE.findall(line):
        if not (root / path).exists():
            yield f"no file {path}"
    make = re.match(r"make\s+(?:-\S+\s+)*([a-z-]+)\b(?!=)", line)
    if make and make.group(1) not in make_targets(root):
        yield f"no make target {make.group(1)}"
    call = re.match(r"(?:\S*/)?weightscape\s+([a-z]+)(.*)", line)
    if call:
        said = help_of(program, call.group(1))
        if said.returncode != 0:
            yield f"no subcommand {call.group(1)}"
        # What follows `--` are options of train.
        own, _, shared = call.group(2).partition(" -- ")
        for text, whose, name in ((own, said, call.group(1)), (shared, help_of(program, "train"), "train")):
            for option in re.findall(r"(?:(?<=\s)|^)--[a-z-]+", text):
                if not re.search(rf"{option}\b", whose.stdout):
                    yield f"weightscape {name} has no {option}"


def broken_links(root, name):
    text = re.sub(r"```.*?```", "", (root / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in LINK.findall(text):
        if not re.match(r"[a-z]+:", link) and not (root / name).parent.joinpath(link).exists():
            yield f"{name}: leads nowhere: {link}"


def test_commands_exist(source, weightscape):
    found = []
    for name in documents(source):
        for line in commands((source / name).read_text(encoding="utf-8")):
            found += [f"{name}: `{line}`: {problem}" for problem in problems_of_command(source, weightscape, line)]
    assert found == []


def test_links_lead_somewhere(source):
    assert [link for name in documents(source) for link in broken_links(source, name)] == []


def test_the_readme_shows_both_commands(source):
    lines = commands((source / "README.md").read_text(encoding="utf-8"))
    assert "make demo" in lines and "make check" in lines


@pytest.mark.parametrize("line, problem", [
    ("make tea", "no make target tea"),
    ("build/release/bin/weightscape dance", "no subcommand dance"),
    ("weightscape train --frobnicate 3", "weightscape train has no --frobnicate"),
    ("weightscape sweep -o x -- --frobnicate 3", "weightscape train has no --frobnicate"),
    ("weightscape train --pipeline pipelines/none.py,layer=conv1", "no file pipelines/none.py"),
])
def test_a_wrong_command_is_found(source, weightscape, line, problem):
    assert problem in problems_of_command(source, weightscape, line)


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "a.md").write_text("[here](a.md) [there](b.md#part) [web](https://example.org)")
    assert list(broken_links(tmp_path, Path("a.md"))) == ["a.md: leads nowhere: b.md"]
