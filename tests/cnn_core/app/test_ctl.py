# SPDX-License-Identifier: BSD-3-Clause
"""A training that is asked and told things while it runs, by friends and by whoever else reaches its socket."""

import fcntl
import json
import math
import os
import random
import re
import signal
import socket
import stat
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from conftest import Program, Run, environment, small_training, wait_for
from control import Client, ask, turn

ENDLESS = 10**9
KNOBS = ["learning_rate", "schedule", "momentum", "weight_decay", "dropout", "batch", "merge_threshold", "overhead",
         "live_rate", "pause_at", "stop_after_epoch"]


class Training:
    """A run that trains while the test asks it things."""

    def __init__(self, program, name, options):
        self.program = program
        self.process = program.start("train", "--run", name, *options)
        self.run = Run(program.folder / name)
        self.path = self.run.path
        wait_for((self.path / "control").exists, self.process)

    def ctl(self, *words, **how):
        return self.program("ctl", self.path, *words, **how)

    def good(self, *words):
        return self.program.good("ctl", self.path, *words).out

    def status(self):
        return json.loads(self.good("status", "--json"))

    def wait_for_state(self, state):
        wait_for(lambda: self.status()["state"] == state, self.process)

    def end(self, status=0, within=60):
        out, errors = self.process.communicate(timeout=within)
        assert self.process.returncode == status, (out, errors)
        return out, errors.splitlines()


@pytest.fixture
def training(program, small_set):
    return lambda *options, name="run": Training(program, name, [*small_training(small_set), *options])


@pytest.fixture
def endless(training):
    return training("--steps", ENDLESS, "--checkpoint-every", 1000, "--quiet")


@pytest.fixture
def telling(training):
    """Tells what happens, for tests that are over before a pipe that nobody reads is full."""
    return training("--steps", ENDLESS)


def stands_still(training, seconds=0.3):
    step = training.status()["step"]
    time.sleep(seconds)
    return training.status()["step"] == step and training.run.steps()[-1] == step


# ---- what it tells ----


def test_status(endless):
    wait_for(lambda: endless.status()["step"] > 20)
    status = endless.status()
    assert status["state"] == "training" and status["paused_by"] == "" and status["refused"] == ""
    assert status["pid"] == endless.process.pid and status["total_steps"] == ENDLESS
    assert list(status["knobs"]) == KNOBS
    assert status["images_per_s"] > 0 and 0 <= status["insitu_share"] < 1
    endless.good("pause")
    status = endless.status()
    row = endless.run.rows()[-1]
    assert status["step"] == int(row["step"])
    for name in ("epoch", "loss", "accuracy", "learning_rate"):
        assert status[name] == float(row[name])
    told = endless.good()
    for words in ("paused by ctl, process", f"step          {status['step']} of", "learning_rate    0.001", "live_rate        30"):
        assert words in told


def test_get(endless):
    told = [line.split(" ", 1) for line in endless.good("get").splitlines()]
    assert [name for name, _ in told] == KNOBS
    assert dict(told) == {"learning_rate": "0.001", "schedule": "constant", "momentum": "0.9", "weight_decay": "0",
                          "dropout": "0.2", "batch": "20", "merge_threshold": "0.9", "overhead": "0.02", "live_rate": "30",
                          "pause_at": "0", "stop_after_epoch": "0"}
    assert endless.good("get", "batch", "dropout") == "batch 20\ndropout 0.2\n"
    result = endless.ctl("get", "batch", "nosuch")
    assert result.status == 1 and len(result.errors) == 1 and '"nosuch" is no knob' in result.errors[0]


def test_what_a_training_has_not(training):
    run = training("--steps", ENDLESS, "--quiet", "--optimizer", "sgd", "--net", "conv 2 3x3, relu, linear 10", "--insitu", "none")
    told = run.good("get")
    for name in ("momentum", "dropout", "overhead", "live_rate"):
        assert f"\n{name} -" in told
    for name, words in (("momentum", "sgd has none"), ("dropout", "no such layer"), ("overhead", "--insitu none"),
                        ("live_rate", "--insitu none")):
        result = run.ctl("set", name, "0.5")
        assert result.status == 1 and len(result.errors) == 1 and words in result.errors[0], result


