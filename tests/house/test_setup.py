# SPDX-License-Identifier: BSD-3-Clause
"""cmake/setup.sh with a pretended package system: what it asks for, and what it says when that fails."""
import os
import subprocess

import pytest

STATUS_OF_ALL_BUT = """case " {missing} " in *" ${{!#}} "*) exit 1 ;; esac; printf installed"""


@pytest.fixture
def machine(tmp_path):
    """A folder of stand-ins for dpkg-query and apt-get; what apt-get was asked goes to the file `asked`."""
    def install(name, body):
        file = tmp_path / name
        file.write_text(f"#!/bin/bash\n{body}\n")
        file.chmod(0o755)

    def prepare(missing="", apt="exit 0"):
        install("dpkg-query", STATUS_OF_ALL_BUT.format(missing=missing))
        install("apt-get", f'echo "$*" >>"{tmp_path}/asked"; {apt}')
        install("sudo", 'exec "$@"')
        return tmp_path
    return prepare


def run_setup(source, folder, *groups):
    environment = dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}")
    return subprocess.run([source / "cmake/setup.sh", *groups], env=environment, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)


def test_nothing_missing_nothing_said(source, machine):
    folder = machine()
    result = run_setup(source, folder)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert not (folder / "asked").exists()


def test_only_what_is_missing_is_installed(source, machine):
    folder = machine(missing="cmake xvfb")
    result = run_setup(source, folder)
    assert result.returncode == 0, result.stderr
    update, install = (folder / "asked").read_text().splitlines()
    assert update.endswith(" update")
    assert install.endswith(" install --no-install-recommends -y cmake xvfb")


def test_a_group_of_its_own(source, machine):
    folder = machine(missing="cmake python3-torch")
    run_setup(source, folder, "bench")
    assert (folder / "asked").read_text().splitlines()[-1].endswith("-y python3-torch")


def test_offline_is_one_clear_line(source, machine):
    folder = machine(missing="cmake", apt="exit 100")
    result = run_setup(source, folder)
    assert result.returncode == 1
    assert result.stderr == "setup.sh: cannot install cmake: no network, or not in this system's package lists\n"


def test_unknown_group(source, machine):
    result = run_setup(source, machine(), "games")
    assert result.returncode == 2
    assert result.stderr == "setup.sh: no group 'games': build, paraview, tests, bench\n"


def test_not_debian_names_what_to_install(source, tmp_path):
    os.symlink("/bin/bash", tmp_path / "bash")
    result = subprocess.run(["/bin/bash", source / "cmake/setup.sh", "build"], env={"PATH": str(tmp_path)},
                            capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith("setup.sh: not a Debian system; ") and "libjansson-dev" in result.stderr
    assert result.stderr.count("\n") == 1
