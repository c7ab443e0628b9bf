# SPDX-License-Identifier: BSD-3-Clause
"""Checkpoints that are damaged, of another network, or odd and legal: every command that reads one comes to the same
verdict."""

import json
import struct

import numpy as np
import pytest
from make_files import read_safetensors, write_safetensors

PARAMETERS = ("conv1.weight", "conv1.bias", "fc1.weight", "fc1.bias")


def parameters(path):
    """The parameters alone, and what the file says of itself."""
    tensors, metadata = read_safetensors(path)
    return {name: tensors[name].copy() for name in PARAMETERS}, metadata


def header_and_payload(path):
    data = path.read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:start]), data[start:]


def rewrite(path, change=lambda header: header, payload=lambda values: values, length=None):
    header, values = header_and_payload(path)
    write_safetensors(path, {}, raw_header=change(header), payload=payload(values), length=length)


def overlapping(header):
    header["fc1.bias"]["data_offsets"] = header["conv1.bias"]["data_offsets"]
    header["fc1.bias"]["shape"] = header["conv1.bias"]["shape"]
    return header


def duplicate(header):
    entry = json.dumps({"dtype": "F32", "shape": [0], "data_offsets": [0, 0]})
    return json.dumps(header)[:-1].encode() + f', "twice": {entry}, "twice": {entry}}}'.encode()


def of_dtype(name, dtype):
    def change(header):
        header[name]["dtype"] = dtype
        return header

    return change


BROKEN = {
    "header longer than the file": (dict(length=2**40), ["header"]),
    "header length near 2^64": (dict(length=2**64 - 3), ["header"]),
    "header of no bytes": (dict(length=0), ["header"]),
    "header that is a list": (dict(change=lambda header: []), ["header"]),
    "header nested 200,000 deep": (dict(change=lambda header: b"[" * 200000), ["header"]),
    "overlapping tensors": (dict(change=overlapping), ["conv1.bias", "fc1.bias"]),
    "duplicate key": (dict(change=duplicate), ["twice"]),
    "unknown dtype": (dict(change=of_dtype("conv1.bias", "F33")), ["conv1.bias", "F33"]),
    "one byte too many": (dict(payload=lambda values: values + b"x"), ["byte"]),
    "one byte too few": (dict(payload=lambda values: values[:-1]), []),
}


@pytest.fixture
def checkpoint(trained, tmp_path):
    """A good checkpoint outside of its run."""
    path = tmp_path / "net.safetensors"
    path.write_bytes(trained("source", "--steps", 3).last.read_bytes())
    return path


@pytest.mark.parametrize("damage, words", BROKEN.values(), ids=BROKEN)
def test_every_reader_refuses_a_broken_file(program, train, trained, small_set, checkpoint, damage, words):
    rewrite(checkpoint, **damage)
    run = trained("run", "--steps", 2)
    for path in run.checkpoints.iterdir():
        path.unlink()
    run.last.write_bytes(checkpoint.read_bytes())
    told = []
    for call in (["eval", "--data", small_set, checkpoint], ["info", checkpoint], ["train", "--resume", run.path]):
        result = program(*call)
        assert result.status == 2, result
        told.append(result.errors[0].split(".safetensors: ", 1)[1].removesuffix(" (skipped)"))
        for word in words:
            assert word in result.errors[0], result
    assert told[0] == told[1] == told[2]


def test_of_another_network(program, small_set, checkpoint):
    result = program("eval", "--data", small_set, "--net", "conv 5 3x3, relu, maxpool 2, linear 10", checkpoint)
    assert result.status == 2 and len(result.errors) == 1, result
    for word in ("conv1.weight", "[4,1,3,3]", "[5,1,3,3]"):
        assert word in result.errors[0]


