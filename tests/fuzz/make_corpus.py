#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of corpus/: small inputs of every kind that each target reads. make_corpus.py FOLDER

What a fuzzer found later lies beside them, as found-*.seed, and is not touched. Recordings are those that
tests/catalyst_adaptor/make_museum.c made; checkpoints and histories are laid out here by hand, as their headers say.
"""
import gzip
import json
import struct
import sys
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
MUSEUM = HERE.parent / "catalyst_adaptor" / "museum"


def idx(shape):
    count = 1
    for extent in shape:
        count *= extent
    head = bytes([0, 0, 8, len(shape)]) + b"".join(struct.pack(">I", extent) for extent in shape)
    return head + bytes(7 * i % 10 for i in range(count))


def zipped(content):
    return gzip.compress(content, 9, mtime=0)


def seeds_of_idx():
    images, labels = idx((3, 4, 5)), idx((6,))
    return {
        "images": images, "labels": labels, "colours": idx((2, 3, 2, 2)), "matrix": idx((4, 4)), "none": idx((0, 2, 2)),
        "images-gzip": zipped(images), "labels-gzip": zipped(labels), "long-gzip": zipped(idx((100, 9, 9))),
        "two-members": zipped(images) + zipped(labels), "twice": zipped(zipped(labels)), "html": b"<html></html>",
        "announces-much": struct.pack(">BBBBII", 0, 0, 8, 2, 0xffffffff, 16) + bytes(5),
        "little-endian": struct.pack("<IIII", 2051, 1, 1, 1) + bytes(1), "floats": idx((3,))[:2] + b"\x0d\x01" + bytes(8),
    }


def seeds_of_dataset():
    def pair(images, labels):
        return struct.pack("<H", len(images)) + images + labels
    images, labels = idx((6, 3, 4)), idx((6,))
    return {
        "plain": pair(images, labels), "gzip": pair(zipped(images), zipped(labels)), "fewer": pair(images, idx((5,))),
        "swapped": pair(labels, images), "colours": pair(idx((2, 3, 2, 2)), idx((2,))),
        "wide": pair(idx((1, 1, 2000)), idx((1,))), "high-label": pair(idx((1, 2, 2)), idx((1,))[:-1] + b"\x0a"),
    }


def safetensors(tensors, metadata=None):
    """{name: (dtype, shape, bytes)} as a file."""
    header, data = ({"__metadata__": metadata} if metadata else {}), b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def floats(count, first=0.5):
    return struct.pack(f"<{count}f", *(first + i / 16 for i in range(count)))


def network_tensors(widths=(2, 3), prefix="", ending=""):
    """Those of conv A 3x3, relu, linear B on 1x4x4 images."""
    a, b = widths
    shapes = {"conv1.weight": [a, 1, 3, 3], "conv1.bias": [a], "fc1.weight": [b, 16 * a], "fc1.bias": [b]}
    found = {}
    for name, shape in shapes.items():
        count = 1
        for extent in shape:
            count *= extent
        found[prefix + name + ending] = ("F32", shape, floats(count))
    return found


def seeds_of_checkpoint():
    spec = "conv 2 3x3, relu, linear 3"
    said = {"format": "pt", "weightscape": "0.1.0", "net": spec, "input": "1x4x4", "classes": "3", "step": "7", "seed": "5"}
    state = {"random.state": ("U64", [2], struct.pack("<QQ", 5, 7))}
    momentum = network_tensors(prefix="optimizer.", ending=".momentum_buffer")
    adam = {**network_tensors(prefix="optimizer.", ending=".exp_avg"),
            **network_tensors(prefix="optimizer.", ending=".exp_avg_sq")}
    gradient = {"gradient.conv1.weight": ("F32", [2, 1, 3, 3], floats(18))}
    merge = {"step": 5, "layer": "conv1", "before": 3, "after": 2, "method": "similar", "threshold": 0.9,
             "predicted": 0.01, "measured": None}
    merged = {**state, **network_tensors(), **network_tensors(prefix="initial."),
              "source.conv1": ("I32", [2], struct.pack("<ii", 0, 2))}
    types = {"F64": 8, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
    return {
        "plain": safetensors({**state, **network_tensors()}, said),
        "checksum": safetensors({**state, **network_tensors()}, {"crc32": "00000000", **said}),
        "momentum": safetensors({**state, **network_tensors(), **momentum, **gradient}, {**said, "optimizer": "momentum"}),
        "adam": safetensors({**state, **network_tensors(), **adam}, {**said, "optimizer": "adam"}),
        "merged": safetensors(merged, {**said, "merges": json.dumps([merge])}),
        "foreign": safetensors({"a": ("F32", [2, 2], floats(4)), "b": ("F32", [], floats(1)), "none": ("U8", [0, 9], b"")}),
        "types": safetensors({name: (name, [3], bytes(3 * size)) for name, size in types.items()}),
        "huge-net": safetensors({**state, **network_tensors()}, {**said, "net": "conv 1048576 3x3, relu, linear 3"}),
        "huge-input": safetensors({**state, **network_tensors()}, {**said, "input": "1x2147483647x2147483647"}),
        "nested": struct.pack("<Q", 400) + b"{" + b'"a":{' * 60 + b" " * 99, "empty": struct.pack("<Q", 2) + b"{}",
        "length": struct.pack("<Q", 1 << 40) + b"{}",
    }


def texts(*lines):
    """Named by their content, so that another one changes no names."""
    contents = [line.encode("utf-8", "surrogateescape") for line in lines]
    return {f"{zlib.crc32(content):08x}": content for content in contents}


def seeds_of_network():
    return texts(
        "conv 16 3x3, relu, maxpool 2, conv 32 3x3, relu, maxpool 2, linear 1024, relu, dropout 0.5, linear 10",
        "conv 4 5x3 stride 2 valid\nrelu # a comment, with a comma\nmaxpool 2x3 stride 2\nlinear 10\n",
        "maxpool 2 stride 1, dropout 0.25, dropout 0.999, linear 3", "linear 1048576", "conv 1048576 28x28, linear 1",
        "linear 10,, relu", "conv 3, relu", "constant", "constant,warmup=10", "step,every=100,factor=0.5,warmup=7",
        "cosine", "cosine,floor=0.01,warmup=18446744073709551615", "step,every=1,factor=1e-300", "0.001", "-1e-320", "1e308",
        "5", "999", "18446744073709551616", "0x10", "1,5", "inf", "nan", " 1", "1e", "+3")


def frame(arrays, step=5, version=2):
    """{name: (type, shape)} as frame.h lays it out: a header, a directory, values at multiples of 64 bytes."""
    width = {1: 4, 2: 8, 3: 4}
    entry = struct.Struct("<48sII4qQQ")
    at, directory, values = 128 + entry.size * len(arrays), b"", b""
    for name, (kind, shape) in arrays.items():
        count = width[kind]
        for extent in shape:
            count *= extent
        gap = -at % 64
        directory += entry.pack(name.encode(), kind, len(shape), *shape, *[1] * (4 - len(shape)), at + gap, count)
        values += bytes(gap) + bytes((i * 11) % 256 for i in range(count))
        at += gap + count
    head = struct.pack("<8sIIQQQ7d32x", b"WSFRAME", version, len(arrays), at, step, 1, *[0.5] * 7)
    return head + directory + values


def seeds_of_frame():
    conv = {"conv1/weight": (1, (4, 1, 3, 3)), "conv1/gradient": (1, (4, 1, 3, 3)), "conv1/weight_range": (2, (1,))}
    more = {"conv1/source": (3, (4,)), "conv1/activation": (1, (2, 4, 5, 5)), "conv1/pearson": (2, (4, 4))}
    return {"weights": frame(conv), "all": frame({**conv, **more}), "old": frame(conv, version=1),
            "none": frame({}), "long": frame({"conv1/weight": (1, (16, 16, 3, 3))})}


SKETCH_CELLS = 64


def history(layers, rows):
    """{name: whether it is a convolution} as row_layout.h has it; rows of the steps 1, 2, ..."""
    walks = [name for name, is_conv in layers.items() if is_conv]
    names = ["step", "epoch", "time_s", "loss", "accuracy", "learning_rate", "validation_loss", "validation_accuracy"]
    names += [f"{name}_{norm}_l2" for name in layers for norm in ("weight", "gradient", "distance")]
    names += [f"{name}_{axis}" for name in walks for axis in ("w0", "w1")]
    columns = [[name, "<f8", 1] for name in names] + [[f"{name}_sketch", "<f4", SKETCH_CELLS] for name in walks]
    head = json.dumps({"version": 1, "columns": columns}).encode() + b"\n"
    content = b"WSHIST1\n" + struct.pack("<Q", len(head)) + head
    for step in range(1, rows + 1):
        content += struct.pack(f"<{len(names)}d", step, *(step / (i + 2) for i in range(len(names) - 1)))
        content += floats(SKETCH_CELLS * len(walks), step)
    return content


def seeds_of_history():
    one = history({"conv1": True, "fc1": False}, 4)
    return {"one": one, "torn": one[:-100], "bare": history({"fc1": False}, 30), "none": history({"conv1": True}, 0),
            "two": history({"conv1": True, "conv2": True}, 2), "head": one[:200], "falls": one + one[-SKETCH_CELLS:],
            "long-head": b"WSHIST1\n" + struct.pack("<Q", 1 << 22), "other-order": b"WSHIST1\n" + struct.pack(">Q", 100)}


def change(place, offset, width, number):
    return struct.pack("<BIBQ", place, offset, width - 1, number)


def seeds_of_ring():
    def patched(what, *changes):
        return bytes([what]) + b"".join(changes)
    most = (1 << 64) - 1
    return {
        "whole": patched(14), "whole-own": patched(4), "written": patched(2), "live": patched(8),
        "head-slots": patched(0, change(0, 32, 4, 1 << 31)), "head-bytes": patched(0, change(0, 56, 8, most)),
        "slot-words": patched(14, *(change(4, 64 * i, 8, most) for i in range(3))),
        "slot-steps": patched(12, *(change(4, 64 * i + 8, 8, 3) for i in range(3))),
        "slot-must": patched(4, *(change(4, 64 * i + 16, 4, most) for i in range(3))),
        "pins": patched(14, change(2, 4, 4, most), change(3, 4, 4, 2)),
        "told": patched(2, change(2, 20, 4, most), change(3, 20, 4, 5), change(3, 28, 4, 16)),
        "wishes": patched(2, change(3, 0, 4, 6), *(change(3, 96 + 8 * i, 8, most) for i in range(12))),
        "base": patched(0, change(5, 16, 8, 1 << 40)),
        "frame-bytes": patched(12, *(change(6, 16 + 384 * i, 8, 1 << 40) for i in range(6))),
        "frame-count": patched(4, *(change(6, 12 + 384 * i, 4, 1 << 30) for i in range(6))),
        "status": patched(0, change(1, 48, 8, most), change(1, 56, 8, most)),
        "no-ring": b"\x01" + b"WSRING\n\0" + struct.pack("<I", 3),
    }


def seeds_of_merge_spec():
    return texts(
        "threshold=0.9,layers=conv1+conv2,every=1epoch,bound=0.02", "keep=3", "keep=3+4+5,layers=conv1+conv2+fc1",
        "most=2,minimum=2,probe=100", "method=norm,keep=2", "method=random,most=1", "at=1+2+3epochs+500steps", "at=500",
        "every=100,from=1epoch,until=5epochs", "threshold=-1", "layers=conv1,at=1", "", "keep", "keep=", "a=b",
        "keep=1+1,keep=2",
        "threshold=0.5,threshold=0.5", "layers=relu1", "layers=" + "+".join(f"l{i}" for i in range(40)),
        "at=" + "+".join(str(i + 1) for i in range(70)), "every=99999999999999999999", "bound=1e400", "most=1048577")


def seeds_of_axis():
    return texts(
        "lr=0.001,0.01", "lr=1e-4..1e-1:log:5", "lr=1e-4..1e-1:log", "lr=0.1..0.2", "batch=16..128:4", "batch=1..3",
        "seed=0..18446744073709551615:3", "seed=0..9223372036854775807:3", "seed=0..9223372036854775807",
        "seed=1,2,3", "seed=5..4:2", "optimizer=adam,sgd|momentum", "optimizer=adam,sgd",
        "net=conv 2 3x3, relu, linear 10|linear 10", "schedule=cosine|step,every=5,factor=0.5", "learning_rate=0.1,0.2",
        "lr=",
        "lr=..", "lr=1..2..3", "lr=1..2:log:1", "lr=0.1,1e-1", "lr=0..1:log:3", "epochs=1..1000000:1000", "quiet=1",
        "nothing=1", "lr",
        "merge=keep=3|most=2", "momentum=0..0.999999:7", "lr=1e-30..1e38:log:1000")


def line(**more):
    return json.dumps({**more, "origin": "ctl, process 5", "time": "2026-01-02T03:04:05Z"}) + "\n"


def seeds_of_steering():
    turned = line(step=3, name="learning_rate", old="0.1", new="0.01")
    paused = line(step=3, action="pause", value="")
    merge = line(step=5, action="merge", value="keep=1", result={"net": "conv 1 3x3, relu, linear 3"})
    return texts("", turned, turned + paused + merge + line(step=200, action="stop", value=""), merge, paused[:-9],
                 turned + paused[:-1], line(step=5, action="merge", value=""), line(step=-1, action="pause", value=""),
                 turned + line(step=2, action="pause", value=""), "\n", "{}\n", "[]\n", "null\n", turned[:-2] + "\n",
                 turned.replace("0.01", "\\u0000"), line(step=1 << 62, action="undo_merge", value="1"),
                 line(step=3, action="pause", value="", result=3), turned.replace("step", "stop"))


def seeds_of_control():
    def asked(*requests):
        return "".join(json.dumps(request) + "\n" for request in requests)
    seeds = texts(
        asked({"command": "status"}), asked({"command": "get"}), asked({"command": "get", "names": ["batch", "dropout"]}),
        asked({"command": "get", "names": ["no"]}, {"command": "get", "names": 3}, {"command": "get", "names": [3]}),
        asked({"command": "set", "values": {"learning_rate": 0.5, "batch": 8}}),
        asked({"command": "set", "values": {"schedule": "cosine,floor=0.1", "momentum": "0.5", "weight_decay": 1e-4}}),
        asked({"command": "set", "values": {"dropout": 0.75}}, {"command": "set", "values": {"stop_after_epoch": True}}),
        asked({"command": "set", "values": {"pause_at": 100, "merge_threshold": -0.5}}),
        asked({"command": "set", "values": {}}),
        asked({"command": "set", "values": {"batch": [1]}}), asked({"command": "set", "values": {"overhead": 0.5}}),
        asked({"command": "pause"}, {"command": "step", "count": 5}, {"command": "continue"}),
        asked({"command": "step", "count": "x"}, {"command": "step", "count": []}), asked({"command": "checkpoint"}),
        asked({"command": "stop"}, {"command": "undo_merge"}), asked({"command": "merge", "spec": "keep=4,layers=conv1"}),
        asked({"command": "merge", "spec": "most=1"}, {"command": "undo_merge"}, {"command": "status"}),
        asked({"command": "merge"}), asked({"command": "merge", "spec": 5}), asked({"command": "merge", "spec": "every=1"}),
        asked({"command": "nothing"}, {"commend": 1}, [], 5, None), "{}\n\n\n[\n",
        '{"command":"status"', '{"command": "get", "command": "set"}\n',
        asked(*({"command": "status"} for _ in range(12))), '{"command":"g\\u0000t"}\n', '"' + "\udcff\udcfe" + '"\n')
    return seeds


def seeds_of_knobs():
    lines = (
        "learning_rate=0.5", "schedule=step,every=10,factor=0.5", "momentum=0.99", "weight_decay=1", "dropout=0.5",
        "dropout=0.1/0.2", "batch=20", "batch=21", "merge_threshold=1", "overhead=1", "live_rate=3", "pause_at=1000000000000",
        "pause_at=2", "stop_after_epoch=1", "learning_rate=1e38", "momentum=0.99999999999",
        "learning_rate=0.5\nbatch=7\ndropout=0",
        "batch=2\nbatch=3", "batch=5\nmomentum=2", "nothing=1", "schedule=", "schedule=" + "cosine," * 300, "weight_decay=-0")
    return texts(*("0" + each for each in lines), *("1" + each for each in lines))


def seeds_of_options():
    return texts(
        "train\n--data\nd\n--epochs\n3\n--lr=0.1\n--batch\n7", "train\n--steps=+100\n--schedule=cosine\n--merge=keep=3,at=1",
        "train\n--resume\nr\n--quiet\n--no-quiet", "train\n--help", "train\n--frobnicate", "train\n-o\nx",
        "train\n--lr\n1e999",
        "train\n--live=localhost:99999", "train\n--pipeline\na\n--pipeline\nb",
        "train\n--insitu=sidecar\n--overhead=0.5\n--record=10",
        "train\nextra", "eval\nx", "info", "info\na\nb", "merge\nx\n--threshold=0.5", "sweep\n-o\nx\n--vary\nlr=1,2",
        "watch\nrun\n--live",
        "replay\nrun\n--pipeline=p", "ctl\nrun\nset\nlr=3", "compare\na\nb", "diagnose\nrun\n--json", "doctor",
        "completion\nbash",
        "help\n--man", "export\nrun\n--step=5", "gui\nrun", "nothing", "train\n--\n--data", "train\n--lr", "train\n--seed=-1")


def seeds_of_recording():
    whole = (MUSEUM / "three_frames.wsrec").read_bytes()
    count = struct.pack("<QQ", 1 << 29, ~(1 << 29) & (1 << 64) - 1) * 2  # half a billion frames, at byte 64 of the head
    return {**{path.stem: path.read_bytes() for path in sorted(MUSEUM.glob("*.wsrec"))},
            "claims_much": whole[:64] + count + whole[96:]}


def write(folder, name, seeds):
    (folder / name).mkdir(parents=True, exist_ok=True)
    for old in (folder / name).glob("*.seed"):
        if not old.name.startswith("found-"):
            old.unlink()
    for seed, content in seeds.items():
        (folder / name / f"{seed}.seed").write_bytes(content)


def main():
    folder = Path(sys.argv[1])
    for name, function in sorted(globals().items()):
        if name.startswith("seeds_of_"):
            write(folder, name.removeprefix("seeds_of_"), function())


if __name__ == "__main__":
    main()
