# SPDX-License-Identifier: BSD-3-Clause
"""Early warnings over trainings that are healthy and sick by construction: none for a healthy one, the right one for a sick
one within SOON steps. Writes the table of docs/diagnosis.md to BUILD/warnings.md. The images are the first 12,000 of MNIST,
the network is the poster's with half and a quarter of its widths, unless told."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "cnn_core"))
import make_files

SOON = 300
IMAGES = 12000
NET = "conv 8 3x3, relu, maxpool 2, conv 16 3x3, relu, maxpool 2, linear 64, relu, dropout 0.5, linear 10"
PLAIN = "conv 8 3x3, relu, maxpool 2, conv 16 3x3, relu, maxpool 2, linear 10"
POSTER = "conv 16 3x3, relu, maxpool 2, conv 32 3x3, relu, maxpool 2, linear 1024, relu, dropout 0.5, linear 10"


def training(optimizer, rate, steps=400, net=NET, data="true", **more):
    return {"optimizer": optimizer, "lr": rate, "steps": steps, "net": net, "data": data, **more}


HEALTHY = {
    "adam 1e-3": training("adam", 1e-3),
    "adam 1e-3, seed 2": training("adam", 1e-3, seed=2),
    "adam 1e-3, seed 3": training("adam", 1e-3, seed=3),
    "adam 1e-3, poster's network": training("adam", 1e-3, net=POSTER, steps=200),
    "adam 1e-3, no dropout": training("adam", 1e-3, net=PLAIN, steps=1000),
    "adam 1e-2, no dropout": training("adam", 1e-2, net=PLAIN),
    "adam 3e-3": training("adam", 3e-3),
    "adam 1e-2": training("adam", 1e-2, steps=600),
    "adam 1e-4": training("adam", 1e-4),
    "adam 3e-5": training("adam", 3e-5, steps=500),
    "adam 1e-3, batch 10": training("adam", 1e-3, batch=10, steps=1000),
    "adam 1e-3, batch 500": training("adam", 1e-3, batch=500, steps=200),
    "adam 1e-3, cosine, warm-up": training("adam", 1e-3, schedule="cosine,warmup=100"),
    "adam 1e-3, weight decay 1e-4": training("adam", 1e-3, **{"weight-decay": 1e-4}),
    "momentum 0.01": training("momentum", 0.01),
    "momentum 0.05": training("momentum", 0.05),
    "momentum 0.1": training("momentum", 0.1),
    "sgd 0.1": training("sgd", 0.1),
    "sgd 0.03": training("sgd", 0.03),
    "sgd 0.01": training("sgd", 0.01, steps=500),
}
THROWN, IDLE = {"stuck", "diverging"}, {"no_progress"}
SICK = {
    "adam 0.1": (training("adam", 0.1), THROWN),
    "adam 0.1, seed 2": (training("adam", 0.1, seed=2), THROWN),
    "adam 0.1, no dropout": (training("adam", 0.1, net=PLAIN), THROWN),
    "adam 1": (training("adam", 1), THROWN),
    "adam 1, no dropout": (training("adam", 1, net=PLAIN), THROWN),
    "sgd 1": (training("sgd", 1), THROWN),
    "sgd 3": (training("sgd", 3), THROWN),
    "sgd 10": (training("sgd", 10), THROWN),
    "sgd 1e6": (training("sgd", 1e6), THROWN),
    "momentum 1": (training("momentum", 1), THROWN),
    "momentum 3, no dropout": (training("momentum", 3, net=PLAIN), THROWN),
    "adam 1e-8": (training("adam", 1e-8), IDLE),
    "adam 1e-7": (training("adam", 1e-7), IDLE),
    "sgd 1e-6": (training("sgd", 1e-6), IDLE),
    "momentum 1e-6": (training("momentum", 1e-6), IDLE),
    "shuffled labels, adam 1e-3": (training("adam", 1e-3, data="shuffled"), IDLE),
    "shuffled labels, sgd 0.1": (training("sgd", 0.1, data="shuffled"), IDLE),
}
table = []


@pytest.fixture(scope="module")
def sets(mnist, tmp_path_factory):
    """name -> folder: the true labels, and the same in an order that has nothing to do with the images."""
    images = np.fromfile(mnist / "train-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 28, 28)
    labels = np.fromfile(mnist / "train-labels-idx1-ubyte", np.uint8)[8:]
    made, some = {}, labels[:IMAGES]
    for name, told in (("true", some), ("shuffled", np.random.default_rng(1).permutation(some))):
        made[name] = tmp_path_factory.mktemp(name)
        for part, of_images, of_labels in (("train", images[:IMAGES], told), ("t10k", images[-100:], labels[-100:])):
            (made[name] / f"{part}-images-idx3-ubyte").write_bytes(make_files.idx_bytes(of_images))
            (made[name] / f"{part}-labels-idx1-ubyte").write_bytes(make_files.idx_bytes(of_labels))
    return made


def train(weightscape, folder, options):
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    done = subprocess.run([weightscape, "train", "--run", folder, "--insitu", "none", "--quiet", *words], capture_output=True,
                          text=True)
    return done, json.loads((folder / "run.json").read_text())["warnings"]


def go(weightscape, sets, folder, name, options):
    done, warnings = train(weightscape, folder, {**options, "data": sets[options["data"]]})
    said = "; ".join(f"step {warning['step']}: {warning['kind']}" for warning in warnings) or "none"
    table.append(f"| {name} | {options['steps']} | {said} |")
    return done, warnings


@pytest.mark.parametrize("name", HEALTHY)
def test_no_alarm_for_a_healthy_one(weightscape, sets, tmp_path, name):
    done, warnings = go(weightscape, sets, tmp_path / "run", name, HEALTHY[name])
    assert done.returncode == 0 and warnings == []


@pytest.mark.parametrize("name", SICK)
def test_an_alarm_in_time_for_a_sick_one(weightscape, sets, tmp_path, name):
    options, wanted = SICK[name]
    _, warnings = go(weightscape, sets, tmp_path / "run", name, options)
    assert any(warning["kind"] in wanted and warning["step"] <= SOON for warning in warnings), warnings


@pytest.mark.parametrize("layer", ["conv1", "conv2"])
def test_an_alarm_for_filters_killed_by_their_biases(weightscape, sets, tmp_path, layer):
    folder, options = tmp_path / "run", training("adam", 1e-3, steps=20)
    train(weightscape, folder, {**options, "data": sets["true"]})
    path = folder / "checkpoints/step_00000020.safetensors"
    tensors, metadata = make_files.read_safetensors(path)
    tensors = {name: values.copy() for name, values in tensors.items()}
    tensors[f"{layer}.bias"][:6 if layer == "conv1" else 12] = -1e3
    make_files.write_safetensors(path, tensors, metadata)
    subprocess.run([weightscape, "train", "--resume", folder, "--steps", "220", "--quiet"], check=True, capture_output=True)
    warnings = json.loads((folder / "run.json").read_text())["warnings"]
    assert [(warning["kind"], warning["step"]) for warning in warnings] == [("dead_filters", 120)]
    table.append(f"| three quarters of {layer} killed at step 20 | 220 | step 120: dead_filters |")


def test_table(build):
    lines = ["| training | steps | warnings |", "|---|---|---|", *table]
    (build / "warnings.md").write_text("\n".join(lines) + "\n")
    assert len(table) == len(HEALTHY) + len(SICK) + 2
