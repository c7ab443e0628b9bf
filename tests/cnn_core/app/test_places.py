# SPDX-License-Identifier: BSD-3-Clause
"""Awkward paths, another locale, no home: all work."""

import json
import shutil
import subprocess

import make_files
import pytest
from conftest import Run, environment, small_training

NAMES = ["with blanks", "tëst Ω", "it's", 'say "so"', "two\nlines", "-leading-dash", "comma,key=value", "$HOME",
         "back\\slash", "x" * 200 + "/" + "y" * 200]


@pytest.mark.parametrize("name", NAMES)
def test_paths(program, small_set, tmp_path, name):
    data = tmp_path / "data" / name
    shutil.copytree(small_set, data)
    run = tmp_path / "runs" / name
    first = program.good("train", f"--data={data}", "--net", "linear 10", "--steps", 3, f"--run={run}")
    assert not first.errors
    program.good("train", f"--resume={run}", "--steps", 5)
    assert Run(run).steps() == [1, 2, 3, 4, 5]
    assert Run(run).record()["options"]["data"] == str(data)
    last = Run(run).last
    assert json.loads(program.good("eval", "--json", "--data", data, last).out)["evaluated"] == 50
    assert json.loads(program.good("info", "--json", run).out)["checkpoints"] == [3, 5]


@pytest.mark.parametrize("name", NAMES[:6])
def test_relative_paths(program, small_set, tmp_path, name):
    shutil.copytree(small_set, tmp_path / name)
    program.good("train", f"--data={name}", "--net", "linear 10", "--steps", 2, f"--run={name}.run")
    program.good("eval", f"--data={name}", "--", f"{name}.run/checkpoints/last.safetensors")


def test_what_to_type_next_can_be_pasted(program, small_set, tmp_path):
    data = tmp_path / "it's here; $(rm)"
    shutil.copytree(small_set, data)
    out = program.good("train", "--data", data, "--net", "linear 10", "--steps", 2, "--run", "a run").out
    line = [line for line in out.splitlines() if line.startswith("next: weightscape ")][0]
    script = f'{program.path}{line.removeprefix("next: weightscape")}'
    pasted = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert pasted.returncode == 0 and pasted.stdout.startswith("accuracy"), pasted


def test_a_path_that_is_not_utf8(program, small_set, tmp_path):
    """JSON has no name for it, so that a run there could not be recorded."""
    result = program("train", b"--data=\xff".decode("utf-8", "surrogateescape"), "--run", "run")
    assert result.status == 2 and len(result.errors) == 1 and "UTF-8" in result.errors[0], result
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("names, gz", [("dash", False), ("dot", False), ("dash", True), ("dot", True)])
def test_spellings_of_the_files(program, small_set, tmp_path, names, gz):
    make_files.write_idx(tmp_path / "set", train=240, test=50, names=names, gz=gz)
    for data, run in ((small_set, "plain"), ("set", "other")):
        program.good("train", "--data", data, "--net", "linear 10", "--steps", 3, "--run", run)
    assert Run(tmp_path / "plain").last.read_bytes() == Run(tmp_path / "other").last.read_bytes()


def test_a_choice_among_files_is_told(program, tmp_path):
    make_files.write_idx(tmp_path / "set", names="dash")
    make_files.write_idx(tmp_path / "set", names="dot")
    result = program.good("train", "--data", "set", "--net", "linear 10", "--steps", 1, "--run", "run")
    assert len(result.errors) == 4 and all("is read" in line for line in result.errors), result


def test_several_channels(program, trained, tmp_path):
    make_files.write_idx(tmp_path / "colour", channels=3)
    run = trained("run", "--data", "colour", "--steps", 2)
    assert make_files.read_safetensors(run.last)[0]["conv1.weight"].shape == (4, 3, 3, 3)


@pytest.fixture(scope="session")
def comma_locale(tmp_path_factory):
    """Variables that select a locale in which one and a half is 1,5."""
    if not shutil.which("localedef"):
        pytest.skip("no localedef: apt-get install locales")
    folder = tmp_path_factory.mktemp("locales")
    subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", folder / "de_DE.UTF-8"], check=True)
    variables = environment(LOCPATH=str(folder), LC_ALL="de_DE.UTF-8")
    shown = subprocess.run(["bash", "-c", "printf %.1f 1,5"], env=variables, capture_output=True, text=True)
    assert shown.stdout == "1,5", "the locale is not in force"
    return variables


def test_a_locale_with_a_decimal_comma(program, trained, small_set, comma_locale):
    """The C program itself; scripts that set the locale in its process are tried with the pictures."""
    options = ("--steps", 15, "--lr", "0.0015", "--schedule", "cosine,floor=0.25")
    plain, german = trained("plain", *options), trained("german", *options, env=comma_locale)
    assert plain.numbers() == german.numbers()
    assert plain.last.read_bytes() == german.last.read_bytes()
    assert german.record()["options"]["lr"] == 0.0015
    assert program.good("eval", "--json", "--data", small_set, german.last, env=comma_locale).out == \
        program.good("eval", "--json", "--data", small_set, plain.last).out
    refused = program("train", *small_training(small_set), "--lr", "0,01", env=comma_locale)
    assert refused.status == 2 and len(refused.errors) == 1, refused


def test_without_a_home_or_any_variable(program, trained):
    assert trained("run", "--steps", 2, env=environment(HOME=None)).steps() == [1, 2]
    assert trained("bare", "--steps", 2, env={"PATH": "/nowhere"}).steps() == [1, 2]
