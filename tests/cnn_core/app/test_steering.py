# SPDX-License-Identifier: BSD-3-Clause
"""What was turned in a run is written down, comes back with it, and turns another run into the same one."""

import json
import shutil

import pytest
from conftest import Run, small_training, snapshot, wait_for
from control import Client, ask, turn
from test_resume import EVERY, forget_after
from test_storage import limited

EPOCHS = 120
EXACT = ["--checkpoint-every", 20, "--keep-checkpoints", 0]

# Turned one after the other, some steps apart; 1.5 epochs of 11 steps lie between them at first.
TURNS = [
    {"learning_rate": 0.003},
    {"batch": 13},
    {"momentum": "0.5", "weight_decay": 0.02},
    {"dropout": 0.6},
    {"schedule": "step,every=150,factor=0.7"},
    {"batch": 220},
    {"learning_rate": "0.0007", "batch": 32},
    {"dropout": 0, "weight_decay": 0},
    {"schedule": "cosine,floor=0.1,warmup=30"},
    {"momentum": 0.95, "batch": 20},
]


def lines(run):
    return [json.loads(line) for line in (run.path / "steering.jsonl").read_text().splitlines()]


def turned(run):
    return [(line["step"], line["name"], line["old"], line["new"]) for line in lines(run) if "name" in line]


def assert_same(run, other):
    assert run.numbers() == other.numbers()
    assert run.last.read_bytes() == other.last.read_bytes()
    assert run.saved_steps() == other.saved_steps() != []
    for step in run.saved_steps():
        name = f"step_{step:08}.safetensors"
        assert (run.checkpoints / name).read_bytes() == (other.checkpoints / name).read_bytes()


def start(program, small_set, name, *options):
    process = program.start("train", *small_training(small_set), "--run", name, *options)
    run = Run(program.folder / name)
    wait_for((run.path / "control").exists, process)
    return process, run


def turn_all(run, process, between=17):
    """Makes all turns, each at a rest, and lets the run go on."""
    ask(run.path, "pause")
    for values in TURNS:
        step = ask(run.path, "step", count=between)["step"]
        wait_for(lambda: ask(run.path, "status")["state"] == "paused", process)
        assert ask(run.path, "status")["step"] == step + between
        turn(run.path, **values)


def finish(process, status=0, within=60):
    out, errors = process.communicate(timeout=within)
    assert process.returncode == status, (out, errors)
    return out, errors.splitlines()


@pytest.fixture(scope="module")
def steered(weightscape, small_set, tmp_path_factory):
    """A complete run in which all knobs were turned, ten times; it is read only."""
    from conftest import Program
    program = Program(weightscape, tmp_path_factory.mktemp("steered"))
    process, run = start(program, small_set, "steered", "--epochs", EPOCHS, *EXACT)
    turn_all(run, process)
    ask(run.path, "continue")
    finish(process)
    return run


def test_the_turns_are_used_by_the_next_step(steered):
    rows = {int(row["step"]): row for row in steered.rows()}
    assert len(turned(steered)) == sum(len(values) for values in TURNS)
    assert {name for _, name, _, _ in turned(steered)} == \
        {"learning_rate", "schedule", "momentum", "weight_decay", "dropout", "batch"}
    step, name, old, new = turned(steered)[0]
    assert (name, old, new) == ("learning_rate", "0.001", "0.003")
    assert float(rows[step]["learning_rate"]) == 0.001 and float(rows[step + 1]["learning_rate"]) == 0.003
    assert all(line["origin"].startswith("ctl, process ") and line["time"].endswith("Z") for line in lines(steered)
               if "name" in line)


def test_epochs_stay_whole(steered):
    """An independent count: the images of each epoch, dealt out with the batch of each step."""
    batches = {step: int(new) for step, name, _, new in turned(steered) if name == "batch"}
    batch, dealt, epoch = 20, 0, 0
    for row in steered.rows():
        batch = batches.get(int(row["step"]) - 1, batch)
        dealt += min(batch, 220 - dealt)
        if dealt == 220:
            dealt, epoch = 0, epoch + 1
            assert float(row["epoch"]) == epoch and row["validation_loss"]
        else:
            assert epoch < float(row["epoch"]) < epoch + 1 and not row["validation_loss"]
    assert (epoch, dealt) == (EPOCHS, 0)
    record = steered.record()
    assert (record["status"], record["step"], record["total_steps"]) == ("complete", *2 * [steered.steps()[-1]])


