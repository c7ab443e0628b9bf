# SPDX-License-Identifier: BSD-3-Clause
"""One training on several ranks: alike for any number of them, one run's folder, and an end for all when one is lost."""

import hashlib
import math
import os
import signal
import time

import make_files
import pytest
from conftest import Run, environment, own, small_training, wait_for
from control import ask, turn
from processes import is_alive, ranks_of

# Only the order of sums differs between numbers of ranks: by some units in the last place of float32 (6e-8) a step, in values
# of about 1, and now and then by the gradient of one unit of one image, where the sum before a relu is on the other side of
# zero. Adam would divide by what is next to nothing. What is wrong is off by far more: a batch has 20 images.
BOUND = 1e-4
SGD = ["--optimizer", "sgd", "--lr", 0.1]
MOMENTUM = ["--optimizer", "momentum", "--lr", 0.01]
STEPS = 16
MERGE = "at=6,keep=3,probe=40"


def call(small_set, name, *more):
    return ["train", *small_training(small_set), "--run", name, "--insitu", "none", "--checkpoint-every", 4, *more]


def sha(run):
    return hashlib.sha256(run.last.read_bytes()).hexdigest()


def assert_alike(left, right, bound=BOUND):
    assert left.steps() == right.steps()
    for a, b in zip(left.rows(), right.rows()):
        for name in a:
            if name != "time_s" and a[name] != b[name]:
                assert math.isclose(float(a[name]), float(b[name]), rel_tol=bound, abs_tol=bound), (name, a, b)


def start(launcher, small_set, name, *more):
    """A training that goes on, its run, and the processes of its ranks."""
    process = launcher.start(*call(small_set, name, "--steps", 10**9, "--quiet", *more))
    run = Run(launcher.folder / name)
    wait_for((run.path / "control").exists, process)
    wait_for(lambda: ask(run.path, "status")["step"] > 8, process)
    return process, run, ranks_of(process)


def end(process, within):
    began = time.monotonic()
    out, errors = process.communicate(timeout=60)
    assert time.monotonic() - began < within, errors
    return own(errors.splitlines())


def assert_resumes(program, run):
    """The state that was kept is whole."""
    step = run.last_step()
    assert step >= 8
    program.good("train", "--resume", run.path, "--steps", "+4", "--quiet")
    assert run.steps() == list(range(1, step + 5))


# ---- the same training ----

def test_any_number_of_ranks_trains_alike(program, ranks, small_set):
    options = ["--steps", STEPS, "--merge", MERGE, *SGD]
    program.good(*call(small_set, "alone", *options))
    alone = Run(program.folder / "alone")
    assert alone.record()["ranks"] == 1
    for count in (2, 3, 4):
        result = ranks(count).good(*call(small_set, f"of{count}", *options))
        run = Run(program.folder / f"of{count}")
        assert_alike(alone, run)
        assert run.record()["ranks"] == count and run.record()["status"] == "complete"
        assert run.saved_steps() == alone.saved_steps()
        # A launcher's pipe is no terminal that somebody looks at, whatever it seems to be.
        assert "\033" not in result.out
        assert sum(line.startswith(f"{STEPS} steps in ") for line in result.out.splitlines()) == 1
        assert sum("merged after step 6" in line for line in result.out.splitlines()) == 1


def test_the_same_ranks_give_the_same_bits_also_when_resumed(program, ranks, small_set):
    pair = ranks(2)
    pair.good(*call(small_set, "whole", "--steps", STEPS))
    pair.good(*call(small_set, "parts", "--steps", 5))
    pair.good("train", "--resume", "parts", "--steps", STEPS)
    whole, parts = Run(program.folder / "whole"), Run(program.folder / "parts")
    assert whole.numbers() == parts.numbers() and sha(whole) == sha(parts)


def test_a_resumed_run_may_have_other_ranks(program, ranks, small_set):
    program.good(*call(small_set, "whole", "--steps", STEPS, *SGD))
    ranks(2).good(*call(small_set, "other", "--steps", 5, *SGD))
    ranks(3).good("train", "--resume", "other", "--steps", STEPS)
    assert_alike(Run(program.folder / "whole"), Run(program.folder / "other"))


def test_ranks_without_images(program, ranks, tmp_path):
    make_files.write_idx(tmp_path / "tiny", train=3, test=4)
    options = ["train", "--data", "tiny", "--validation", 1, "--batch", 3, "--epochs", 4, "--insitu", "none", *SGD,
               "--net", "conv 4 3x3, relu, maxpool 2, dropout 0.2, linear 10"]
    program.good(*options, "--run", "alone")
    ranks(4).good(*options, "--run", "shared", within=20)
    assert_alike(Run(tmp_path / "alone"), Run(tmp_path / "shared"))


def test_what_is_turned_is_turned_on_all(program, ranks, small_set):
    process, run, pids = start(ranks(2), small_set, "run", "--merge", "layers=conv1,keep=3,probe=40", *MOMENTUM)
    assert len(pids) == 2
    assert ask(run.path, "status")["ranks"] == 2
    ask(run.path, "pause")
    wait_for(lambda: ask(run.path, "status")["state"] == "paused", process)
    turn(run.path, learning_rate="0.02", batch="50", dropout="0.1", momentum="0.8")
    at = ask(run.path, "step", count=3)["step"]
    wait_for(lambda: ask(run.path, "status")["step"] == at + 3, process)
    ask(run.path, "merge")
    ask(run.path, "step", count=3)
    wait_for(lambda: ask(run.path, "status")["step"] == at + 6, process)
    ask(run.path, "undo_merge")
    wait_for(lambda: ask(run.path, "status")["step"] == at + 3, process)
    ask(run.path, "merge", spec="layers=conv1,keep=2,probe=40")
    ask(run.path, "continue")
    ask(run.path, "stop")
    end(process, 20)
    assert process.returncode == 0
    steps = run.last_step()
    assert steps >= at + 3 and make_files.read_safetensors(run.last)[0]["conv1.weight"].shape[0] == 2
    # The log repeats it in one process.
    program.good(*call(small_set, "again", "--steps", steps, "--replay-steering", run.path, "--quiet", *MOMENTUM))
    assert_alike(run, Run(program.folder / "again"))