def test_rates_of_dropout_that_differ(training):
    run = training("--steps", ENDLESS, "--quiet", "--net", "dropout 0.1, conv 2 3x3, relu, dropout 0.3, linear 10")
    assert run.good("get", "dropout") == "dropout 0.1/0.3\n"
    run.good("set", "dropout", "0.25")
    assert run.good("get", "dropout") == "dropout 0.25\n"


def test_a_batch_that_memory_does_not_hold(training, mnist):
    run = training("--steps", ENDLESS, "--quiet", "--data", mnist, "--net", "conv 2000 3x3, linear 10", "--batch", "1")
    result = run.ctl("set", "batch", "55000")  # some 690 GB
    assert result.status == 1 and len(result.errors) == 1 and "of memory, and" in result.errors[0], result
    run.good("set", "batch", "2")
    run.good("stop")
    run.end()


# ---- what it is told ----


def test_set_is_used_by_the_next_step(telling):
    telling.good("pause")
    step = telling.status()["step"]
    assert telling.good("set", "learning_rate", "2e-3", "batch", "30").splitlines() == [
        f"learning_rate: 0.001 -> 0.002, from step {step + 1} on", f"batch: 20 -> 30, from step {step + 1} on"]
    telling.good("step", "2")
    telling.wait_for_state("paused")
    rates = [row["learning_rate"] for row in telling.run.rows()]
    assert rates == ["0.001"] * step + ["0.002"] * 2
    telling.good("stop")
    out, _ = telling.end()
    assert f"learning_rate: 0.001 -> 0.002 after step {step}" in out


@pytest.mark.parametrize("values, words", [
    (["learning_rate", "0.5", "batch", "0"], ["batch", '"0"', "1.."]),
    (["learning_rate", "0.5", "batch", "221"], ["batch", "221", "1..220"]),
    (["learning_rate", "0.5", "nosuch", "1"], ['"nosuch"']),
    (["learning_rate", "0"], ["learning_rate", '"0"']),
    (["learning_rate", "1001"], ["learning_rate", '"1001"', "1000"]),
    (["learning_rate", "nan"], ["learning_rate", '"nan"']),
    (["learning_rate", "1e308"], ["learning_rate", '"1e308"']),
    (["learning_rate", "1e999"], ["learning_rate", '"1e999"']),
    (["learning_rate", "0,5"], ["learning_rate", '"0,5"']),
    (["learning_rate", ""], ["learning_rate"]),
    (["learning_rate", "0.5 "], ["learning_rate"]),
    (["learning_rate", "9" * 300], ["learning_rate", "300 bytes"]),
    (["dropout", "0.1", "momentum", "1"], ["momentum", '"1"']),
    (["momentum", "0.999999999999"], ["momentum", "float32"]),
    (["weight_decay", "1.5"], ["weight_decay", '"1.5"']),
    (["dropout", "0.1", "dropout ", "0.2"], ['"dropout "']),
    (["schedule", "linear"], ["schedule", '"linear"']),
    (["schedule", "step,every=0"], ["schedule: every", '"0"']),
    (["schedule", "cosine,floor=2"], ["schedule: floor", '"2"']),
    (["overhead", "0"], ["overhead", '"0"']),
    (["overhead", "1.01"], ["overhead", '"1.01"']),
    (["live_rate", "0.05"], ["live_rate", '"0.05"']),
    (["pause_at", "1"], ["pause_at", "step 1", "not after"]),
    (["pause_at", "1.5"], ["pause_at", '"1.5"']),
    (["stop_after_epoch", "2"], ["stop_after_epoch", '"2"']),
    (["na\nme", "1"], ['"na?me"']),
    (["Ünïcode", "1"], ["no knob"]),
])
def test_what_is_refused_changes_nothing(telling, values, words):
    wait_for(lambda: telling.status()["step"] > 2)
    before = telling.good("get")
    result = telling.ctl("set", *values)
    assert result.status == 1 and len(result.errors) == 1 and not result.out, result
    for word in words:
        assert word in result.errors[0]
    assert telling.good("get") == before
    assert telling.status()["refused"] in result.errors[0]
    assert (telling.path / "steering.jsonl").read_text() == ""
    telling.good("set", "dropout", "0.3")
    assert telling.status()["refused"] == ""


