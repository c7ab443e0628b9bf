# SPDX-License-Identifier: BSD-3-Clause
"""bench_torch.py DATA THREADS STEPS [--channels-last]: what bench_train.c measures, with PyTorch.

The fastest plain loop: all images as one float tensor in memory, a batch by index, no DataLoader."""
import argparse
import json
import sys
import time
from pathlib import Path

import numpy
import torch
from torch import nn

BATCH = 100
WARM_UP = 20
TRAINING = 55000


def load(folder):
    images = numpy.fromfile(folder / "train-images-idx3-ubyte", numpy.uint8, offset=16)
    labels = numpy.fromfile(folder / "train-labels-idx1-ubyte", numpy.uint8, offset=8)
    images = images.reshape(-1, 1, 28, 28)[:TRAINING].astype(numpy.float32) / 255
    return torch.from_numpy(images), torch.from_numpy(labels[:TRAINING].astype(numpy.int64))


def poster_network():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 7 * 7, 1024), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(1024, 10))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("threads", type=int)
    parser.add_argument("steps", type=int)
    parser.add_argument("--channels-last", action="store_true")
    options = parser.parse_args()

    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    images, labels = load(options.data)
    net = poster_network().to(memory_format=layout)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss()
    order = torch.randperm(TRAINING)

    def train(first, steps):
        for step in range(first, first + steps):
            at = step * BATCH % TRAINING
            index = order[at:at + BATCH]
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(net(images[index].contiguous(memory_format=layout)), labels[index])
            loss.backward()
            optimizer.step()
        return loss.item()

    train(0, WARM_UP)
    start = time.perf_counter()
    loss = train(WARM_UP, options.steps)
    seconds = time.perf_counter() - start
    json.dump({"images_per_second": options.steps * BATCH / seconds, "loss": loss}, sys.stdout)


if __name__ == "__main__":
    main()
