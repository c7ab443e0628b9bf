/* SPDX-License-Identifier: BSD-3-Clause */
#include "mutate.h"
#include <string.h>

/* Splitmix64 (Steele, Lea & Flood, OOPSLA 2014). */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static size_t below(uint64_t *state, size_t limit)
{
    return limit ? (size_t)(draw(state) % limit) : 0;
}

/* Numbers at which limits lie, in either byte order. */
static void put_number(fuzz_bytes *bytes, uint64_t *state)
{
    static const uint64_t numbers[] = {0,         1,          UINT8_MAX,         INT16_MAX, UINT16_MAX,
                                       INT32_MAX, UINT32_MAX, (uint64_t)1 << 32, INT64_MAX, UINT64_MAX,
                                       1 << 20,   64,         (uint64_t)1 << 48};
    const size_t width = (size_t)1 << below(state, 4), at = below(state, bytes->size);
    const uint64_t number = numbers[below(state, sizeof numbers / sizeof *numbers)] + below(state, 3) - 1;
    const int is_big = (int)below(state, 2);
    for (size_t i = 0; i < width && at + i < bytes->size; i++)
        bytes->at[at + i] = (uint8_t)(number >> 8 * (is_big ? width - 1 - i : i));
}

/* Repeats a part right behind itself. */
static void repeat(fuzz_bytes *bytes, uint64_t *state)
{
    const size_t at = below(state, bytes->size), most = bytes->room - bytes->size;
    size_t count = 1 + below(state, bytes->size - at < 64 ? bytes->size - at : 64);
    count = count < most ? count : most;
    memmove(bytes->at + at + count, bytes->at + at, bytes->size - at);
    bytes->size += count;
}

static void take_out(fuzz_bytes *bytes, uint64_t *state)
{
    const size_t at = below(state, bytes->size), count = 1 + below(state, bytes->size - at);
    const size_t part = count < 32 ? count : 1 + below(state, 32);
    memmove(bytes->at + at, bytes->at + at + part, bytes->size - at - part);
    bytes->size -= part;
}

/* One of the signs that texts are made of. */
static void put_sign(fuzz_bytes *bytes, uint64_t *state)
{
    static const char signs[] = "0123456789-+.,:;=|x\"{}[]\\/#eE \n\t\r%ns";
    bytes->at[below(state, bytes->size)] = (uint8_t)signs[below(state, sizeof signs)];
}

static void mutate_once(fuzz_bytes *bytes, uint64_t *state)
{
    switch (below(state, 7)) {
    case 0:
        bytes->at[below(state, bytes->size)] ^= (uint8_t)(1u << below(state, 8));
        break;
    case 1:
        bytes->at[below(state, bytes->size)] = (uint8_t)draw(state);
        break;
    case 2:
        put_number(bytes, state);
        break;
    case 3:
        put_sign(bytes, state);
        break;
    case 4:
        repeat(bytes, state);
        break;
    case 5:
        take_out(bytes, state);
        break;
    default:
        bytes->size = below(state, bytes->size);
        break;
    }
}

void fuzz_mutate(fuzz_bytes *bytes, uint64_t number)
{
    uint64_t state = number;
    for (size_t left = 1 + below(&state, 4); left && bytes->size; left--)
        mutate_once(bytes, &state);
}
