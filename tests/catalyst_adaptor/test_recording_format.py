# SPDX-License-Identifier: BSD-3-Clause
"""A reader written from recording.h's description alone reads what museum/ holds (sample.h)."""
import ctypes
import ctypes.util
import struct
import zlib

import numpy as np
import pytest


@pytest.fixture(scope="module")
def unpack():
    name = ctypes.util.find_library("zstd")
    if not name:
        pytest.skip("libzstd is not installed")
    zstd = ctypes.CDLL(name)
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    zstd.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]

    def run(packed, size):
        out = ctypes.create_string_buffer(size)
        assert zstd.ZSTD_decompress(out, size, packed, len(packed)) == size
        return out.raw
    return run


@pytest.fixture(scope="module")
def data(source):
    return (source / "tests/catalyst_adaptor/museum/three_frames.wsrec").read_bytes()


def joined(packed, width):
    """Bytes that were put together by their place, as elements again."""
    return np.frombuffer(packed, np.uint8).reshape(width, -1).T.tobytes()


def word(data, offset):
    value, check, again, again_check = struct.unpack_from("<4Q", data, offset)
    if check == value ^ 0xFFFFFFFFFFFFFFFF:
        return value
    assert again_check == again ^ 0xFFFFFFFFFFFFFFFF
    return again


def record(data, offset, magic):
    head = data[offset:offset + 80]
    assert head[:8] == magic
    number, step, base, size, stored, rows, rows_stored, check, rows_check, zero, own = struct.unpack("<7Q4I", head[8:])
    assert own == zlib.crc32(head[:76]) and zero == 0
    packed = data[offset + 80:offset + 80 + stored]
    packed_rows = data[offset + 80 + stored:offset + 80 + stored + rows_stored]
    assert (zlib.crc32(packed), zlib.crc32(packed_rows)) == (check, rows_check)
    return number, step, base, size, packed, rows, packed_rows


def entry(data, n):
    block = (n + 64).bit_length() - 7
    at = word(data, 96 + 32 * block) + 32 * (n + 64 - (64 << block))
    offset, step, rows, check = struct.unpack_from("<4Q", data, at)
    assert check == zlib.crc32(data[at:at + 24] + struct.pack("<Q", n))
    return offset, step, rows


def arrays(unpacked):
    """Name and values of each array of a frame (frame.h)."""
    magic, version, count, size, step = struct.unpack_from("<8sIIQQ", unpacked)
    assert (magic, version, size) == (b"WSFRAME\0", 1, len(unpacked))
    found = {}
    for i in range(count):
        name, kind, rank, *rest = struct.unpack_from("<48sII4qQQ", unpacked, 128 + 104 * i)
        shape, offset, length = rest[:rank], rest[4], rest[5]
        values = joined(unpacked[offset:offset + length], {1: 4, 2: 8}[kind])
        found[name.rstrip(b"\0").decode()] = np.frombuffer(values, {1: "<f4", 2: "<f8"}[kind]).reshape(shape)
    return step, found


def test_the_head(data):
    assert data[:8] == b"WSREC\r\n\x1a"
    order, version, size, row_bytes, text_bytes = struct.unpack_from("<QIIQQ", data, 8)
    assert (order, version, size, row_bytes) == (0x0102030405060708, 1, 864, 40)
    text = data[size:size + text_bytes]
    text_check, check = struct.unpack_from("<II", data, 56)
    assert (text_check, check) == (zlib.crc32(text), zlib.crc32(data[:60]))
    assert text == b'{"sample": "rows of 40 bytes"}'
    assert data[40:56] == bytes(16)
    assert word(data, 64) == 3


def expected_weights(step, first, shape):
    values = ((step + first + np.arange(np.prod(shape))) / 8).astype("<f4")
    values[:4] = np.frombuffer(struct.pack("<4I", 0x7FA00000 + step, 0x80000000, 1 + step, 0x7F800000), "<f4")
    return values.reshape(shape).tobytes()


@pytest.mark.parametrize("n", range(3))
def test_a_frame(data, unpack, n):
    offset, step, rows = entry(data, n)
    number, record_step, _, size, packed, row_count, packed_rows = record(data, offset, b"WSRFRAME")
    assert (number, record_step, step, rows, row_count) == (n, step, 10 * n + 10, 10 * n + 10, 10)
    frame_step, found = arrays(unpack(packed, size))
    assert frame_step == step
    assert list(found) == [f"conv{i}/{what}" for i in (1, 2) for what in ("weight", "gradient", "weight_range")]
    assert found["conv1/weight"].tobytes() == expected_weights(step, 0, (4, 1, 3, 3))
    assert found["conv2/weight"].tobytes() == expected_weights(step, 73, (2, 4, 3, 3))
    assert np.array_equal(found["conv1/gradient"].ravel(), np.float32(-(step + 36 + np.arange(36)) / 1024))
    assert found["conv2/weight_range"] == [0.5 + step]
    table = joined(unpack(packed_rows, 40 * row_count), 40)
    for i, at in enumerate(range(10 * n + 1, 10 * n + 11)):
        assert struct.unpack_from("<2d", table, 40 * i) == (at, 1 / (at + 1))
        assert struct.unpack_from("<6f", table, 40 * i + 16) == tuple(np.float32(at) / np.float32(k) for k in range(1, 7))


@pytest.mark.parametrize("n, which", [(0, 1), (1, 1), (2, 2)])
def test_a_base(data, unpack, n, which):
    frame = record(data, entry(data, n)[0], b"WSRFRAME")
    number, step, base, size, packed, rows, packed_rows = record(data, frame[2], b"WSRBASE\n")
    assert (number, step, base, rows, packed_rows) == (0, which, 0, 0, b"")
    _, found = arrays(unpack(packed, size))
    values = np.concatenate([found["conv1/initial"].ravel(), found["conv2/initial"].ravel()])
    assert np.array_equal(values, np.float32(np.arange(108) / 16 + which))