def test_for_other_images(program, tmp_path, checkpoint):
    from make_files import write_idx
    write_idx(tmp_path / "large", size=(9, 9))
    result = program("eval", "--data", "large", checkpoint)
    assert result.status == 2 and len(result.errors) == 1, result
    assert "1x9x9" in result.errors[0] and "1x8x8" in result.errors[0]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite(program, small_set, checkpoint, value):
    tensors, metadata = parameters(checkpoint)
    tensors["fc1.weight"][3, 5] = value
    write_safetensors(checkpoint, tensors, metadata)
    result = program("eval", "--data", small_set, checkpoint)
    assert result.status == 2 and len(result.errors) == 1, result
    assert "fc1.weight" in result.errors[0]
    counts = {tensor["name"]: tensor["not_finite"]
              for tensor in json.loads(program.good("info", "--json", checkpoint).out)["tensors"]}
    assert counts == {"conv1.weight": 0, "conv1.bias": 0, "fc1.weight": 1, "fc1.bias": 0}


def test_odd_and_legal_files_give_the_same_result(program, small_set, checkpoint):
    """Any padding of the header, any order of its keys, tensors of no values, no metadata: all are the same network."""
    expected = program.good("eval", "--json", "--data", small_set, checkpoint).out
    original = checkpoint.read_bytes()

    def evaluate(*options):
        return program.good("eval", "--json", "--data", small_set, *options, checkpoint)

    for blanks in range(17):
        rewrite(checkpoint, change=lambda header: json.dumps(header).encode() + b" " * blanks)
        assert evaluate().out == expected
        checkpoint.write_bytes(original)

    rewrite(checkpoint, change=lambda header: dict(sorted(header.items(), reverse=True)))
    assert evaluate().out == expected

    tensors, metadata = parameters(checkpoint)
    write_safetensors(checkpoint, {"x": np.zeros((0, 3), np.uint8), **tensors}, metadata)
    result = evaluate()
    assert result.out == expected
    assert len(result.errors) == 1 and '"x"' in result.errors[0]

    for nothing in (None, {}):
        write_safetensors(checkpoint, tensors, nothing)
        assert evaluate("--net", metadata["net"]).out == expected

    write_safetensors(checkpoint, {name: values.astype(np.float64) for name, values in tensors.items()}, metadata)
    assert evaluate().out == expected


def set_metadata(path, **changes):
    """Changes metadata of a file, and nothing else; None: without that entry."""
    header, values = header_and_payload(path)
    entries = {**header["__metadata__"], **changes}
    header["__metadata__"] = {name: value for name, value in entries.items() if value is not None}
    write_safetensors(path, {}, raw_header=header, payload=values)


def test_a_checksum_that_is_wrong(program, trained, small_set, checkpoint):
    """Damaged or edited, nobody can tell: it may be looked at, with a note, but no training goes on from it."""
    expected = program.good("eval", "--json", "--data", small_set, checkpoint)
    assert not expected.errors
    assert json.loads(program.good("info", "--json", checkpoint).out)["checksum"] == "right"
    set_metadata(checkpoint, note="edited")
    result = program.good("eval", "--json", "--data", small_set, checkpoint)
    assert result.out == expected.out
    assert len(result.errors) == 1 and "note: " in result.errors[0] and "checksum" in result.errors[0]
    assert json.loads(program.good("info", "--json", checkpoint).out)["checksum"] == "wrong"
    run = trained("run", "--steps", 3)
    for path in run.checkpoints.iterdir():
        path.write_bytes(checkpoint.read_bytes())
    result = program("train", "--resume", run.path, "--steps", 4)
    assert result.status == 2 and "checksum" in result.errors[0] and "(skipped)" in result.errors[0], result


def test_an_edited_file_without_a_checksum_is_gone_on_with(program, trained, checkpoint):
    run = trained("run", "--steps", 3)
    set_metadata(run.last, crc32=None)
    set_metadata(run.checkpoints / "step_00000003.safetensors", crc32=None)
    assert json.loads(program.good("info", "--json", run.last).out)["checksum"] is None
    result = program.good("train", "--resume", run.path, "--steps", 4)
    assert not result.errors, result


def test_a_foreign_file_needs_its_network(program, small_set, checkpoint):
    tensors, _ = parameters(checkpoint)
    write_safetensors(checkpoint, tensors)
    result = program("eval", "--data", small_set, checkpoint)
    assert result.status == 2 and len(result.errors) == 1, result
    assert "--net" in result.errors[0]
