# SPDX-License-Identifier: BSD-3-Clause
"""rate_torch.py SPEC CxHxW CLASSES THREADS IMAGES LABELS PARAMETERS [--channels-last]: what rate.h says, with PyTorch.

The fastest plain loop: all images as one float tensor in memory, a batch by index, no DataLoader. `losses` begins with
the PARAMETERS that rate_weightscape has written."""
import argparse
import json
import sys
import time

import numpy
import torch
from networks import Network, layers_of
from torch import nn

# As rate.c has them.
WARM_UP_STEPS = 2
WARM_UP_SECONDS = 1


def padding_of(layer):
    """What `same` pads at stride 1 where the kernel is odd; others would need more than Conv2d can do."""
    if not layer.same:
        return 0
    if layer.stride != 1 or any(taps % 2 == 0 for taps in layer.kernel):
        raise SystemExit(f"rate_torch.py: {layer.name}: same padding of an even kernel or a stride has no counterpart")
    return tuple(taps // 2 for taps in layer.kernel)


def module_of(layer):
    if layer.kind == "conv":
        return nn.Conv2d(layer.inside[0], layer.out[0], layer.kernel, stride=layer.stride, padding=padding_of(layer))
    if layer.kind == "linear":
        return nn.Linear(numpy.prod(layer.inside), layer.out[0])
    if layer.kind == "maxpool":
        return nn.MaxPool2d(layer.kernel, stride=layer.stride)
    return nn.ReLU(inplace=True) if layer.kind == "relu" else nn.Dropout(layer.rate)


def network_of(layers):
    modules, flat = [], False
    for layer in layers:
        if layer.kind == "linear" and not flat:
            modules.append(nn.Flatten())
            flat = True
        modules.append(module_of(layer))
    return nn.Sequential(*modules)


class Rate:
    """A network that is made anew when what is asked for is another thing than before."""

    def __init__(self, options):
        shape = tuple(int(size) for size in options.shape.split("x"))
        self.layers = layers_of(Network("", options.spec, shape, options.classes))
        self.layout = torch.channels_last if options.channels_last else torch.contiguous_format
        pixels = numpy.fromfile(options.images, numpy.uint8).reshape(-1, *shape)
        self.images = torch.from_numpy(pixels.astype(numpy.float32) / 255)
        self.labels = torch.from_numpy(numpy.fromfile(options.labels, numpy.uint8).astype(numpy.int64))
        self.parameters = options.parameters
        self.criterion = nn.CrossEntropyLoss()
        self.made = None

    def make(self, training, batch):
        torch.manual_seed(1)
        self.net = network_of(self.layers).to(memory_format=self.layout)
        self.net.train(training)
        self.count = len(self.labels) - len(self.labels) % batch
        self.batch, self.at, self.order = batch, 0, torch.randperm(self.count)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=1e-3)
        self.fixed = self.images[:batch].contiguous(memory_format=self.layout)
        self.made = (training, batch)

    def step(self, index):
        self.optimizer.zero_grad(set_to_none=True)
        images = self.images[index].contiguous(memory_format=self.layout)
        loss = self.criterion(self.net(images), self.labels[index])
        loss.backward()
        self.optimizer.step()
        return loss

    def train(self):
        if self.at == self.count:
            self.at, self.order = 0, torch.randperm(self.count)
        self.step(self.order[self.at:self.at + self.batch])
        self.at += self.batch

    def infer(self):
        with torch.inference_mode():
            self.net(self.fixed)

    @staticmethod
    def run_for(work, seconds):
        """Steps for so many seconds; how many there were, and what they took."""
        steps, start, took = 0, time.perf_counter(), 0
        while took < seconds or not steps:
            work()
            steps += 1
            took = time.perf_counter() - start
        return steps, took

    def measure(self, training, batch, seconds):
        work = self.train if training else self.infer
        if self.made != (training, batch):
            self.make(training, batch)
            for _ in range(WARM_UP_STEPS):
                work()
            if training:
                self.run_for(work, WARM_UP_SECONDS)
        steps, took = self.run_for(work, seconds)
        return {"images_per_second": steps * batch / took, "steps": steps}

    def losses(self, batch, steps):
        self.make(True, batch)
        values, at = numpy.fromfile(self.parameters, numpy.float32), 0
        with torch.no_grad():
            for parameter in self.net.parameters():
                count = parameter.numel()
                parameter.copy_(torch.from_numpy(values[at:at + count]).reshape(parameter.shape))
                at += count
        self.made = None
        return {"losses": [self.step(torch.arange(batch)).item() for _ in range(int(steps))]}


def main():
    parser = argparse.ArgumentParser()
    for name, kind in (("spec", str), ("shape", str), ("classes", int), ("threads", int), ("images", str), ("labels", str),
                       ("parameters", str)):
        parser.add_argument(name, type=kind)
    parser.add_argument("--channels-last", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rate = Rate(options)
    for line in sys.stdin:
        word, batch, amount = line.split()
        if word == "losses":
            told = rate.losses(int(batch), float(amount))
        else:
            told = rate.measure(word == "train", int(batch), float(amount))
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
