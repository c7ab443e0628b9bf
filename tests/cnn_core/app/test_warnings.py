# SPDX-License-Identifier: BSD-3-Clause
"""Early warnings: none for a healthy training, the right one in time for a sick one, and where they are kept. The full set
is tests/long/test_warnings.py."""

import json

import pytest
from conftest import Run, wait_for
import make_files

NET = "conv 4 3x3, relu, maxpool 2, conv 8 3x3, relu, maxpool 2, linear 32, relu, linear 10"
SOON = 300  # steps to the warning, as docs/diagnosis.md states


@pytest.fixture(scope="module")
def set_of_1200(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set1200")
    make_files.write_idx(folder, train=1200, test=50, size=(8, 8))
    return folder


@pytest.fixture
def go(program, set_of_1200, tmp_path):
    """go('name', option...): how it ended, and the warnings of its record."""

    def train(name, *options, within=60):
        result = program("train", "--data", set_of_1200, "--net", NET, "--batch", 50, "--run", name, "--quiet",
                         "--insitu", "none", "--threads", 1, *options, within=within)
        return result, Run(tmp_path / name).record()["warnings"]

    return train


HEALTHY = [("adam", 1e-3), ("adam", 1e-2), ("momentum", 0.05), ("sgd", 0.2)]
SICK = [("adam", 3.0, {"stuck", "diverging"}), ("sgd", 30, {"stuck", "diverging"}),
        ("momentum", 3, {"stuck", "diverging"}), ("adam", 1e-9, {"no_progress"}), ("sgd", 1e-7, {"no_progress"})]


@pytest.mark.parametrize("optimizer, rate", HEALTHY)
def test_a_healthy_training_is_not_warned(go, optimizer, rate):
    result, warnings = go("run", "--optimizer", optimizer, "--lr", rate, "--steps", 600)
    assert result.status == 0 and warnings == [] and result.errors == []


@pytest.mark.parametrize("optimizer, rate, wanted", SICK)
def test_a_sick_one_is_warned_in_time(go, optimizer, rate, wanted):
    result, warnings = go("run", "--optimizer", optimizer, "--lr", rate, "--steps", 400)
    assert any(warning["kind"] in wanted and warning["step"] <= SOON for warning in warnings), warnings
    kinds = [warning["kind"] for warning in warnings]
    assert len(kinds) == len(set(kinds)), "once each"
    told = [line for line in result.errors if "warning: " in line]
    assert len(told) == len(warnings)
    for line, warning in zip(told, warnings):
        assert f"step {warning['step']}: {warning['reason']}: {warning['evidence']}" in line


def kill_filters(path):
    """Biases so low that no image lets a filter of conv1 through."""
    tensors, metadata = make_files.read_safetensors(path)
    tensors = {name: values.copy() for name, values in tensors.items()}
    tensors["conv1.bias"][:3] = -1e4
    make_files.write_safetensors(path, tensors, metadata)


def test_dead_filters(go, program, tmp_path):
    go("run", "--steps", 20, "--checkpoint-every", 20)
    run = Run(tmp_path / "run")
    for path in run.checkpoints.iterdir():
        if not path.is_symlink():
            kill_filters(path)
    result = program("train", "--resume", "run", "--steps", 220)
    assert result.status == 0, result
    warnings = run.record()["warnings"]
    assert [warning["kind"] for warning in warnings] == ["dead_filters"]
    assert warnings[0]["step"] == 120 and "3 of the 4 filters of conv1" in warnings[0]["evidence"]


def test_off_is_silent(go):
    result, warnings = go("run", "--optimizer", "adam", "--lr", 3.0, "--steps", 300, "--warnings", "off")
    assert warnings == [] and not any("warning" in line for line in result.errors)


def test_warnings_change_no_bit(go, tmp_path):
    for name, choice in (("with", "on"), ("without", "off")):
        go(name, "--optimizer", "adam", "--lr", 3.0, "--steps", 150, "--warnings", choice)
    one, other = (Run(tmp_path / name) for name in ("with", "without"))
    assert one.numbers() == other.numbers() and one.last.read_bytes() == other.last.read_bytes()


def test_values_that_are_not_finite_are_a_divergence(go):
    result, warnings = go("run", "--optimizer", "sgd", "--lr", 1e30, "--steps", 50)
    assert result.status == 1
    assert [warning["kind"] for warning in warnings] == ["diverging"]
    # The line that tells why it stopped is enough.
    assert len(result.errors) == 1 and f"step {warnings[0]['step']}: " in result.errors[0]


def test_warm_up_does_not_count(go):
    _, warnings = go("run", "--lr", 1e-2, "--schedule", "constant,warmup=100000", "--steps", 400)
    assert warnings == []


def test_a_resumed_run_keeps_them_and_does_not_repeat(go, program, tmp_path):
    go("run", "--optimizer", "adam", "--lr", 1e-9, "--steps", 350, "--checkpoint-every", 50, "--keep-checkpoints", 0)
    run = Run(tmp_path / "run")
    before = run.record()["warnings"]
    assert [warning["kind"] for warning in before] == ["no_progress"]
    again = program.good("train", "--resume", "run", "--steps", 700)
    assert run.record()["warnings"] == before and not any("warning: " in line for line in again.errors)


def test_where_they_are_shown(go, program, tmp_path):
    _, (warning,) = go("run", "--optimizer", "adam", "--lr", 1e-9, "--steps", 320)
    for command in ("info", "diagnose"):
        text = program.good(command, "run").out
        assert f"step {warning['step']}: no progress: {warning['evidence']}" in text
        assert json.loads(program.good(command, "--json", "run").out)["warnings"] == [warning]


def test_ctl_shows_them_while_it_trains(program, set_of_1200, tmp_path):
    process = program.start("train", "--data", set_of_1200, "--net", NET, "--batch", 50, "--run", "run", "--quiet",
                            "--optimizer", "adam", "--lr", "1e-9", "--steps", 10**9)
    record = tmp_path / "run/run.json"
    wait_for(lambda: record.exists() and json.loads(record.read_text()).get("warnings"), process)
    assert "no progress: " in program.good("ctl", "run").out
    told = json.loads(program.good("ctl", "--json", "run").out)["warnings"]
    assert [warning["kind"] for warning in told] == ["no_progress"]
    program.good("ctl", "run", "stop")
    process.communicate()