def test_a_replay_has_the_same_bits(program, small_set, steered):
    result = program.good("train", *small_training(small_set), "--epochs", EPOCHS, *EXACT, "--run", "again",
                          "--threads", 1, "--replay-steering", steered.path)
    again = Run(program.folder / "again")
    assert not result.errors
    assert_same(again, steered)
    assert turned(again) == turned(steered)
    assert "replay of " in lines(again)[0]["origin"]
    # A replay can be replayed.
    program.good("train", *small_training(small_set), "--epochs", EPOCHS, *EXACT, "--run", "third",
                 "--replay-steering", "again")
    assert_same(Run(program.folder / "third"), steered)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6])
def test_a_replay_that_is_killed_goes_on(program, small_set, steered, share):
    last = turned(steered)[-1][0]
    process, run = start(program, small_set, "killed", "--epochs", EPOCHS, *EXACT, "--replay-steering", steered.path)
    wait_for(lambda: run.last.exists() and run.last_step() >= share * 2 * last, process)
    process.kill()
    process.communicate()
    program.good("train", "--resume", "killed")
    assert_same(run, steered)
    assert turned(run) == turned(steered)


def test_a_run_that_is_killed_has_its_knobs_again(program, small_set):
    process, run = start(program, small_set, "run", "--epochs", EPOCHS, *EXACT)
    turn_all(run, process, between=5)
    turn(run.path, pause_at=400, overhead=0.1, live_rate=5)
    ask(run.path, "checkpoint")
    knobs = ask(run.path, "get")["knobs"]
    process.kill()
    process.communicate()
    (run.path / "control").unlink()
    process = program.start("train", "--resume", "run")
    wait_for((run.path / "control").exists, process)
    assert ask(run.path, "get")["knobs"] == knobs
    wait_for(lambda: ask(run.path, "status")["state"] == "paused", process)
    assert ask(run.path, "status")["step"] == 400
    ask(run.path, "continue")
    finish(process)
    program.good("train", *small_training(small_set), "--epochs", EPOCHS, *EXACT, "--run", "again",
                 "--replay-steering", "run")
    # The checkpoint that was asked for is one more.
    assert Run(program.folder / "again").last.read_bytes() == run.last.read_bytes()
    assert Run(program.folder / "again").numbers() == run.numbers()


def write_log(run, *entries, end="\n"):
    (run.path / "steering.jsonl").write_text("\n".join(
        entry if isinstance(entry, str) else json.dumps(entry) for entry in entries) + end)


def entry(step, name="learning_rate", old="0.001", new="0.002"):
    return {"step": step, "name": name, "old": old, "new": new, "origin": "a test", "time": "2026-01-01T00:00:00Z"}


def test_turns_after_the_checkpoint_are_cut_and_kept(program, trained):
    run = trained("run", "--steps", 40, *EVERY)
    forget_after(run, 20)
    write_log(run, entry(10), entry(20, new="0.003"), entry(25, new="0.004"), entry(30, new="0.005"), '{"step": 3')
    after = (run.path / "steering.jsonl").read_text().splitlines(keepends=True)[2:]
    result = program.good("train", "--resume", run.path)
    rates = [row["learning_rate"] for row in run.rows()]
    assert rates[:20] == ["0.001"] * 20 and rates[20:] == ["0.003"] * 20
    assert len(lines(run)) == 2
    assert (run.path / "steering.jsonl.after-20").read_text() == "".join(after)
    assert sum("steering.jsonl" in line for line in result.errors) == 1, result


@pytest.mark.parametrize("torn", ['{"step": 1', '{"step": 15, "name"}\n', "\x00\x00\x00\x00\n"])
def test_a_torn_last_line_is_cut_and_told_once(program, trained, torn):
    run = trained("run", "--steps", 20, *EVERY)
    write_log(run, entry(10), torn, end="")
    result = program.good("train", "--resume", run.path, "--steps", 30)
    assert sum("steering.jsonl:2: the last line is torn" in line for line in result.errors) == 1, result
    assert (run.path / "steering.jsonl.after-20").read_bytes() == torn.encode()
    assert turned(run) == [(10, "learning_rate", "0.001", "0.002")]
    assert run.rows()[-1]["learning_rate"] == "0.002"
    assert not [line for line in program.good("train", "--resume", run.path, "--steps", 40).errors if "torn" in line]


