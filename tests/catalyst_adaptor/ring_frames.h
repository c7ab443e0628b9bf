/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames for the tests of the ring, whose every value tells their step. */
#ifndef WEIGHTSCAPE_TEST_RING_FRAMES_H
#define WEIGHTSCAPE_TEST_RING_FRAMES_H

#include "frame.h"
#include <string.h>

static inline size_t ring_frame_offset(void)
{
    const size_t bytes = sizeof(ws_frame_header) + sizeof(ws_frame_array);
    return (bytes + WS_FRAME_ALIGNMENT - 1) / WS_FRAME_ALIGNMENT * WS_FRAME_ALIGNMENT;
}

/* Size of a frame with one array of so many values; a multiple of 16 of them leaves no gap at its end. */
static inline size_t ring_frame_bytes(size_t values)
{
    return ring_frame_offset() + values * sizeof(float);
}

static inline uint32_t ring_frame_value(uint64_t step, size_t index)
{
    return (uint32_t)(step * 2654435761u + index * 40503u);
}

/* Header and directory, without values. */
static inline void ring_frame_head(void *memory, size_t values, uint64_t step)
{
    const ws_frame_header head = {.magic = WS_FRAME_MAGIC,
                                  .version = WS_FRAME_VERSION,
                                  .array_count = 1,
                                  .bytes = ring_frame_bytes(values),
                                  .step = step};
    const ws_frame_array array = {.name = "conv/weight",
                                  .type = WS_FLOAT32,
                                  .rank = 1,
                                  .shape = {(int64_t)values, 1, 1, 1},
                                  .offset = ring_frame_offset(),
                                  .bytes = values * sizeof(float)};
    memcpy(memory, &head, sizeof head);
    memcpy((char *)memory + sizeof head, &array, sizeof array);
}

static inline void ring_frame_values(void *memory, size_t values, uint64_t step)
{
    uint32_t *at = (uint32_t *)((char *)memory + ring_frame_offset());
    for (size_t i = 0; i < values; i++)
        at[i] = ring_frame_value(step, i);
}

static inline void ring_frame_make(void *memory, size_t values, uint64_t step)
{
    ring_frame_head(memory, values, step);
    ring_frame_values(memory, values, step);
}

/* Whether this is the frame of its step, to the last bit. */
static inline int ring_frame_is_whole(const void *frame, size_t values)
{
    const uint64_t step = ws_frame_head(frame)->step;
    const uint32_t *at = (const uint32_t *)((const char *)frame + ring_frame_offset());
    if (ws_frame_head(frame)->bytes != ring_frame_bytes(values))
        return 0;
    for (size_t i = 0; i < values; i++)
        if (at[i] != ring_frame_value(step, i))
            return 0;
    return 1;
}

#endif
