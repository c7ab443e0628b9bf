# SPDX-License-Identifier: BSD-3-Clause
"""Rank 0 of a parallel job draws by itself, in its process or beside it: its child processes are no ranks of the job, and end with it."""

import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

import hosts
import mpi_launch

HOST = pathlib.Path(os.environ["WEIGHTSCAPE_BUILD"]) / "tests" / "ranks_host"
# What the process that draws has for its environment.
TELL = """
import os

source = PVTrivialProducer(registrationName='weights_conv1')
options.GlobalTrigger = 'TimeStep'
options.GlobalTrigger.Frequency = 1


def catalyst_execute(info):
    with open('%s/environment' % FOLDER, 'w') as out:
        out.write('%d\\n' % os.getpid() + '\\n'.join(os.environ))
    if HANGS:
        import time
        time.sleep(1000)
"""
OF_RANKS = re.compile(r"^(OMPI_|PMIX_|PMI_|PRTE_|ORTE_|SLURM_)", re.MULTILINE)


def script_of(folder, hangs=False):
    return hosts.script(folder, "tell.py", f"FOLDER, HANGS = {str(folder)!r}, {hangs}\n{TELL}")


def wait_for(path, seconds=60):
    end = time.monotonic() + seconds
    while not (path.exists() and "\n" in path.read_text()):
        assert time.monotonic() < end, f"no {path}"
        time.sleep(0.05)
    return path.read_text()


def is_there(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return pathlib.Path(f"/proc/{process}/stat").read_text().split(")")[1].split()[0] != "Z"


def wait_until_gone(process, seconds=20):
    end = time.monotonic() + seconds
    while is_there(process):
        assert time.monotonic() < end, f"process {process} is still there"
        time.sleep(0.05)


@pytest.mark.parametrize("transport", ["sidecar", "inline"])
def test_rank_0_draws_by_itself(source, tmp_path, transport):
    """Inline: inside a process in which MPI runs with two ranks, ParaView is that one process."""
    picture = f"{source / 'pipelines' / 'weights.py'},every=5,size=320x240"
    process = mpi_launch.run(2, HOST, "first", tmp_path / "out", 5, script_of(tmp_path), picture, HOST_TRANSPORT=transport,
                             SLURM_PROCID="0", PMI_RANK="0")
    assert process.returncode == 0, process.stderr
    assert re.search(r"rank 0: images 2 of 2, failures 0, pictures 1", process.stdout), process.stdout + process.stderr
    environment = wait_for(tmp_path / "environment")
    if transport == "sidecar":
        assert not OF_RANKS.search(environment), environment
    wait_until_gone(int(environment.split()[0]))


def test_a_sidecar_ends_with_a_job_that_is_killed(tmp_path):
    """The process that draws hangs in its script when the job is ended from outside."""
    job = subprocess.Popen(mpi_launch.command(2, HOST, "first", tmp_path / "out", 5, script_of(tmp_path, hangs=True)),
                           env=mpi_launch.environment(HOST_TRANSPORT="sidecar"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    sidecar = int(wait_for(tmp_path / "environment").split()[0])
    assert is_there(sidecar)
    job.send_signal(signal.SIGTERM)
    job.communicate(timeout=30)  # nothing of it holds the launcher's pipes
    wait_until_gone(sidecar)