# ---- what is wrong before the first step ----

@pytest.mark.parametrize("wrong, words", [
    (["--data", "nowhere"], "rank 2 on"),
    (["--lr", "x"], "rank 2 on"),
])
def test_one_rank_with_a_bad_call_ends_all(ranks, small_set, tmp_path, wrong, words):
    good = call(small_set, "run", "--steps", 4)
    result = ranks(2)(*good, "+", 1, *good, *wrong, within=10)
    line, = own(result.errors)
    assert result.status == 2 and words in line and wrong[-1] in line
    assert not (tmp_path / "run").exists()


def test_other_data_on_one_rank(ranks, small_set, tmp_path):
    make_files.write_idx(tmp_path / "other", train=240, test=50, size=(8, 8), seed=1)
    good = call(small_set, "run", "--steps", 4)
    result = ranks(2)(*good, "+", 1, *good, "--data", "other", within=10)
    line, = own(result.errors)
    assert result.status == 2 and "rank 2 on" in line and "checksum" in line
    assert not (tmp_path / "run").exists()


def test_what_is_wrong_for_all_is_told_once(ranks, small_set):
    for wrong in (["--lr", "x"], ["--data", "nowhere"]):
        result = ranks(2)(*call(small_set, "run", "--steps", 4, *wrong), within=10)
        assert result.status == 2 and len(own(result.errors)) == 1, result


# ---- one rank is lost ----

@pytest.mark.parametrize("number, lost", [(signal.SIGKILL, 1), (signal.SIGKILL, 0), (signal.SIGSTOP, 2)])
def test_the_loss_of_one_rank_ends_all(program, ranks, small_set, number, lost):
    process, run, pids = start(ranks(3), small_set, "run")
    os.kill(pids[lost], number)
    lines = end(process, 10)
    assert process.returncode != 0
    assert sum(f"rank {lost} on" in line for line in lines) == 1, lines
    cause = "has been silent for 5 s" if number == signal.SIGSTOP else "its process"
    assert any(cause in line for line in lines), lines
    wait_for(lambda: not any(map(is_alive, pids)), within=10)
    assert_resumes(program, run)


def test_a_signal_to_one_rank_ends_all_at_the_same_step(program, ranks, small_set):
    process, run, pids = start(ranks(2), small_set, "run")
    os.kill(pids[1], signal.SIGINT)
    lines = end(process, 10)
    assert process.returncode == 128 + signal.SIGINT
    assert len(lines) == 1 and "ended by a signal after step" in lines[0]
    assert run.record()["status"] == "interrupted" and run.steps() == list(range(1, run.last_step() + 1))
    assert_resumes(program, run)


# ---- launchers ----

@pytest.mark.parametrize("variables, words", [
    ({"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "0"}, "4 copies of a 1-rank run: "),
    ({"PMI_SIZE": "2", "PMI_RANK": "0", "PATH": "/nowhere"}, "2 copies of a 1-rank run: "),
    ({"PMI_SIZE": "2", "PMI_RANK": "0", "WEIGHTSCAPE_MPI": "/nowhere"}, "2 copies of a 1-rank run: this build has no MPI"),
    ({"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "1"}, None),
])
def test_variables_without_a_launcher(program, small_set, tmp_path, variables, words):
    result = program(*call(small_set, "run", "--steps", 4), env=environment(**variables), within=10)
    assert result.status == 2 and not (tmp_path / "run").exists()
    assert len(result.errors) == (words is not None) and all(words in line for line in result.errors), result


def test_a_build_without_mpi_under_a_launcher(ranks, small_set, tmp_path):
    result = ranks(2)(*call(small_set, "run", "--steps", 4), env=environment(WEIGHTSCAPE_MPI=str(tmp_path)), within=10)
    line, = own(result.errors)
    assert result.status == 2 and "2 copies of a 1-rank run" in line


def test_alone_nothing_of_mpi_is_needed(program, small_set, tmp_path):
    program.good(*call(small_set, "run", "--steps", 4), env=environment(WEIGHTSCAPE_MPI="/nowhere", PATH="/nowhere"))
    program.good(*call(small_set, "one", "--steps", 4), env=environment(PMI_SIZE="1", WEIGHTSCAPE_MPI="/nowhere"))


def test_threads_of_all_ranks_are_no_more_than_processors(ranks, small_set, tmp_path):
    processors = len(os.sched_getaffinity(0))
    result = ranks(2).good(*call(small_set, "run", "--steps", 4))
    assert Run(tmp_path / "run").record()["threads"] == max(1, processors // 2)
    assert len(own(result.errors)) == (processors < 2)
    result = ranks(2).good(*call(small_set, "more", "--steps", 4, "--threads", processors + 1))
    line, = own(result.errors)
    assert f"2 ranks with {processors + 1} threads each share" in line
