# SPDX-License-Identifier: BSD-3-Clause
"""What the program says of itself, and of a call that it cannot understand."""

import re
import shutil
import subprocess

import pytest

COMMANDS = ["train", "eval", "info", "merge", "export", "watch", "replay", "gui", "ctl", "sweep", "compare", "doctor", "completion", "help"]


def options_of(program, command):
    """The long options that a command's help lists."""
    return re.findall(r"^ +(?:-., )?--([a-z-]+)", program.good(command, "--help").out, re.MULTILINE)


def test_version(program):
    assert re.fullmatch(r"weightscape \d+\.\d+\.\d+\n", program.good("--version").out)


@pytest.mark.parametrize("call", ["--help", "-h", "help"])
def test_help_lists_all_commands(program, call):
    out = program.good(call).out
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", out, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(program, command):
    result = program.good(command, "--help")
    assert result.out.startswith(f"weightscape {command}: ")
    assert f"Usage: weightscape {command} [OPTION...]" in result.out
    assert not result.errors


def test_train_has_the_options_that_others_build_on(program):
    assert {"data", "net", "epochs", "steps", "batch", "optimizer", "lr", "schedule", "seed", "threads", "run",
            "resume", "pipeline", "insitu", "insitu-required", "lag", "overhead", "record", "probe", "strict",
            "no-strict", "no-insitu-required", "replay-steering"} <= set(options_of(program, "train"))


def test_manual_has_every_option_and_no_error(program, tmp_path):
    manual = program.good("help", "--man").out
    for command in COMMANDS:
        for option in options_of(program, command):
            escaped = option.replace("-", r"\-")
            assert option == "help" or rf"\fB\-\-{escaped}\fR" in manual
    page = tmp_path / "weightscape.1"
    page.write_text(manual)
    if not shutil.which("groff"):
        pytest.skip("no groff: apt-get install groff-base")
    shown = subprocess.run(["groff", "-man", "-Tutf8", "-ww", page], capture_output=True, text=True, check=True)
    assert not shown.stderr


@pytest.mark.parametrize("words, expected", [
    (["e"], {"eval", "export"}),
    (["train", "--check"], {"--checkpoint-every"}),
    (["train", "--optimizer", ""], {"sgd", "momentum", "adam"}),
    (["eval", "--set", "t"], {"test", "train"}),
    (["train", "--data", "fold"], {"folder"}),
    (["info", "f"], {"file", "folder"}),
    (["train", "--lr", ""], set()),
    (["train", "--no-s"], {"--no-strict"}),
    (["train", "--insitu", "s"], {"sidecar"}),
    (["re"], {"replay"}),
    (["ctl", "--j"], {"--json"}),
    (["ctl", "folder", "st"], {"status", "step", "stop", "stop-after-epoch"}),
    (["ctl", "fol"], {"folder"}),
])
def test_bash_completes(program, tmp_path, words, expected):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "completion.bash").write_text(program.good("completion", "bash").out)
    asked = subprocess.run(
        ["bash", "-c", 'source ./completion.bash; compopt() { :; }; COMP_WORDS=(weightscape "$@"); COMP_CWORD=$#; '
         '_weightscape; printf "%s\\n" "${COMPREPLY[@]}"', "bash", *words],
        cwd=tmp_path, capture_output=True, text=True, check=True)
    assert not asked.stderr
    assert set(asked.stdout.split()) == expected


@pytest.mark.parametrize("call, words", [
    ([], ["command is missing"]),
    (["nosuch"], ['"nosuch"', "no command"]),
    (["train", "--foo"], ["weightscape train: --foo: unknown option"]),
    (["train", "--data"], ["weightscape train: --data: missing argument"]),
    (["train", "--strict=1"], ["--strict", "does not take an argument"]),
    (["train", "stray"], ['"stray"', "too many"]),
    (["train"], ["--data is missing"]),
    (["train", "--data", ""], ["--data", "empty"]),
    (["eval"], ["CHECKPOINT is missing"]),
    (["eval", "a", "b"], ['"b"', "too many"]),
    (["info"], ["FILE is missing"]),
    (["export"], ["RUN is missing"]),
    (["watch"], ["RUN is missing"]),
    (["replay"], ["FILE is missing"]),
    (["ctl"], ["RUN", "missing"]),
    (["compare"], ["RUN... is missing"]),
    (["compare", "r"], ["--output is missing"]),
    (["compare", "r", "-o", "x.jpg"], ["--output", "x.jpg", ".png"]),
    (["compare", "r", "-o", "x.png"], ["r:", "neither a run nor a sweep"]),
    (["ctl", "r", "nosuch"], ['"nosuch"', "no command"]),
    (["ctl", "r", "pause", "3"], ['"3"', "too many"]),
    (["ctl", "r", "step", "1", "2"], ['"2"', "too many"]),
    (["ctl", "r", "step", "0"], ["step", '"0"']),
    (["ctl", "r", "step", "1e3"], ["step", '"1e3"']),
    (["ctl", "r", "set"], ["set", "missing"]),
    (["ctl", "r", "set", "batch"], ["set", '"batch"', "missing"]),
    (["ctl", "r", "set", "batch", "3", "batch", "4"], ['"batch"', "twice"]),
    (["ctl", "r"], ["r: holds no run", "run.json"]),
    (["train", "--no-quiet"], ["--no-quiet", "unknown option"]),
    (["train", "--no-strict=1"], ["--no-strict", "does not take an argument"]),
    (["replay", "x"], ["--pipeline", "--list", "--export"]),
    (["replay", "x", "--list", "--export", "3"], ["--pipeline", "--list", "--export"]),
    (["replay", "x", "--export", "3", "--json"], ["--json", "--list"]),
    (["replay", "x", "--list", "-o", "y"], ["--output", "--list"]),
    (["replay", "x", "--list", "--last", "3"], ["--last", "--pipeline"]),
    (["replay", "x", "--pipeline", "y.py", "--last", "0"], ["--last", "0"]),
    (["replay", "x", "--pipeline", "y.py", "--first", "9", "--last", "3"], ["--first", "9", "3"]),
    (["completion", "zsh"], ['"zsh"']),
])
def test_a_call_that_is_not_understood(program, call, words):
    result = program(*call)
    assert result.status == 2
    assert len(result.errors) == 1, result
    for word in words:
        assert word in result.errors[0]
    assert not result.out


def test_output_that_cannot_be_written_is_a_failure(program):
    with open("/dev/full", "w") as full:
        ended = subprocess.run(program.command("--help"), stdout=full, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
