# SPDX-License-Identifier: BSD-3-Clause
"""The Slurm scripts of docs/jobs, with stand-ins for `srun` and `scontrol`: pictures, the warning, and the next job."""

import csv
import json
import os
import signal
import subprocess
import time

import mpi_launch
import pytest

STAND_INS = {
    # Options are those of Slurm; the rest is the command.
    "srun": '#!/bin/sh\nwhile case "$1" in -*) true ;; *) false ;; esac; do shift; done\n'
            'tasks=$SLURM_NTASKS\nunset SLURM_JOB_ID SLURM_NTASKS SLURM_CPUS_PER_TASK\nexec mpirun -np "$tasks" "$@"\n',
    "scontrol": '#!/bin/sh\necho "$@" >> "$REQUEUED"\n',
}
NET = ("--net", "conv 4 3x3, relu, maxpool 4, linear 10", "--batch", "20", "--validation", "100", "--checkpoint-every", "1000")
STEPS, EVERY, RANKS = 2000, 1000, 2
PATIENCE = 150


@pytest.fixture
def job(source, weightscape, tmp_path):
    """job(script, arguments, warn, **environment): runs a script as Slurm does; `warn` is called before it is warned."""
    commands = tmp_path / "commands"
    commands.mkdir()
    for name, text in STAND_INS.items():
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)

    def run(script, *arguments, warn=None, **changes):
        of_slurm = {"SLURM_JOB_ID": "4711", "SLURM_CPUS_PER_TASK": "1", "SLURM_NTASKS": str(RANKS)}
        environment = mpi_launch.environment(PATH=f"{commands}:{os.environ['PATH']}", WEIGHTSCAPE=str(weightscape),
                                             REQUEUED=str(tmp_path / "requeued"), **of_slurm, **changes)
        process = subprocess.Popen(["bash", source / "docs" / "jobs" / script, *map(str, arguments)], env=environment, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            if warn:
                warn()
                process.send_signal(signal.SIGUSR1)
            out, _ = process.communicate(timeout=PATIENCE)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        return process.returncode, out

    run.requeued = tmp_path / "requeued"
    return run


def rows(run):
    try:
        with open(run / "metrics.csv", newline="") as table:
            return list(csv.DictReader(table))
    except FileNotFoundError:
        return []


def wait_for_rows(run, count):
    end = time.monotonic() + PATIENCE
    while len(rows(run)) < count:
        assert time.monotonic() < end, f"{run} has no {count} rows"
        time.sleep(0.01)


def record_of(run):
    return json.loads((run / "run.json").read_text())


def status_of(run):
    return record_of(run)["status"]


def test_a_warned_job_goes_on_in_the_next_one_to_the_same_bits(job, source, weightscape, mnist, tmp_path):
    run, undisturbed = tmp_path / "run", tmp_path / "undisturbed"
    options = (*NET, "--steps", STEPS)
    drawn = {"SCRIPT": f"{source / 'pipelines' / 'weights.py'},size=320x240", "EVERY": str(EVERY)}
    status, said = job("train.slurm", mnist, run, *options, warn=lambda: wait_for_rows(run, 50), **drawn)
    assert (status, status_of(run)) == (0, "interrupted"), said
    assert job.requeued.read_text() == "requeue 4711\n"
    assert "goes on in the next job" in said
    status, said = job("train.slurm", mnist, run, *options, **drawn)
    assert (status, status_of(run)) == (0, "complete"), said
    assert job.requeued.read_text() == "requeue 4711\n", "a job that is done is not put into the queue again"
    assert [int(row["step"]) for row in rows(run)] == list(range(1, STEPS + 1))
    pictures = {path.name for path in (run / "images" / "weights.cdb").glob("*.png")}
    assert pictures == {f"weights_conv1_{step:06d}.png" for step in range(0, STEPS + 1, EVERY)}
    whole = mpi_launch.run(RANKS, weightscape, "train", "--data", mnist, "--run", undisturbed, "--quiet", *options)
    assert whole.returncode == 0, whole.stderr
    last = "checkpoints/last.safetensors"
    assert (run / last).read_bytes() == (undisturbed / last).read_bytes()


# An mpirun that finds itself in a job of Slurm asks for the rest of it.
LAUNCHERS = {"srun": {}, "mpirun": {"LAUNCH": "mpirun", "OMPI_MCA_ras": "^slurm", "OMPI_MCA_plm": "^slurm"}}


@pytest.mark.parametrize("launcher", LAUNCHERS.values(), ids=LAUNCHERS)
def test_where_nothing_can_be_drawn_it_is_recorded_and_drawn_elsewhere(job, source, mnist, tmp_path, launcher):
    run = tmp_path / "run"
    status, said = job("train.slurm", mnist, run, *NET, "--steps", "100", EVERY="50", WEIGHTSCAPE_BRIDGE=str(tmp_path), **launcher)
    assert (status, status_of(run)) == (0, "complete"), said
    assert record_of(run)["ranks"] == RANKS
    assert "each 50th step is recorded" in said
    assert not job.requeued.exists()
    script = f"{source / 'pipelines' / 'weights.py'},every=50,size=320x240"
    status, said = job("draw.slurm", run, script)
    assert status == 0, said
    assert len(list((run / "replay" / "weights.cdb").glob("*.png"))) == 3


def test_a_training_that_fails_is_no_reason_for_another_job(job, mnist, tmp_path):
    status, said = job("train.slurm", mnist, tmp_path / "run", "--steps", "0", WEIGHTSCAPE_BRIDGE=str(tmp_path))
    assert status == 2 and "steps" in said
    assert not job.requeued.exists()
