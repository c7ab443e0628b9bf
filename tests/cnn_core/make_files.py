# SPDX-License-Identifier: BSD-3-Clause
"""Small IDX sets and safetensors files, good and bad, for tests of programs that read them."""

import gzip
import json
import struct
from pathlib import Path

import numpy as np

IMAGES_MAGIC, LABELS_MAGIC = 2051, 2049

DTYPES = {
    "float32": "F32", "float64": "F64", "float16": "F16", "int64": "I64", "uint64": "U64", "int32": "I32",
    "uint32": "U32", "int16": "I16", "uint16": "U16", "int8": "I8", "uint8": "U8", "bool": "BOOL",
}


def idx_bytes(values, magic=None, extents=None):
    """`values` as an IDX file; `magic` and `extents` replace what would be right."""
    values = np.asarray(values, np.uint8)
    extents = values.shape if extents is None else extents
    magic = 0x0800 + values.ndim if magic is None else magic
    return struct.pack(f">I{len(extents)}I", magic, *extents) + values.tobytes()


def learnable_images(labels, size, classes, seed, channels=1):
    """uint8 [N, channels, h, w]: dim noise, and a bright bar whose place among the rows and columns tells the label."""
    height, width = size
    images = np.random.default_rng(seed).integers(0, 60, (len(labels), channels, height, width), np.uint8)
    rows = min(height, (classes + 1) // 2)
    for image, label in zip(images, labels):
        if label < rows:
            image[:, label * height // rows, :] += 190
        else:
            image[:, :, (label - rows) * width // max(1, classes - rows) % width] += 190
    return images


def write_idx(folder, train=40, test=20, size=(8, 8), classes=10, seed=0, gz=False, names="dash", channels=1,
              labels=None):
    """The four files of a set that a small network can learn.

    `names`: "dash" (train-images-idx3-ubyte) or "dot" (train-images.idx3-ubyte). `labels` replaces the training
    labels (and their count), in range or not. Returns the paths, keyed "train-images", "train-labels", ...
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    joint = {"dash": "-", "dot": "."}[names]
    paths = {}
    for part, count, given in (("train", train, labels), ("t10k", test, None)):
        part_seed = [seed, part == "t10k"]
        numbers = np.arange(count) % classes if given is None else np.asarray(given)
        if given is None:
            np.random.default_rng(part_seed).shuffle(numbers)
        images = learnable_images(numbers % classes, size, classes, part_seed, channels)
        if channels == 1:
            images = images[:, 0]
        for kind, rank, values in (("images", 3, images), ("labels", 1, numbers)):
            data = idx_bytes(values)
            path = folder / f"{part}-{kind}{joint}idx{rank}-ubyte{'.gz' if gz else ''}"
            path.write_bytes(gzip.compress(data, mtime=0) if gz else data)
            paths[f"{part}-{kind}"] = path
    return paths


def write_safetensors(path, tensors, metadata=None, raw_header=None, length=None, payload=None):
    """A safetensors file of {name: array}.

    For bad files: `raw_header` (bytes, or an object for JSON) replaces the header, `length` the number in front of
    it, `payload` (bytes) the values.
    """
    entries, chunks, at = {}, [], 0
    if metadata is not None:
        entries["__metadata__"] = metadata
    for name, values in tensors.items():
        values = np.asarray(values)
        little = values.astype(values.dtype.newbyteorder("<"))
        entries[name] = {"dtype": DTYPES[values.dtype.name], "shape": list(values.shape),
                         "data_offsets": [at, at + little.nbytes]}
        chunks.append(little.tobytes())
        at += little.nbytes
    header = entries if raw_header is None else raw_header
    if not isinstance(header, bytes):
        header = json.dumps(header).encode()
    length = len(header) if length is None else length
    Path(path).write_bytes(struct.pack("<Q", length) + header + (b"".join(chunks) if payload is None else payload))


def read_safetensors(path):
    """({name: array}, metadata) of a right file, without the checksum, which is of its bytes as they are."""
    data = Path(path).read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:start])
    types = {short: np.dtype(name).newbyteorder("<") for name, short in DTYPES.items()}
    metadata = header.pop("__metadata__", {})
    metadata.pop("crc32", None)
    tensors = {}
    for name, entry in header.items():
        first, end = (start + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[first:end], types[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata
