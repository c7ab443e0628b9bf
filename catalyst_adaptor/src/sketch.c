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

static void add(const uint8_t *table, const float *weight, const float *initial, size_t count, double *sum)
{
    for (size_t i = 0; i < count; i++) {
        const double moved = (double)weight[i] - initial[i];
        sum[table[i] & CELL_MASK] += table[i] & MINUS ? -moved : moved;
    }
}

static size_t place(const int32_t *places, size_t i)
{
    return places ? (size_t)places[i] : i;
}

size_t ws_sketch_places_count(const ws_sketch_places *places)
{
    size_t rows = 0;
    for (size_t i = 0; i < places->rows; i++)
        rows = place(places->row, i) >= rows ? place(places->row, i) + 1 : rows;
    return rows * places->whole_columns * places->each;
}

void ws_sketch(const uint8_t *table, const ws_sketch_places *places, const float *weight,
               const float *initial, float out[WS_SKETCH_CELLS])
{
    /* Columns that are all where they were lie together. */
    const size_t together = places->column ? 1 : places->columns, stretch = together * places->each;
    double sum[WS_SKETCH_CELLS] = {0};
    for (size_t i = 0, at = 0; i < places->rows; i++)
        for (size_t j = 0; j < places->columns; j += together, at += stretch) {
            const size_t then = place(places->row, i) * places->whole_columns + place(places->column, j);
            add(table + then * places->each, weight + at, initial + at, stretch, sum);
        }
    for (int i = 0; i < WS_SKETCH_CELLS; i++)
        out[i] = (float)sum[i];
}
