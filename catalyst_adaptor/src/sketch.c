/* SPDX-License-Identifier: BSD-3-Clause */
#include "sketch.h"

#define CELL_MASK (WS_SKETCH_CELLS - 1)
#define MINUS     0x80
#define SEED      0x5745494748545343u /* "WEIGHTSC" */

/* The finaliser of splitmix64 (Steele, Lea, Flood, OOPSLA 2014). */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

void ws_sketch_table(uint8_t *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t hash = mix(SEED ^ i);
        table[i] = (uint8_t)((hash & CELL_MASK) | (hash >> 63 ? MINUS : 0));
    }
}

void ws_sketch(const uint8_t *table, const float *weight, const float *initial, size_t count,
               float out[WS_SKETCH_CELLS])
{
    double sum[WS_SKETCH_CELLS] = {0};
    for (size_t i = 0; i < count; i++) {
        const double moved = (double)weight[i] - initial[i];
        sum[table[i] & CELL_MASK] += table[i] & MINUS ? -moved : moved;
    }
    for (int i = 0; i < WS_SKETCH_CELLS; i++)
        out[i] = (float)sum[i];
}
