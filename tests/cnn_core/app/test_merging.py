# SPDX-License-Identifier: BSD-3-Clause
"""Filters are merged while a network trains: by schedule and by hand, to the same bits again, and undone to the bit."""

import json
import math
import shutil

import make_files
import numpy as np
import pytest
from conftest import Run, snapshot, wait_for
from control import Client, ask, turn
from test_steering import assert_same, entry, finish, lines, turned

NET = "conv 6 3x3, relu, maxpool 2, conv 6 3x3, relu, dropout 0.2, linear 16, relu, linear 10"
MERGED = "conv 4 3x3, relu, maxpool 2, conv 4 3x3, relu, dropout 0.2, linear 16, relu, linear 10"
EXACT = ["--checkpoint-every", 10, "--keep-checkpoints", 0, "--insitu", "none"]
KEEP = "keep=4,probe=40"
FIRST = 5


def options(small_set, *more):
    return ["train", "--data", small_set, "--net", NET, "--batch", 20, *EXACT, *more]


@pytest.fixture
def call(program, small_set):
    """call('name', '--steps', 20, ...): the Run of such a call, which must succeed."""

    def make(name, *more):
        result = program.good(*options(small_set, "--run", name, *more))
        run = Run(program.folder / name)
        run.out, run.errors = result.out, result.errors
        return run

    return make


@pytest.fixture
def resting(program, small_set):
    """resting('name', step): a run that rests after that step, and its process."""

    def make(name, step, *more):
        # A breakpoint that is there when the training begins: it cannot be too fast for the test.
        program.good(*options(small_set, "--run", name, "--steps", FIRST, *more))
        run = Run(program.folder / name)
        (run.path / "steering.jsonl").write_text(json.dumps(entry(FIRST, "pause_at", "0", str(step))) + "\n")
        process = program.start("train", "--resume", name, "--steps", 10**6)
        wait_for((run.path / "control").exists, process)
        wait_for(lambda: is_resting(run, step), process)
        checkpoint(run, FIRST).unlink()
        return run, process

    return make


def rest_at(run, process, step):
    now = ask(run.path, "status")["step"]
    if now < step:
        ask(run.path, "step", count=step - now)
    wait_for(lambda: is_resting(run, step), process)


def is_resting(run, step):
    status = ask(run.path, "status")
    return status["state"] == "paused" and status["step"] == step


def checkpoint(run, step):
    return run.checkpoints / f"step_{step:08}.safetensors"


def before(run, number):
    return run.checkpoints / f"before_merge_{number}.safetensors"


def shapes(path):
    return {name: values.shape for name, values in make_files.read_safetensors(path)[0].items()}


def merges(run):
    return [line for line in lines(run) if line.get("action") == "merge"]


# ---- by schedule ----