def test_a_log_that_is_gone_is_missed(program, trained):
    run = trained("run", "--steps", 20)
    (run.path / "steering.jsonl").unlink()
    result = program.good("train", "--resume", run.path, "--steps", 30)
    assert len(result.errors) == 1 and "steering.jsonl: is gone" in result.errors[0], result
    assert (run.path / "steering.jsonl").read_bytes() == b""
    assert not program.good("train", "--resume", run.path, "--steps", 40).errors


BAD_LINES = [
    "",
    "nonsense",
    "[]",
    "{}",
    json.dumps(entry(5))[:-1],
    json.dumps({**entry(5), "step": -1}),
    json.dumps({**entry(5), "step": 1.5}),
    json.dumps({**entry(5), "step": "5"}),
    json.dumps({**entry(5), "new": 0.002}),
    json.dumps({**entry(5), "more": "x"}),
    json.dumps(entry(5)).replace('"name"', '"step"'),
    json.dumps(entry(2)),  # before the line above
    json.dumps(entry(5, name="nosuch")),
    json.dumps(entry(5, new="nan")),
    json.dumps(entry(5, new="-1")),
    json.dumps(entry(5, new="1e999")),
    json.dumps(entry(5, new="0,01")),
    json.dumps(entry(5, name="batch", new="221")),
    json.dumps(entry(5, name="batch", new="0")),
    json.dumps(entry(5, name="dropout", new="1")),
    json.dumps(entry(5, name="schedule", new="linear")),
    json.dumps(entry(5, name="momentum", new="0.99999999999")),
    json.dumps({"step": 5, "action": "pause", "value": "", "origin": "x"}),
]


@pytest.mark.parametrize("bad", BAD_LINES)
def test_a_malformed_log_is_not_replayed(program, trained, train, tmp_path, bad):
    run = trained("run", "--steps", 3)
    write_log(run, entry(3), bad, entry(7))
    result = train("--run", "other", "--steps", 20, "--replay-steering", "run")
    assert result.status == 2 and len(result.errors) == 1 and "run/steering.jsonl:2: " in result.errors[0], result
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("bad", BAD_LINES)
def test_a_run_with_a_malformed_log_is_not_resumed(program, trained, bad):
    run = trained("run", "--steps", 20)
    write_log(run, entry(3), bad, entry(17))
    before = snapshot(run.path)
    result = program("train", "--resume", "run", "--steps", 30)
    assert result.status == 2 and len(result.errors) == 1 and "run/steering.jsonl:2: " in result.errors[0], result
    assert snapshot(run.path) == before


def test_a_log_that_is_torn_is_not_replayed(train, trained):
    run = trained("run", "--steps", 3)
    write_log(run, entry(3), entry(7), end="")
    result = train("--run", "other", "--steps", 20, "--replay-steering", "run")
    assert result.status == 2 and len(result.errors) == 1 and "run/steering.jsonl:2: is torn" in result.errors[0], result


@pytest.mark.parametrize("missing", ["run", "run/steering.jsonl", "run/run.json"])
def test_a_run_that_is_not_there_is_not_replayed(train, trained, tmp_path, missing):
    trained("run", "--steps", 3)
    path = tmp_path / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    result = train("--run", "other", "--steps", 20, "--replay-steering", "run")
    assert result.status == 2 and len(result.errors) == 1 and missing in result.errors[0], result


def test_other_options_are_told_in_one_line(train, trained):
    run = trained("run", "--steps", 3)
    write_log(run, entry(3))
    result = train("--run", "other", "--steps", 6, "--seed", 7, "--batch", 10, "--replay-steering", "run")
    assert result.status == 0 and len(result.errors) == 1, result
    for words in ("--replay-steering", "--seed 1", "--batch 20"):
        assert words in result.errors[0]
    assert not train("--run", "same", "--steps", 6, "--replay-steering", "run").errors


