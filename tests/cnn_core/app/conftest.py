# SPDX-License-Identifier: BSD-3-Clause
"""The program as people call it, a small set to train on, and what a run leaves behind."""

import csv
import ctypes
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent))
import make_files
import mpi_launch

NET = "conv 4 3x3, relu, maxpool 2, dropout 0.2, linear 10"
EVERY = 10

# Writes down the steps at which it runs; draws nothing, so that it needs no display.
NOTES = """# script-version: 2.0
import os
from paraview.simple import *
from paraview import catalyst
producer = PVTrivialProducer(registrationName='{channel}')
options = catalyst.Options()
options.GlobalTrigger = 'TimeStep'
options.GlobalTrigger.Frequency = {every}
{at_import}
def catalyst_execute(info):
    producer.UpdatePipeline(info.time)
    with open({notes!r}, 'a') as file:
        file.write(f'{{info.timestep}}\\n')
    if {when}:
        {at_step}
"""


class Result:
    """How a call ended."""

    def __init__(self, ended):
        self.status = ended.returncode
        self.out = ended.stdout
        self.errors = ended.stderr.splitlines()

    def __repr__(self):
        return f"status {self.status}, errors {self.errors}, output {self.out!r}"


# What a program may say before anybody reads it: a fast processor tells thousands of epochs meanwhile.
PIPE_BYTES = 1 << 20


def end_with_parent():
    """In a child before it starts: the kernel kills it when its parent ends, so that no training outlives the tests."""
    set_death_signal = 1
    ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)


class Program:
    """Calls the program in a folder."""

    def __init__(self, path, folder):
        self.path = path
        self.folder = folder
        self.started = []

    def command(self, *arguments):
        return [str(self.path), *map(str, arguments)]

    def __call__(self, *arguments, within=60, **how):
        how.setdefault("cwd", self.folder)
        ended = subprocess.run(self.command(*arguments), capture_output=True, text=True, errors="replace",
                               timeout=within,
                               stdin=subprocess.DEVNULL, **how)
        return Result(ended)

    def good(self, *arguments, **how):
        """A call that must succeed."""
        result = self(*arguments, **how)
        assert result.status == 0, result
        return result

    def start(self, *arguments, before=lambda: None, **how):
        """A call that goes on while the test does; `before` is called in the child before it starts."""
        def prepare():
            end_with_parent()
            # Tests in the background of a script ignore it, and so would the program.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            before()

        process = subprocess.Popen(self.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   stdin=subprocess.DEVNULL, cwd=self.folder, pipesize=PIPE_BYTES,
                                   preexec_fn=prepare, **how)
        self.started.append(process)
        return process

    def close(self):
        """Ends what a test that failed has left running."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()


class Launcher(Program):
    """Calls `count` copies of the program as one job; further copies, with other arguments, follow "+", and how many they are."""

    def __init__(self, path, folder, count):
        super().__init__(path, folder)
        self.count = count

    def command(self, *arguments):
        words = mpi_launch.command(self.count, self.path)
        rest = iter(map(str, arguments))
        for word in rest:
            words += [":", "-np", next(rest), str(self.path)] if word == "+" else [word]
        return words

    def __call__(self, *arguments, **how):
        return super().__call__(*arguments, env=mpi_launch.environment(how.pop("env", None)), **how)

    def start(self, *arguments, **how):
        return super().start(*arguments, env=mpi_launch.environment(how.pop("env", None)), **how)


def own(errors):
    """The lines of our program among those of a launcher."""
    return [line for line in errors if line.startswith("weightscape")]


class Run:
    """The folder of a run."""

    def __init__(self, path):
        self.path = Path(path)
        self.checkpoints = self.path / "checkpoints"
        self.last = self.checkpoints / "last.safetensors"

    def record(self):
        def refuse(token):
            raise ValueError(f"{token} is not JSON")

        return json.loads((self.path / "run.json").read_text(), parse_constant=refuse)

    def rows(self):
        with open(self.path / "metrics.csv", newline="") as file:
            return list(csv.DictReader(file))

    def steps(self):
        return [int(row["step"]) for row in self.rows()]

    def numbers(self):
        """The rows without the times, which no two runs share."""
        return [{name: cell for name, cell in row.items() if name != "time_s"} for row in self.rows()]

    def saved_steps(self):
        return sorted(int(path.stem[5:]) for path in self.checkpoints.glob("step_*.safetensors"))

    def last_step(self):
        """The step of the newest checkpoint as the file itself tells it."""
        return int(make_files.read_safetensors(self.last)[1]["step"])


def snapshot(folder):
    """Names and content of all files below a folder: equal before and after, if nothing was changed."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
            for path in sorted(Path(folder).rglob("*"))}