def test_pause_and_continue(telling):
    telling.good("pause")
    assert stands_still(telling)
    # The knobs answer, and the time of rest is not the training's.
    telling.good("set", "dropout", "0.5")
    step, seconds = telling.status()["step"], telling.status()["time_s"]
    assert re.fullmatch(r"ctl, process \d+", telling.status()["paused_by"])
    telling.good("pause")
    assert telling.status()["time_s"] == seconds
    assert telling.good("continue") == f"goes on after step {step}\n"
    wait_for(lambda: telling.status()["step"] > step)
    assert telling.status()["state"] == "training"
    telling.good("pause")
    telling.good("resume")
    telling.wait_for_state("training")
    telling.good("stop")
    out, _ = telling.end()
    assert len(re.findall(rf"^paused by ctl, process \d+ after step {step} ", out, re.MULTILINE)) == 1
    assert len(re.findall(rf"^goes on after step {step} ", out, re.MULTILINE)) == 1
    times = [float(row["time_s"]) for row in telling.run.rows()]
    assert times[step] - times[step - 1] < 0.3


def test_step(endless):
    endless.good("pause")
    step = endless.status()["step"]
    for words, count in (((), 1), (("5",), 5), (("1",), 1)):
        endless.good("step", *words)
        endless.wait_for_state("paused")
        step += count
        assert endless.status()["step"] == step and stands_still(endless, 0.1)


def test_pause_at(endless):
    endless.good("pause")
    step = endless.status()["step"] + 300
    endless.good("set", "pause_at", step)
    endless.good("continue")
    wait_for(lambda: endless.status()["step"] == step)
    endless.wait_for_state("paused")
    status = endless.status()
    assert (status["step"], status["paused_by"], status["knobs"]["pause_at"]) == (step, "pause_at", "0")
    endless.good("continue")
    wait_for(lambda: endless.status()["step"] > step)


def test_checkpoint(endless):
    endless.good("pause")
    step = endless.status()["step"]
    assert endless.good("checkpoint") == f"saved the state after step {step}\n"
    assert endless.run.last_step() == step and endless.run.saved_steps()[-1] == step
    assert endless.run.record()["step"] == step
    endless.good("checkpoint")


@pytest.mark.parametrize("paused", [False, True])
def test_stop(endless, paused):
    if paused:
        endless.good("pause")
    told = int(re.fullmatch(r"ends after step (\d+)\n", endless.good("stop")).group(1))
    _, errors = endless.end(0)
    assert endless.run.last_step() == told and endless.run.steps()[-1] == told
    assert endless.run.record()["status"] == "interrupted"
    assert "ended by ctl, process" in errors[-1] and "--resume run" in errors[-1]
    assert not (endless.path / "control").exists()
    endless.program.good("train", "--resume", "run", "--steps", told + 1)


def test_stop_after_epoch(endless):
    endless.good("stop-after-epoch")
    out, errors = endless.end(0)
    step = endless.run.last_step()
    assert step % 11 == 0 and endless.run.rows()[-1]["validation_loss"]
    assert "ended by stop_after_epoch" in errors[-1]
    # Once: a resumed run does not stop again.
    endless.program.good("train", "--resume", "run", "--steps", step + 30)
    assert endless.run.last_step() == step + 30


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_a_rest(endless, number):
    endless.good("pause")
    step = endless.status()["step"]
    endless.process.send_signal(number)
    endless.end(128 + number, within=10)
    assert endless.run.last_step() == step


def test_whoever_paused_may_be_dead(endless):
    """The client that paused has ended long ago; the state is told, and anybody of the user's may go on."""
    with Client(endless.path) as client:
        assert client.ask("pause")["ok"]
    assert endless.status()["state"] == "paused"
    endless.good("continue")
    endless.wait_for_state("training")


# ---- when nothing trains ----


def test_a_run_that_has_ended(program, trained):
    trained("run", "--steps", 7)
    for words in ([], ["pause"], ["set", "batch", "3"]):
        result = program("ctl", "run", *words)
        assert result.status == 1 and len(result.errors) == 1, result
        assert "run does not train: it ended at step 7" in result.errors[0]


