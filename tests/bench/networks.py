# SPDX-License-Identifier: BSD-3-Clause
"""The networks that are measured, and what each of their layers has to do. The specs are those that the program reads
(docs/training.md).

A multiplication and an addition are two FLOP; nothing else is counted. Taps on padding are, since dense kernels do them."""
import math
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Network:
    title: str
    spec: str
    shape: tuple  # C, H, W
    classes: int = 10


NETWORKS = {
    "poster": Network("the poster's network", "conv 16 3x3, relu, maxpool 2, conv 32 3x3, relu, maxpool 2, "
                      "linear 1024, relu, dropout 0.5, linear 10", (1, 28, 28)),
    "lenet5": Network("LeNet-5", "conv 6 5x5, relu, maxpool 2, conv 16 5x5 valid, relu, maxpool 2, "
                      "linear 120, relu, linear 84, relu, linear 10", (1, 28, 28)),
    "vgg": Network("VGG-like, 32x32x3", "conv 32 3x3, relu, conv 32 3x3, relu, maxpool 2, "
                   "conv 64 3x3, relu, conv 64 3x3, relu, maxpool 2, "
                   "conv 128 3x3, relu, conv 128 3x3, relu, maxpool 2, "
                   "linear 256, relu, dropout 0.5, linear 10", (3, 32, 32)),
}


@dataclass(frozen=True)
class Layer:
    kind: str    # conv, relu, maxpool, dropout, linear
    name: str    # as in the program: conv1, pool1, fc1
    inside: tuple   # C, H, W; of a linear layer as many numbers as it takes
    out: tuple
    kernel: tuple = (1, 1)
    stride: int = 1
    same: bool = False
    rate: float = 0.0
    needs_input_gradient: bool = False

    @property
    def weights(self):
        if self.kind == "conv":
            return self.out[0] * self.inside[0] * math.prod(self.kernel)
        return math.prod(self.out) * math.prod(self.inside) if self.kind == "linear" else 0

    def forward_flop(self):
        """Of one image."""
        return 2 * self.weights * (self.out[1] * self.out[2] if self.kind == "conv" else 1)

    def backward_flop(self):
        """Of one image: the weights' gradient, and the input's where a layer with weights lies before."""
        return self.forward_flop() * (1 + self.needs_input_gradient)


def _layer(words, inside):
    """Kind, shape of the output, and the rest of one layer's words."""
    kind, stride = words[0], 1
    if "stride" in words:
        stride = int(words[words.index("stride") + 1])
    channels, height, width = inside
    if kind == "conv":
        kernel = tuple(int(word) for word in words[2].split("x"))
        same = "valid" not in words
        rows, columns = (math.ceil(size / stride) if same else (size - taps) // stride + 1
                         for size, taps in zip((height, width), kernel))
        return {"kind": kind, "out": (int(words[1]), rows, columns), "kernel": kernel, "stride": stride, "same": same}
    if kind == "maxpool":
        size = int(words[1])
        stride = stride if "stride" in words else size
        out = (channels, (height - size) // stride + 1, (width - size) // stride + 1)
        return {"kind": kind, "out": out, "kernel": (size, size), "stride": stride}
    if kind == "linear":
        return {"kind": kind, "out": (int(words[1]), 1, 1)}
    return {"kind": kind, "out": inside, "rate": float(words[1]) if kind == "dropout" else 0.0}


NAMES = {"conv": "conv", "relu": "relu", "maxpool": "pool", "dropout": "drop", "linear": "fc"}


def layers_of(network):
    """The layers of a network, in order."""
    found, inside, counted, parameters = [], network.shape, {}, False
    for text in network.spec.split(","):
        facts = _layer(text.split(), inside)
        kind = facts["kind"]
        counted[kind] = counted.get(kind, 0) + 1
        found.append(Layer(name=f"{NAMES[kind]}{counted[kind]}", inside=inside, needs_input_gradient=parameters, **facts))
        parameters = parameters or found[-1].weights > 0
        inside = facts["out"]
    return found


def flop_of(network, training):
    """Of one image."""
    return sum(layer.forward_flop() + (layer.backward_flop() if training else 0) for layer in layers_of(network))


def without_dropout(network):
    """The same with dropout of rate 0, so that all who compute it must come to the same losses."""
    return Network(network.title, re.sub(r"dropout [0-9.]+", "dropout 0", network.spec), network.shape, network.classes)
