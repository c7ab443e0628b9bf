# SPDX-License-Identifier: BSD-3-Clause
"""Whatever becomes of the process that draws, 200 times at random moments: the training has the same bits, does not pause,
and in the end every picture is there."""

import csv
import itertools
import os
import pathlib
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cnn_core" / "app"))
from processes import descendants, is_alive, sidecar_of

DISTURBANCES = 200
EVERY = 600
STEPS = 12000
NET = "conv 8 3x3, relu, maxpool 2, conv 16 3x3, relu, maxpool 2, linear 10"
# A pause is a step that takes longer than the longest of the undisturbed run by more than a busy machine explains. There are
# no checkpoints on the way: how long the disk takes for them is another matter.
MOST_PAUSE = 0.25


def command(weightscape, mnist, folder, *more):
    return [str(weightscape), "train", "--data", str(mnist), "--net", NET, "--steps", str(STEPS), "--threads", "1",
            "--quiet", "--checkpoint-every", str(STEPS), "--run", str(folder), *map(str, more)]


def step_times(folder):
    with open(folder / "metrics.csv", newline="", encoding="utf-8") as file:
        at = [float(row["time_s"]) for row in csv.DictReader(file)]
    return [later - earlier for earlier, later in zip(at, at[1:])]


def starve(pid):
    """Its next allocation fails."""
    used = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.prlimit(pid, resource.RLIMIT_AS, (used, used))


def disturb(chance, pid):
    how = chance.choice(["kill", "kill", "stop", "stop and go on", "starve"])
    try:
        if how == "kill":
            os.kill(pid, signal.SIGKILL)
        elif how == "starve":
            starve(pid)
        else:
            os.kill(pid, signal.SIGSTOP)
            time.sleep(chance.uniform(0, 0.3))
            os.kill(pid, signal.SIGCONT if how == "stop and go on" else signal.SIGKILL)
    except (ProcessLookupError, FileNotFoundError, PermissionError):
        return False
    return True


def train_disturbed(chance, words, errors):
    """Trains while its sidecar comes to grief at random moments; returns how often it did."""
    process, done = subprocess.Popen(words, stderr=errors), 0
    while process.poll() is None:
        time.sleep(chance.uniform(0, 4))
        pid = sidecar_of(process.pid)
        done += bool(pid) and disturb(chance, pid)
    assert process.returncode == 0
    return done


def test_the_training_does_not_notice(weightscape, mnist, tmp_path):
    root = pathlib.Path(os.environ["WEIGHTSCAPE_SOURCE"])
    plain = tmp_path / "plain"
    subprocess.run(command(weightscape, mnist, plain, "--insitu", "none"), check=True)
    undisturbed, last = step_times(plain), "checkpoints/last.safetensors"
    script = f"{root}/pipelines/weights.py,every={EVERY}"
    wanted = [f"weights_conv1_{step:06d}.png" for step in range(0, STEPS + 1, EVERY)]
    chance, done, longest, medians = random.Random(7), 0, 0.0, []
    for attempt in itertools.count():
        if done >= DISTURBANCES:
            break
        folder, told = tmp_path / f"run{attempt}", tmp_path / f"errors{attempt}"
        with open(told, "w", encoding="utf-8") as errors:
            here = train_disturbed(chance, command(weightscape, mnist, folder, "--pipeline", script), errors)
        done += here
        words = told.read_text(encoding="utf-8")
        assert len(words.splitlines()) < 10 + 2 * here, words  # where memory ends, libraries say so in their own words
        assert (plain / last).read_bytes() == (folder / last).read_bytes()
        if (folder / "backlog.wsrec").exists():  # a sidecar that dies without end is given up; what it left is kept
            subprocess.run([weightscape, "watch", folder], check=True)
        assert sorted(path.name for path in (folder / "images").rglob("*.png")) == wanted, words
        assert not (folder / "backlog.wsrec").exists()
        times = step_times(folder)
        longest, medians = max(longest, *times), [*medians, statistics.median(times)]
        shutil.rmtree(folder)
        print(f"{done} disturbances in {attempt + 1} trainings; longest step {longest:.3f} s, undisturbed {max(undisturbed):.3f} s;"
              f" median {1e3 * statistics.median(medians):.2f} and {1e3 * statistics.median(undisturbed):.2f} ms", flush=True)
    assert longest < max(undisturbed) + MOST_PAUSE


def test_nothing_outlives_a_killed_training(weightscape, mnist, tmp_path):
    root = pathlib.Path(os.environ["WEIGHTSCAPE_SOURCE"])
    shared = set(os.listdir("/dev/shm"))
    for attempt in range(10):
        folder = tmp_path / f"run{attempt}"
        process = subprocess.Popen(command(weightscape, mnist, folder, "--pipeline", f"{root}/pipelines/weights.py,every=50"))
        below = set()
        while not sidecar_of(process.pid):
            assert process.poll() is None
            time.sleep(0.05)
        end = time.monotonic() + random.Random(attempt).uniform(0, 6)
        while not below or time.monotonic() < end:
            pid = sidecar_of(process.pid)
            below |= {pid} if pid else set()
            below |= set(descendants(pid)) if pid else set()
            time.sleep(0.05)
        process.kill()
        process.wait()
        time.sleep(5)
        assert below and not [pid for pid in below if is_alive(pid)]
    assert set(os.listdir("/dev/shm")) == shared