def test_a_run_that_was_killed(program, endless):
    wait_for(lambda: endless.status()["step"] > 5)
    endless.process.kill()
    endless.process.communicate()
    assert (endless.path / "control").exists()
    last = endless.run.steps()[-1]
    result = program("ctl", "run")
    assert result.status == 1 and len(result.errors) == 1, result
    assert f"run does not train: it was killed at step {last}" in result.errors[0]
    info = json.loads(program.good("info", "--json", "run").out)
    assert (info["status"], info["killed_at_step"]) == ("killed", last)
    assert f"killed at step {last}" in program.good("info", "run").out
    # What it has left behind is no obstacle.
    process = program.start("train", "--resume", "run", "--steps", last + ENDLESS)
    wait_for(lambda: program("ctl", "run").status == 0, process)
    process.kill()
    process.communicate()


def test_no_run(program, tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("nosuch", "empty"):
        result = program("ctl", name, "pause")
        assert result.status == 2 and len(result.errors) == 1 and name in result.errors[0], result


def test_one_that_begins(program, trained):
    """Its record comes last, and whoever asks before that waits for it."""
    run = trained("run", "--steps", 1)
    record, aside = run.path / "run.json", run.path / "aside"
    record.rename(aside)
    folder = os.open(run.path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        asked = program.start("ctl", "run", "status")
        with pytest.raises(subprocess.TimeoutExpired):
            asked.communicate(timeout=1)
        aside.rename(record)
        _, errors = asked.communicate(timeout=30)
    finally:
        os.close(folder)
    assert asked.returncode == 1 and "somebody is at work there" in errors


def test_one_that_does_not_answer(endless):
    endless.process.send_signal(signal.SIGSTOP)
    try:
        result = endless.ctl("--wait", "0.3")
    finally:
        endless.process.send_signal(signal.SIGCONT)
    assert result.status == 1 and len(result.errors) == 1 and "does not answer" in result.errors[0], result


# ---- the socket ----


def test_its_place_and_mode(endless):
    about = os.stat(endless.path / "control")
    assert stat.S_ISSOCK(about.st_mode) and stat.S_IMODE(about.st_mode) == 0o600
    assert not (endless.path / ".control.tmp").exists()
    endless.good("stop")
    endless.end()
    assert not (endless.path / "control").exists()


def test_a_path_longer_than_an_address(training, tmp_path):
    name = "/".join(["a" * 100, "b" * 100, "run"])
    run = training("--steps", ENDLESS, "--quiet", name=name)
    assert run.status()["state"] == "training"
    run.good("stop")
    run.end()


def test_a_place_that_is_taken(program, trained):
    """Without a socket the training goes on all the same; what is there stays."""
    run = trained("run", "--steps", 5)
    (run.path / "control").mkdir()
    result = program.good("train", "--resume", "run", "--steps", 10)
    assert len(result.errors) == 1 and "run/control" in result.errors[0] and "ctl cannot reach" in result.errors[0]
    assert (run.path / "control").is_dir() and run.last_step() == 10


def as_nobody(action):
    """Runs action() in a child that is another user; returns what it says."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            said = action()
        except OSError as error:
            said = type(error).__name__
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        said = file.read()
    os.waitpid(child, 0)
    return said


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_another_user_is_not_let_in(weightscape, small_set):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        program = Program(weightscape, Path(folder))
        run = Training(program, "run", [*small_training(small_set), "--steps", ENDLESS, "--quiet"])
        try:
            def pause():
                with Client(run.path) as client:
                    client.send(b'{"command":"pause"}\n')
                    return str(client.answer())

            assert as_nobody(pause) == "PermissionError"
            # Somebody has opened the door: who comes through it is looked at.
            os.chmod(run.path / "control", 0o777)
            assert as_nobody(pause) in ("None", "BrokenPipeError", "ConnectionResetError")
            assert run.status()["state"] == "training"
        finally:
            program.close()


def inodes_of(pid):
    found = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        try:
            name = os.readlink(path)
        except FileNotFoundError:
            continue
        if name.startswith("socket:["):
            found.add(name[8:-1])
    return found


def test_nothing_listens_but_the_unix_socket(endless):
    inodes = inodes_of(endless.process.pid)
    internet = [line.split()[9] for kind in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6")
                if (path := Path(f"/proc/{endless.process.pid}/net/{kind}")).exists()
                for line in path.read_text().splitlines()[1:]]
    assert not inodes & set(internet)
    listening = [fields for line in Path(f"/proc/{endless.process.pid}/net/unix").read_text().splitlines()[1:]
                 if (fields := line.split())[6] in inodes and int(fields[3], 16) & 0x10000]
    assert len(listening) == 1


# ---- clients that behave badly ----


def random_bytes(draw):
    return bytes(draw.randrange(256) for _ in range(draw.randrange(1, 60)))


def nearly_right(draw):
    """A request of which one thing is wrong."""
    name = draw.choice(KNOBS + ["nosuch", "", "na\nme", "x" * 500, "learning_rate\0"])
    bad = [None, [], {}, [1], "nan", "inf", "-inf", "1e308", "-1", "", " 1", "1 ", "0x10", "1e999", "9" * 400, -1, 1e308,
           -1e308, 2**62, "\n", "\u2028", "null", "true "]
    return json.dumps({"command": "set", "values": {name: draw.choice(bad)}}).encode()


WRONG = [
    b'{"command":"set","values":{"learning_rate":NaN}}', b'{"command":"set","values":{"learning_rate":Infinity}}',
    b'{"command":"set","values":{"learning_rate":1e999}}', b'{"command":"set","values":{"batch":30},"values":{"batch":40}}',
    b'{"command":"set","values":{"batch":30,"batch":40}}', b'{"command":"set","values":[["batch",30]]}',
    b'{"command":"set","values":{"batch":30,"dropout":"x"}}', b'{"command":"set"}', b'{"command":"set","values":{}}',
    b'{"command":"set","values":{"batch":30},"more":1}', b'{"command":"set","values":{"batch":30.5}}',
    b'{"command":"step","count":0}', b'{"command":"step","count":"x"}', b'{"command":"step","count":[]}',
    b'{"command":"pause","count":1}', b'{"command":"stop","now":true}', b'{"command":"nosuch"}', b'{"command":3}',
    b'{"command":"get","names":"batch"}', b'{"command":"get","names":[1]}', b'{"command":"get","names":["nosuch"]}',
    b'{"command":"pause"', b'"pause"', b"pause", b"", b"[]", b"{}", b"null", b"0", b"[" * 5000, b'{"a":' * 3000,
    b'{"command":"pause"}{"command":"pause"}', b'\xff\xfe{"command":"pause"}', b'{"command":"pa\xffuse"}', b"\0" * 50,
    b'{"command":"pause\\u0000"}', b'{"command": "set", "values": {"batch": "30\\u0000"}}', b"\r",
]


def make_line(draw):
    return draw.choice([lambda: draw.choice(WRONG), lambda: nearly_right(draw),
                        lambda: random_bytes(draw).replace(b"\n", b"") + b"\xfe"])()


def test_ten_thousand_malformed_requests(training, trained):
    """None is applied, none is fatal, and the bits are those of a run that nobody has asked anything."""
    steps = 2000
    quiet = trained("quiet", "--steps", steps)
    run = training("--steps", steps)
    run.good("pause")
    draw = random.Random(4)
    refused = sent = 0
    client = Client(run.path)
    while sent < 10000:
        if sent == 2000:
            # It rests again before its end, however fast it trains.
            run.good("set", "pause_at", steps - 10)
            run.good("continue")
        batch = [make_line(draw) for _ in range(100)]
        # Also in pieces, and as the end of a connection.
        data = b"\n".join(batch) + b"\n"
        cut = draw.randrange(len(data))
        client.send(data[:cut])
        client.send(data[cut:])
        sent += len(batch)
        for _ in batch:
            answer = client.answer()
            assert answer["ok"] is False and answer["error"] and "\n" not in answer["error"]
            refused += 1
        if sent % 1000 == 0:
            client.send(b'{"command":"pause"')
            client.close()
            client = Client(run.path)
    # Lines of 1 MB: one answer each, and the next line is understood.
    for fill in (b"x", b"[", b"\0", b'{"command":"pause"} '):
        client.send(fill * (2**20 // len(fill)) + b"\n")
        assert "longer than" in client.answer()["error"]
    assert client.ask("status")["ok"]
    client.close()
    assert refused == 10000
    run.wait_for_state("paused")
    run.good("continue")
    run.end()
    assert run.run.last.read_bytes() == quiet.last.read_bytes()
    assert run.run.numbers() == quiet.numbers()
    log = [json.loads(line) for line in (run.path / "steering.jsonl").read_text().splitlines()]
    assert [line["action"] for line in log if "action" in line] == ["pause", "continue", "pause", "continue"]


def test_the_longest_line_that_is_taken(endless):
    with Client(endless.path) as client:
        line = b'{"command":"get"' + b" " * (65535 - 17) + b"}"
        client.send(line + b"\n")
        assert client.answer()["ok"]
        client.send(line + b" \n")
        assert "longer than 65535" in client.answer()["error"]


def test_who_does_not_read_holds_nobody_up(endless):
    deaf = Client(endless.path, within=2)
    request = b'{"command":"status"}\n'
    sent = 0
    with pytest.raises(TimeoutError):
        for sent in range(100000):
            deaf.send(request)
    step = endless.status()["step"]
    wait_for(lambda: endless.status()["step"] > step + 100)
    # Every request has its answer when it is read at last.
    deaf.socket.settimeout(30)
    assert sent > 100
    for _ in range(sent):
        assert deaf.answer()["ok"]
    deaf.close()


def test_many_clients(endless):
    """More than there are places: who has been there keeps its own for a while, and one that is left is free."""
    clients = [Client(endless.path) for _ in range(16)]
    for client in clients:
        assert client.ask("get")["ok"]
    late = Client(endless.path)
    assert late.answer() is None
    clients.pop().close()
    assert ask(endless.path, "get")["ok"]
    for client in clients:
        assert client.ask("get")["ok"]
        client.close()


def test_clients_that_vanish(endless):
    draw = random.Random(7)
    for _ in range(300):
        client = Client(endless.path)
        client.send(draw.choice([b"", b"{", b'{"command":"status"}\n' * 20, b"\n", b'{"command":"get"}']))
        client.close()
    step = endless.status()["step"]
    wait_for(lambda: endless.status()["step"] > step)


def test_a_client_that_ends_its_requests_gets_its_answers(endless):
    with Client(endless.path) as client:
        client.send(b'{"command":"get"}\n{"command":"status"}\n{"command":"ge')
        client.socket.shutdown(socket.SHUT_WR)
        assert client.answer()["knobs"] and client.answer()["state"] and client.answer() is None


def test_any_locale_and_any_umask(program, small_set):
    run = Training(program, "run", [*small_training(small_set), "--steps", ENDLESS, "--quiet"])
    assert run.ctl("set", "learning_rate", "0.5", env=environment(LC_ALL="de_DE.UTF-8")).status == 0
    run.good("stop")
    run.end()
    for mask in (0, 0o777):
        process = program.start("train", "--resume", "run", "--steps", f"+{ENDLESS}", "--quiet", before=lambda: os.umask(mask))
        wait_for(lambda: program("ctl", "run").status == 0, process)
        assert stat.S_IMODE(os.stat(run.path / "control").st_mode) == 0o600
        ask(run.path, "stop")
        process.communicate(timeout=30)


def test_status_is_json_where_numbers_are_not_finite(training):
    run = training("--steps", ENDLESS, "--quiet", "--on-nan", "continue", "--optimizer", "sgd")
    turn(run.path, learning_rate=1000)
    wait_for(lambda: run.status()["loss"] is None or math.isfinite(run.status()["loss"]))
    run.good("pause")
    turn(run.path, learning_rate=0.1)
    run.good("step", 1)
    run.wait_for_state("paused")
    status = run.status()
    assert status["loss"] is None or math.isfinite(status["loss"])
    if status["loss"] is None:
        result = run.ctl("checkpoint")
        assert result.status == 1 and "not finite" in result.errors[0]