def test_merge_in_mid_run(call):
    run = call("run", "--steps", 60, "--merge", f"at=50,{KEEP}")
    wide, narrow = shapes(checkpoint(run, 40)), shapes(run.last)
    assert wide["conv1.weight"] == (6, 1, 3, 3) and wide["conv2.weight"] == (6, 6, 3, 3)
    assert narrow["conv1.weight"] == (4, 1, 3, 3) and narrow["conv2.weight"] == (4, 4, 3, 3)
    for moment in ("exp_avg", "exp_avg_sq"):
        for name in ("conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "fc1.weight"):
            assert narrow[f"optimizer.{name}.{moment}"] == narrow[name]
    # The checkpoint of the step is of the merged network, the one beside it of the state before.
    assert shapes(checkpoint(run, 50)) == narrow and shapes(before(run, 1)) == wide
    assert make_files.read_safetensors(before(run, 1))[1]["step"] == "50"
    assert run.steps() == list(range(1, 61))
    assert all(math.isfinite(float(row["conv1_distance_l2"])) for row in run.rows())
    record = run.record()
    assert record["options"]["net"] == NET and record["net"]["spec"] == MERGED
    assert record["options"]["merge"] == f"at=50,{KEEP}"

    told = [line for line in run.out.splitlines() if "merge" in line]
    assert len(told) == 3, told
    for layer, line in zip(("conv1", "conv2"), told):
        for words in ("merge after step 50", f"{layer} 6 -> 4 filters, groups ", "predicted change of the loss", "40 images"):
            assert words in line
    for words in ("merged after step 50 (train --merge): conv1 6 -> 4, conv2 6 -> 4", "on 20 validation images"):
        assert words in told[2]


def test_the_log_tells_predicted_and_measured(program, small_set, call):
    run = call("run", "--steps", 50, "--merge", f"at=50,{KEEP}")
    line, = merges(run)
    assert (line["step"], line["origin"]) == (50, "train --merge")
    assert line["value"] == "layers=conv1+conv2,method=similar,keep=4,minimum=1,probe=40"
    result = line["result"]
    assert result["net"] == MERGED and (result["measured_on"], result["images"]) == ("validation", 20)
    assert [(layer["layer"], layer["before"], layer["after"]) for layer in result["layers"]] == \
        [("conv1", 6, 4), ("conv2", 6, 4)]
    for layer in result["layers"]:
        members = [unit for group in layer["groups"] for unit in group]
        assert len(members) == len(set(members)) and len(layer["kept"]) == 4
        assert 6 - len(members) + len(layer["groups"]) == 4
        assert all(sum(unit in layer["kept"] for unit in group) == 1 for group in layer["groups"])
    assert sum(layer["measured"] for layer in result["layers"]) == pytest.approx(result["measured"], abs=1e-12)
    # What `eval` finds, before and after.
    for path, loss in ((before(run, 1), "loss_before"), (run.last, "loss_after")):
        found = json.loads(program.good("eval", "--data", small_set, "--set", "validation", "--json", path).out)
        assert found["loss"] == pytest.approx(result[loss], rel=1e-12)
    assert result["measured"] == pytest.approx(result["loss_after"] - result["loss_before"], abs=1e-15)


@pytest.mark.parametrize("more", [(), ("--optimizer", "momentum", "--momentum", "0.9"), ("--optimizer", "sgd")])
def test_a_run_that_stops_right_after_a_merge_goes_on_to_the_same_bits(program, call, more):
    whole = call("whole", "--steps", 60, "--merge", f"at=50,{KEEP}", *more)
    part = call("part", "--steps", 50, "--merge", f"at=50,{KEEP}", *more)
    assert part.last.read_bytes() == checkpoint(whole, 50).read_bytes()
    result = program.good("train", "--resume", "part", "--steps", 60)
    assert not result.errors and "merge" not in result.out
    assert_same(part, whole)
    assert len(merges(part)) == 1


def test_threads_change_no_bit(call):
    one = call("one", "--steps", 40, "--merge", f"every=1epoch,{KEEP}", "--threads", 1)
    two = call("two", "--steps", 40, "--merge", f"every=1epoch,{KEEP}", "--threads", 2)
    assert len(merges(one)) == 1
    assert_same(one, two)


@pytest.mark.parametrize("spec, steps", [
    ("at=7+1epoch+30steps,most=1,layers=conv1,threshold=-1", [7, 11, 30]),
    ("every=10,from=15,until=30,most=1,layers=conv1,threshold=-1", [20, 30]),
    ("every=2epochs,most=1,layers=conv2,threshold=-1", [22]),
    ("every=1epoch,from=2epochs,until=2epochs,most=2,layers=conv2,method=norm", [22]),
    ("every=5,until=12,keep=3+2,threshold=-1,most=1", [5, 10]),
])
def test_when_it_merges(call, spec, steps):
    run = call("run", "--steps", 33, "--merge", spec + ",probe=40")
    assert [line["step"] for line in merges(run)] == steps


@pytest.mark.parametrize("method", ["norm", "random"])
def test_other_methods_leave_units_out(call, method):
    run = call("run", "--steps", 12, "--merge", f"at=10,layers=conv1,keep=4,probe=40,method={method}")
    layer, = merges(run)[0]["result"]["layers"]
    assert layer["groups"] == [] and len(layer["kept"]) == 4
    if method == "norm":
        weights = make_files.read_safetensors(before(run, 1))[0]["conv1.weight"].reshape(6, -1)
        assert layer["kept"] == sorted(np.argsort(np.linalg.norm(weights, axis=1))[2:])
    assert "without " in run.out


def test_a_linear_layer(call):
    run = call("run", "--steps", 12, "--merge", "at=10,layers=fc1,keep=9,probe=40")
    assert shapes(run.last)["fc1.weight"][0] == 9 and shapes(run.last)["fc2.weight"] == (10, 9)
    assert "fc1 16 -> 9 units" in run.out


def test_nothing_is_similar_enough(call):
    """Tried twice, told twice, and the bits are those of a run that never tries."""
    run = call("run", "--steps", 30, "--merge", "at=10+20,threshold=1,probe=40")
    plain = call("plain", "--steps", 30)
    assert run.out.count("nothing to merge") == 2 and not merges(run) and not run.errors
    assert_same(run, plain)


def test_a_merge_beyond_its_bound_is_refused(call):
    run = call("run", "--steps", 30, "--merge", "at=20,threshold=-1,keep=1,probe=40,bound=0")
    plain = call("plain", "--steps", 30)
    told = [line for line in run.errors if "merge after step 20 refused: conv" in line]
    assert len(told) == 2 and all("above bound=0" in line and " -> 1 filters" in line for line in told), run.errors
    assert not merges(run) and not before(run, 1).exists()
    assert_same(run, plain)


def test_the_bound_is_on_the_whole_merge(call):
    """A layer that would take the loss too far stays, and the other one is merged all the same."""
    free = merges(call("free", "--steps", 20, "--merge", f"at=20,{KEEP}"))[0]["result"]
    first, second = free["layers"]
    changes = [first["predicted"], free["predicted"]]
    assert min(changes) >= 0, "the example shows nothing"
    bound = sum(changes) / 2
    run = call("run", "--steps", 20, "--merge", f"at=20,{KEEP},bound={bound!r}")
    layer, = merges(run)[0]["result"]["layers"]
    assert layer["layer"] == "conv1" and layer["predicted"] == first["predicted"] <= bound
    assert sum("refused: conv2" in line for line in run.errors) == 1


def test_a_state_that_is_not_finite_is_not_merged(program, small_set):
    result = program(*options(small_set, "--run", "run", "--steps", 20, "--lr", 1e30, "--on-nan", "continue", "--merge",
                              f"every=5,{KEEP}"))
    assert result.status == 0 or result.status == 1, result
    run = Run(program.folder / "run")
    assert not merges(run) and run.steps() == list(range(1, 21))


def test_a_time_that_never_comes_is_told(call):
    run = call("run", "--steps", 20, "--merge", f"at=10+1epoch+21+2epochs,{KEEP}")
    assert [line for line in run.errors if "after the end" in line] == \
        ["weightscape train: note: --merge: at=21 is after the end, step 20",
         "weightscape train: note: --merge: at=2epochs is after the end, step 20"]
    assert [line["step"] for line in merges(run)] == [10]


# ---- what is refused before anything is begun ----

@pytest.mark.parametrize("spec, words", [
    ("", ["--merge"]),
    ("threshold", ["\"threshold\" is not key=value"]),
    ("threshold=0.9,", ["\"\" is not key=value"]),
    ("threshold=", ["threshold"]),
    ("threshold=1.1", ["threshold", "1.1"]),
    ("threshold=-1.5", ["threshold", "-1.5"]),
    ("threshold=nan", ["threshold", "nan"]),
    ("threshold=0,9", ["\"9\" is not key=value"]),
    ("treshold=0.9", ["unknown key \"treshold\"", "known: threshold, keep"]),
    ("keep=0", ["keep", "\"0\""]),
    ("keep=7", ["keep: 7 is more than the 6 of \"conv1\""]),
    ("keep=4+", ["keep"]),
    ("keep=4+3+2", ["keep: 3 numbers for 2 layers"]),
    ("keep=4+3,layers=conv1", ["keep: 2 numbers for 1 layers"]),
    ("keep=2,minimum=3", ["keep: 2 is below minimum=3"]),
    ("most=0", ["most"]),
    ("minimum=0", ["minimum"]),
    ("layers=conv3", ["layers", "conv3"]),
    ("layers=relu1", ["layers", "relu1"]),
    ("layers=fc2", ["layers", "fc2"]),
    ("layers=conv1+conv1", ["layers: \"conv1\" is named twice"]),
    ("layers=conv1+", ["layers: \"\" is no name"]),
    ("at=0", ["at", "\"0\""]),
    ("at=5weeks", ["at", "\"5weeks\"", "2epochs"]),
    ("at=-5", ["at", "\"-5\""]),
    ("at=5,every=6", ["at and every exclude each other"]),
    ("from=5", ["from needs every"]),
    ("until=5,at=3", ["until needs every"]),
    ("every=5,from=9,until=8", ["from=9 is after until=8"]),
    ("bound=-0.1", ["bound", "-0.1"]),
    ("bound=inf", ["bound", "inf"]),
    ("probe=0", ["probe"]),
    ("probe=1e3", ["probe", "1e3"]),
    ("method=magic", ["method: \"magic\" is not one of similar, norm, random"]),
    ("method=norm", ["method=norm needs keep or most"]),
    ("method=random,keep=4,threshold=0.9", ["threshold: method=random"]),
    ("threshold=0.9,threshold=0.8", ["threshold is there twice"]),
])
def test_a_malformed_line_is_refused(program, small_set, spec, words):
    result = program(*options(small_set, "--run", "run", "--steps", 5, "--merge", spec))
    assert result.status == 2 and len(result.errors) == 1 and "--merge" in result.errors[0], result
    for word in words:
        assert word in result.errors[0], result
    assert not (program.folder / "run").exists()


def test_a_network_without_convolutions(program, small_set):
    call = ["train", "--data", small_set, "--net", "linear 8, relu, linear 10", "--run", "run", "--steps", 5, "--insitu", "none"]
    result = program(*call, "--merge", "threshold=0.9")
    assert result.status == 2 and "no convolution" in result.errors[0], result
    program.good(*call, "--merge", "at=3,keep=5,layers=fc1,probe=40")


# ---- resumption ----

def test_another_line_of_a_resumption(program, call):
    run = call("run", "--steps", 20)
    result = program("train", "--resume", "run", "--steps", 40, "--merge", "keep=9")
    assert result.status == 2 and "keep: 9 is more" in result.errors[0], result
    program.good("train", "--resume", "run", "--steps", 40, "--merge", f"at=20+30,{KEEP}")
    assert [line["step"] for line in merges(run)] == [30]
    program.good("train", "--resume", "run", "--steps", 50)
    assert run.record()["options"]["merge"] == f"at=20+30,{KEEP}"
    program.good("train", "--resume", "run", "--steps", 60, "--merge", "none")
    assert [line["step"] for line in merges(run)] == [30]
    # The line that tells the network is the one that it began with.
    program.good("train", "--resume", "run", "--steps", 61, "--net", NET)
    result = program("train", "--resume", "run", "--steps", 62, "--net", MERGED)
    assert result.status == 2 and "--net" in result.errors[0], result


def test_killed_right_after_a_merge(program, small_set, call):
    """The merge is in the checkpoint and in the log, or in neither."""
    whole = call("whole", "--steps", 60, "--merge", f"at=50,{KEEP}")
    part = call("part", "--steps", 50, "--merge", f"at=50,{KEEP}")
    # Killed between the line of the log and the checkpoint: the newest state is of before.
    for path in (part.last, checkpoint(part, 50)):
        path.unlink()
        shutil.copy(before(part, 1), path)
    result = program("train", "--resume", "part", "--steps", 50)
    assert result.status == 0 and not merges(part), result
    assert not before(part, 1).exists()
    # Killed before any checkpoint of that step: it is made again.
    part = call("again", "--steps", 50, "--merge", f"at=50,{KEEP}")
    checkpoint(part, 50).unlink()
    part.last.unlink()
    shutil.copy(checkpoint(part, 40), part.last)
    program.good("train", "--resume", "again", "--steps", 60)
    assert_same(part, whole)
    assert [line["step"] for line in merges(part)] == [50]


def test_killed_at_once(program, resting, small_set):
    run, process = resting("run", 20)
    ask(run.path, "merge", spec=KEEP)
    process.kill()
    process.communicate()
    program.good("train", "--resume", "run", "--steps", 40)
    assert shapes(run.last)["conv1.weight"] == (4, 1, 3, 3) and len(merges(run)) == 1
    program.good(*options(small_set, "--run", "again", "--steps", 40, "--replay-steering", "run"))
    assert Run(program.folder / "again").last.read_bytes() == run.last.read_bytes()


# ---- the walk ----

def cells_and_signs(count):
    """Of the elements of a sketch: docs/channels.md, and the finaliser of splitmix64."""
    x = np.arange(count, dtype=np.uint64) ^ np.uint64(0x5745494748545343)
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x = x ^ (x >> np.uint64(31))
    return (x & np.uint64(63)).astype(int), np.where(x >> np.uint64(63), -1, 1)


def sketches(run):
    """Of each row of the run's history, by layer."""
    data = (run.path / "history.ws").read_bytes()
    size = int.from_bytes(data[8:16], "little")
    columns = json.loads(data[16:16 + size])["columns"]
    rows = np.frombuffer(data[16 + size:], [(name, kind, (count,)) for name, kind, count in columns])
    return {layer: rows[f"{layer}_sketch"] for layer in ("conv1", "conv2")}


def sketch_of(path, layer):
    """In the places that filters and channels had when the run began; those that are gone have made no way."""
    tensors = make_files.read_safetensors(path)[0]
    weight = tensors[f"{layer}.weight"]
    whole = np.zeros((6, 1 if layer == "conv1" else 6, 3, 3))
    filters = tensors.get(f"source.{layer}", np.arange(6)).astype(int)
    channels = tensors.get("source.conv1", np.arange(6)).astype(int) if layer == "conv2" else [0]
    whole[np.ix_(filters, channels)] = weight.astype(float) - tensors[f"initial.{layer}.weight"]
    cells, signs = cells_and_signs(whole.size)
    return np.bincount(cells, signs * whole.ravel(), 64)


def test_who_stays_keeps_its_place_in_the_walk(program, call):
    run = call("run", "--steps", 40, "--merge", f"at=20,{KEEP}")
    for layer, found in sketches(run).items():
        for step in (30, 40):
            np.testing.assert_allclose(found[step], sketch_of(checkpoint(run, step), layer), atol=1e-6)
    # From one session to the next, too.
    part = call("part", "--steps", 25, "--merge", f"at=20,{KEEP}")
    program.good("train", "--resume", "part", "--steps", 40)
    for layer in ("conv1", "conv2"):
        np.testing.assert_array_equal(sketches(part)[layer], sketches(run)[layer])


# ---- replay ----

def test_a_replay_has_the_same_bits(program, small_set, resting):
    """Merges by schedule and by hand, knobs in between: replayed with --merge and without it."""
    spec = "at=20+60,layers=conv1,most=1,threshold=-1,probe=40"
    run, process = resting("run", 15, "--merge", spec)
    turn(run.path, learning_rate=0.003, merge_threshold=0.1)
    rest_at(run, process, 30)
    ask(run.path, "merge", spec="layers=conv2,keep=4,probe=30")
    turn(run.path, dropout=0.4, batch=13)
    ask(run.path, "merge", spec="layers=fc1,keep=9,probe=30")
    rest_at(run, process, 40)
    ask(run.path, "merge")
    rest_at(run, process, 70)
    ask(run.path, "stop")
    finish(process)
    assert [line["step"] for line in merges(run)] == [20, 30, 30, 40, 60]
    assert "threshold=0.1" in merges(run)[3]["value"]
    for name, more in (("with", ["--merge", spec]), ("without", [])):
        result = program.good(*options(small_set, "--run", name, "--steps", 70, "--threads", 1, *more, "--replay-steering",
                                       "run"))
        again = Run(program.folder / name)
        assert not result.errors
        assert_same(again, run)
        assert [line["result"] for line in merges(again)] == [line["result"] for line in merges(run)]
        assert [(step, name, new) for step, name, _, new in turned(again)] == \
            [(step, name, new) for step, name, _, new in turned(run)[1:]]
    # A replay that is killed goes on, and its log can be replayed.
    part = Run(program.folder / "part")
    shutil.copytree(program.folder / "with", part.path)
    for step in (60, 70):
        checkpoint(part, step).unlink()
    part.last.unlink()
    program.good("train", "--resume", "part")
    assert_same(part, run)
    program.good(*options(small_set, "--run", "third", "--steps", 70, "--replay-steering", "part"))
    assert_same(Run(program.folder / "third"), run)


def test_the_schedule_goes_on_after_the_log(program, small_set, call):
    spec = "every=10,layers=conv1,most=1,threshold=-1,probe=40"
    whole = call("whole", "--steps", 40, "--merge", spec)
    call("part", "--steps", 20, "--merge", spec)
    again = call("again", "--steps", 40, "--merge", spec, "--replay-steering", "part")
    assert [line["origin"].split()[0] for line in merges(again)] == ["replay", "replay", "train", "train"]
    assert_same(again, whole)


@pytest.mark.parametrize("change", [
    lambda line: line.pop("result"),
    lambda line: line["result"].pop("net"),
    lambda line: line.update(value="keep=none"),
    lambda line: line.update(value="layers=conv9,keep=2"),
    lambda line: line.update(value=""),
    lambda line: line.update(action="pause"),
])
def test_a_malformed_merge_is_not_replayed(program, small_set, call, change):
    run = call("run", "--steps", 12, "--merge", f"at=5+10,{KEEP}")
    line = lines(run)[0]
    change(line)
    (run.path / "steering.jsonl").write_text(json.dumps(line) + "\n" + json.dumps(lines(run)[0]) + "\n")
    result = program(*options(small_set, "--run", "other", "--steps", 12, "--replay-steering", "run"))
    assert result.status == 2 and len(result.errors) == 1 and "run/steering.jsonl:1: " in result.errors[0], result
    assert not (program.folder / "other").exists()


# ---- by hand ----

def test_by_hand(program, resting):
    run, process = resting("run", 12)
    told = program.good("ctl", "run", "merge", KEEP).out
    for words in ("conv1: 6 -> 4, groups [[", "merged after step 12", "on 20 validation images"):
        assert words in told
    status = ask(run.path, "status")
    assert status["widths"] == "conv1 4 of 6, conv2 4 of 6, fc1 16" and status["merges"] == 1
    assert status["state"] == "paused" and is_resting(run, 12)
    assert "conv1 4 of 6" in program.good("ctl", "run").out
    # The line that is merged by is the same: nothing is left to merge.
    result = program("ctl", "run", "merge", KEEP)
    assert result.status == 1 and "nothing to merge" in result.errors[0], result
    answer = ask(run.path, "merge", spec="layers=fc1,keep=8,probe=40")
    assert answer["merge"]["layers"][0]["layer"] == "fc1" and answer["merge"]["refused"] == []
    rest_at(run, process, 25)
    ask(run.path, "stop")
    out, _ = finish(process)
    assert "merged after step 12 (ctl, process" in out
    assert shapes(run.last)["fc1.weight"] == (8, 64) and shapes(run.last)["conv2.weight"] == (4, 4, 3, 3)


@pytest.mark.parametrize("spec, words", [
    ("keep=", "keep"),
    ("threshold=2", "threshold"),
    ("nonsense", "is not key=value"),
    ("at=50", "merged now"),
    ("every=1epoch", "merged now"),
    ("layers=conv7", "conv7"),
    ("layers=fc2", "fc2"),
    ("threshold=1", "nothing to merge"),
    ("keep=1,bound=0,probe=40", "above bound=0"),
])
def test_what_is_refused_by_hand(resting, spec, words):
    run, process = resting("run", 12)
    state = snapshot(run.checkpoints), lines(run)
    with Client(run.path) as client:
        answer = client.ask("merge", spec=spec)
        assert not answer["ok"] and words in answer["error"], answer
        assert not client.ask("merge", spec=5)["ok"] and not client.ask("merge", threshold=0.9)["ok"]
        assert not client.ask("undo_merge")["ok"] and not client.ask("undo_merge", spec="x")["ok"]
    assert (snapshot(run.checkpoints), lines(run)) == state
    ask(run.path, "stop")
    finish(process)


def test_words_of_ctl(program, call):
    call("run", "--steps", 3)
    for words in (["merge", "a=b", "c"], ["undo-merge", "1"]):
        result = program("ctl", "run", *words)
        assert result.status == 2 and "one argument too many" in result.errors[0], result


def test_before_the_first_step_and_a_threshold_that_is_none(program, small_set):
    process = program.start(*options(small_set, "--run", "run", "--steps", 10**6, "--merge", "keep=4"))
    run = Run(program.folder / "run")
    wait_for((run.path / "control").exists, process)
    with Client(run.path) as client:
        answer = client.ask("set", values={"merge_threshold": 0.5})
        assert not answer["ok"] and "no threshold" in answer["error"]
        assert client.ask("get", names=["merge_threshold"])["knobs"] == {"merge_threshold": None}
        client.ask("stop")
    finish(process)


# ---- undo ----

@pytest.fixture
def plain(call):
    return call("plain", "--steps", 60)


def assert_as_if_nothing_had_been(run, plain):
    assert run.numbers() == plain.numbers()
    for step in run.saved_steps():
        if step in plain.saved_steps():
            assert checkpoint(run, step).read_bytes() == checkpoint(plain, step).read_bytes()
    assert run.last.read_bytes() == plain.last.read_bytes()
    assert not merges(run)


def run_to(run, process, step):
    rest_at(run, process, step)
    ask(run.path, "stop")
    return finish(process)


def test_undo_after_some_steps(program, resting, plain):
    run, process = resting("run", 20)
    ask(run.path, "merge", spec=KEEP)
    rest_at(run, process, 37)
    answer = ask(run.path, "undo_merge")
    assert (answer["step"], answer["undone"], answer["back_to"]) == (37, 1, 20)
    # Whoever is there stays, and is answered by the training that begins again, at rest as before.
    assert is_resting(run, 20) and ask(run.path, "status")["widths"] == "conv1 6, conv2 6, fc1 16"
    assert run.steps() == list(range(1, 21))
    assert checkpoint(run, 20).read_bytes() == checkpoint(plain, 20).read_bytes() == run.last.read_bytes()
    assert run.saved_steps() == [10, 20] and not before(run, 1).exists()
    assert len((run.path / "metrics.csv.after-20").read_text().splitlines()) == 17
    assert "merge" in (run.path / "steering.jsonl.after-20").read_text()
    assert [line["action"] for line in lines(run) if line["step"] == 20][-1] == "undo_merge"
    out, errors = run_to(run, process, 60)
    assert "merge 1 undone: back after step 20 (ctl, process" in out
    assert_as_if_nothing_had_been(run, plain)
    assert run.record()["net"]["spec"] == NET


def test_undo_at_once(program, resting, plain):
    run, process = resting("run", 20)
    ask(run.path, "merge", spec=KEEP)
    assert "merge 1 is undone: back after step 20" in program.good("ctl", "run", "undo-merge").out
    assert is_resting(run, 20)
    assert not (run.path / "metrics.csv.after-20").exists()
    run_to(run, process, 60)
    assert_as_if_nothing_had_been(run, plain)


def test_undo_of_several_merges(resting, plain):
    run, process = resting("run", 10)
    turn(run.path, learning_rate=0.001)
    for step, spec in ((20, "layers=conv1,keep=5,probe=40"), (25, "layers=conv2,keep=5,probe=40"),
                       (25, "layers=fc1,keep=9,probe=40")):
        rest_at(run, process, step)
        ask(run.path, "merge", spec=spec)
    turn(run.path, learning_rate=0.5)
    rest_at(run, process, 33)
    widths = [ask(run.path, "status")["widths"]]
    for step in (25, 25, 20):
        assert ask(run.path, "undo_merge")["back_to"] == step
        assert is_resting(run, step)
        widths.append(ask(run.path, "status")["widths"])
    assert widths == ["conv1 5 of 6, conv2 5 of 6, fc1 9 of 16", "conv1 5 of 6, conv2 5 of 6, fc1 16",
                      "conv1 5 of 6, conv2 6, fc1 16", "conv1 6, conv2 6, fc1 16"]
    with Client(run.path) as client:
        assert "nothing was merged" in client.ask("undo_merge")["error"]
        assert client.ask("get")["knobs"]["learning_rate"] == "0.001"
    run_to(run, process, 60)
    assert_as_if_nothing_had_been(run, plain)


def test_undo_of_a_scheduled_merge_is_not_done_again(program, small_set, resting, plain):
    run, process = resting("run", 12, "--merge", f"at=20,{KEEP}")
    rest_at(run, process, 24)
    assert len(merges(run)) == 1
    ask(run.path, "undo_merge")
    assert is_resting(run, 20)
    run_to(run, process, 60)
    assert_as_if_nothing_had_been(run, plain)
    # And not by a replay of that run.
    program.good(*options(small_set, "--run", "again", "--steps", 60, "--merge", f"at=20,{KEEP}", "--replay-steering", "run"))
    assert_as_if_nothing_had_been(Run(program.folder / "again"), plain)


def test_undo_after_a_resumption(program, small_set, resting, plain):
    run, process = resting("run", 20)
    ask(run.path, "merge", spec=KEEP)
    run_to(run, process, 33)
    process = program.start("train", "--resume", "run", "--steps", "+1000000", "--lr", 0.5)
    wait_for((run.path / "control").exists, process)
    wait_for(lambda: ask(run.path, "status")["step"] > 33, process)
    ask(run.path, "pause")
    wait_for(lambda: ask(run.path, "status")["state"] == "paused", process)
    ask(run.path, "undo_merge")
    # The rate is that of before the merge, not the one of the call.
    assert is_resting(run, 20) and ask(run.path, "get")["knobs"]["learning_rate"] == "0.001"
    assert ask(run.path, "status")["total_steps"] > 1000000
    run_to(run, process, 60)
    assert_as_if_nothing_had_been(run, plain)


def test_states_are_kept_as_checkpoints_are(program, small_set):
    program.good(*options(small_set, "--run", "run", "--steps", 30, "--keep-checkpoints", 2, "--merge",
                          "every=5,until=25,layers=conv1,most=1,threshold=-1,probe=40"))
    run = Run(program.folder / "run")
    assert [before(run, number).exists() for number in range(1, 6)] == [False, False, False, True, True]


@pytest.mark.parametrize("harm, words", [
    (lambda path: path.unlink(), "is not kept"),
    (lambda path: path.write_bytes(path.read_bytes()[:-5]), "before_merge_1"),
])
def test_a_state_that_is_damaged_gives_nothing_up(resting, harm, words):
    run, process = resting("run", 20)
    ask(run.path, "merge", spec=KEEP)
    harm(before(run, 1))
    with Client(run.path) as client:
        assert words in client.ask("undo_merge")["error"]
    run_to(run, process, 25)
    assert len(merges(run)) == 1


# ---- everything after a merge ----

def test_other_commands_know_the_widths(program, small_set, call):
    run = call("run", "--steps", 30, "--merge", f"at=15,{KEEP}")
    told = program.good("info", "run").out
    assert MERGED in told and f"began as     {NET}" in told
    assert "began as" not in program.good("info", call("plain", "--steps", 2).path).out
    assert "4" in program.good("info", run.last).out
    for step in (10, 20):
        program.good("eval", "--data", small_set, checkpoint(run, step))
    assert program.good("eval", "--data", small_set, before(run, 1)).status == 0