def test_actions_are_not_replayed(train, trained, tmp_path):
    run = trained("run", "--steps", 3)
    action = {"action": "stop", "value": "", "origin": "x", "time": "y"}
    write_log(run, {"step": 1, **action}, {"step": 2, **action, "action": "pause"}, entry(2, "pause_at", "0", "4"),
              entry(2, "stop_after_epoch", "0", "1"), entry(2, "overhead", "0.02", "1"), entry(5))
    train("--run", "other", "--steps", 30, "--replay-steering", "run")
    other = Run(tmp_path / "other")
    assert other.last_step() == 30 and turned(other) == [(5, "learning_rate", "0.001", "0.002")]


def test_options_of_a_resumption_are_turns(program, trained, small_set):
    run = trained("run", "--steps", 20, "--schedule", "constant", *EVERY)
    program.good("train", "--resume", run.path, "--steps", 40, "--lr", "0.004", "--schedule", "step,every=7,factor=0.5")
    program.good("train", "--resume", run.path, "--steps", 50, "--lr", "0.004")
    program.good("train", "--resume", run.path, "--steps", 60)
    assert turned(run) == [(20, "learning_rate", "0.001", "0.004"),
                           (20, "schedule", "constant", "step,every=7,factor=0.5")]
    program.good("train", *small_training(small_set), "--run", "again", "--steps", 60, *EVERY, "--replay-steering", "run")
    assert_same(Run(program.folder / "again"), run)


def test_a_resumption_overrules_what_was_turned(program, trained):
    run = trained("run", "--steps", 20)
    write_log(run, entry(3))
    program.good("train", "--resume", run.path, "--steps", 30)
    program.good("train", "--resume", run.path, "--steps", 40, "--lr", "0.001")
    program.good("train", "--resume", run.path, "--steps", 50)
    rates = [row["learning_rate"] for row in run.rows()]
    assert rates[20:] == ["0.002"] * 10 + ["0.001"] * 20
    assert turned(run)[1:] == [(30, "learning_rate", "0.002", "0.001")]


def test_the_end_of_a_run_in_steps_does_not_move(program, small_set):
    process, run = start(program, small_set, "run", "--steps", 2000)
    turn(run.path, batch=50)
    finish(process)
    assert run.last_step() == 2000


def test_a_replay_whose_source_is_gone_can_be_resumed(program, trained, train, tmp_path):
    run = trained("run", "--steps", 3)
    write_log(run, entry(3))
    assert train("--run", "other", "--steps", 20, "--replay-steering", "run").status == 0
    shutil.rmtree(run.path)
    result = program.good("train", "--resume", "other", "--steps", 30)
    assert len(result.errors) == 1 and "steering.jsonl: is gone" in result.errors[0], result
    assert Run(tmp_path / "other").rows()[-1]["learning_rate"] == "0.002"


def test_what_cannot_be_written_down_is_not_turned(program, small_set):
    process = program.start("train", *small_training(small_set), "--run", "run", "--steps", 10**9, "--quiet",
                            before=limited(16000))
    run = Run(program.folder / "run")
    wait_for((run.path / "control").exists, process)
    with Client(run.path) as client:
        for i in range(1000):
            before = client.ask("get")["knobs"]
            answer = client.ask("set", values={"dropout": (i % 50 + 1) / 100, "learning_rate": (i + 1) / 1000})
            if not answer["ok"]:
                break
        assert not answer["ok"] and "steering.jsonl: cannot be written" in answer["error"]
        # Neither of the two, and nothing of the lines.
        assert client.ask("get")["knobs"] == before
        assert turned(run)[-1][3] == before["learning_rate"] and turned(run)[-2][3] == before["dropout"]
        assert (run.path / "steering.jsonl").read_bytes().endswith(b"\n")
        # An action is done all the same.
        assert client.ask("stop")["ok"]
    process.communicate(timeout=30)


def test_stop_after_the_last_epoch(program, small_set):
    process, run = start(program, small_set, "run", "--epochs", 40)
    ask(run.path, "pause")
    turn(run.path, pause_at=39 * 11 + 3)
    ask(run.path, "continue")
    wait_for(lambda: ask(run.path, "status")["state"] == "paused", process)
    turn(run.path, stop_after_epoch=True)
    ask(run.path, "continue")
    out, errors = finish(process)
    assert run.record()["status"] == "complete" and not errors
