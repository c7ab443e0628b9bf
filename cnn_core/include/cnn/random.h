/* SPDX-License-Identifier: BSD-3-Clause */
/* Counter-based random numbers: a number is a pure function of (seed, stream, position), so that threads,
 * resumption and order of evaluation cannot change it.
 * Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011. */
#ifndef CNN_RANDOM_H
#define CNN_RANDOM_H

#include <stdint.h>

/* Purposes that must not share numbers; the position within a stream is the caller's. */
typedef enum cnn_stream {
    CNN_STREAM_INITIAL = 1, /* high word: index of the parameter tensor */
    CNN_STREAM_SHUFFLE = 2, /* high word: epoch */
    CNN_STREAM_DROPOUT = 3, /* high word: step; position counts from the layer's own base */
    CNN_STREAM_PROBE = 4,   /* choice of a fixed probe set */
    CNN_STREAM_MERGE = 5,   /* units that go at random; high word: number of the layer */
    CNN_STREAM_SWEEP = 16,  /* values that a sweep draws; high word: the draw */
} cnn_stream;

/* Four independent 32-bit words of block `block` of (seed, stream, high). Any thread. */
void cnn_random_block(uint64_t seed, cnn_stream stream, uint64_t high, uint32_t block, uint32_t out[4]);

/* Word number `position` of the same sequence (block position / 4). */
uint32_t cnn_random_word(uint64_t seed, cnn_stream stream, uint64_t high, uint64_t position);

/* A word as a float in [0, 1), a multiple of 2^-24: exact, the same on every machine. */
static inline float cnn_random_unit(uint32_t word)
{
    return (float)(word >> 8) * 0x1p-24f;
}

/* Fills order[0..count) with a uniformly shuffled 0..count-1 (Fisher-Yates), a pure function of
 * (seed, stream, high). */
void cnn_random_order(uint64_t seed, cnn_stream stream, uint64_t high, uint32_t *order, uint32_t count);

#endif
