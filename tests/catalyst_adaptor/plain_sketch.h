/* SPDX-License-Identifier: BSD-3-Clause */
/* The sketch of a layer from which nothing was merged, in one plain loop: what others are compared with. */
#ifndef PLAIN_SKETCH_H
#define PLAIN_SKETCH_H

#include "sketch.h"

static inline void plain_sketch(const uint8_t *table, const float *weight, const float *initial, size_t count,
                                float out[WS_SKETCH_CELLS])
{
    double sum[WS_SKETCH_CELLS] = {0};
    for (size_t i = 0; i < count; i++) {
        const double moved = (double)weight[i] - initial[i];
        sum[table[i] & 0x3f] += table[i] & 0x80 ? -moved : moved;
    }
    for (int i = 0; i < WS_SKETCH_CELLS; i++)
        out[i] = (float)sum[i];
}

#endif