def wait_for(condition, process=None, within=120):
    """Waits until condition() holds, on a busy machine for long; fails if the process ends before that."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.01)


@pytest.fixture
def program(weightscape, tmp_path):
    program = Program(weightscape, tmp_path)
    yield program
    program.close()


def require_mpi(build):
    if not (build / "lib/weightscape/libweightscape-mpi.so").exists():
        pytest.skip("no MPI")


@pytest.fixture
def ranks(weightscape, build, tmp_path):
    """ranks(3): a Launcher of three copies."""
    require_mpi(build)
    made = []

    def make(count):
        made.append(Launcher(weightscape, tmp_path, count))
        return made[-1]

    yield make
    for launcher in made:
        launcher.close()


@pytest.fixture(scope="session")
def small_set(tmp_path_factory):
    """240 training images, of which 20 validate, and 50 test images of 8 x 8; 11 steps of 20 images in an epoch."""
    folder = tmp_path_factory.mktemp("set")
    make_files.write_idx(folder, train=240, test=50, size=(8, 8))
    return folder


@pytest.fixture
def train(program, small_set):
    """train('--steps', 5, ...): a call that trains the small network on the small set."""
    return lambda *arguments, **how: program("train", *small_training(small_set), *arguments, **how)


@pytest.fixture
def trained(train, tmp_path):
    """trained('name', '--steps', 5, ...): the Run of such a call, which must succeed."""

    def make(name, *arguments, **how):
        result = train("--run", name, *arguments, **how)
        assert result.status == 0, result
        return Run(tmp_path / name)

    return make


@pytest.fixture
def notes(tmp_path):
    """notes(...): a script, and the function that reads the steps it has seen."""

    def make(name="notes.py", channel="weights_conv1", every=EVERY, at_import="", at_step="pass", when="True"):
        path = tmp_path / (name + ".txt")
        script = tmp_path / name
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(NOTES.format(channel=channel, every=every, at_import=at_import, at_step=at_step, when=when,
                                       notes=str(path)))
        return script, lambda: [int(line) for line in path.read_text().split()] if path.exists() else []

    return make


@pytest.fixture
def boxes(source):
    """The script of Figure 2, small and seldom."""
    return boxes_every(source, EVERY)


def boxes_every(source, every, size="320x240"):
    return f"{source / 'pipelines/weights.py'},layer=conv1,every={every},size={size}"


def pictures(run, folder="images"):
    return sorted((run.path / folder).rglob("*.png"))


def picture_steps(run, folder="images"):
    return [int(path.stem[-6:]) for path in pictures(run, folder)]


def hashes(run):
    return {name: value for name, value in snapshot(run.path / "images").items() if name.endswith(".png")}


def without_xvfb(tmp_path):
    """No display, and a PATH on which no Xvfb is found."""
    (tmp_path / "empty").mkdir()
    return environment(DISPLAY=None, PATH=str(tmp_path / "empty"))


def small_training(folder):
    return ["--data", folder, "--net", NET, "--batch", 20]


def start_training(program, small_set, *options, **how):
    """A training in the folder `run`, which goes on meanwhile."""
    return program.start("train", *small_training(small_set), "--run", "run", *options, **how)


def environment(**changes):
    """This process's environment with some variables set, or, for None, without them."""
    result = {**os.environ, **{name: value for name, value in changes.items() if value is not None}}
    return {name: value for name, value in result.items() if changes.get(name, value) is not None}
