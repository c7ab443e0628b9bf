/* SPDX-License-Identifier: BSD-3-Clause */
#include "names.h"
#include "vector.h"

enum { WIDES = 2, GRAM_TILE = 4 };

INLINE wide load_wide(const double *from)
{
    wide v;
    memcpy(&v, from, sizeof v);
    return v;
}

INLINE void store_wide(double *to, wide v)
{
    memcpy(to, &v, sizeof v);
}

INLINE void gram_tile(const cnn_gram *g, int i, int j)
{
    wide sum[GRAM_TILE][WIDES];
    for (int r = 0; r < GRAM_TILE; r++)
        for (int v = 0; v < WIDES; v++)
            sum[r][v] = (wide){0};
    const double *a = g->a + i, *b = g->b + j;
    for (int d = 0; d < g->depth; d++) {
        wide operand[WIDES];
        for (int v = 0; v < WIDES; v++)
            operand[v] = load_wide(b + v * WIDE_LANES);
        for (int r = 0; r < GRAM_TILE; r++)
            for (int v = 0; v < WIDES; v++)
                sum[r][v] += a[r] * operand[v];
        a += g->step;
        b += g->step;
    }
    for (int r = 0; r < GRAM_TILE; r++)
        for (int v = 0; v < WIDES; v++) {
            double *c = g->c + (i + r) * g->c_row + j + v * WIDE_LANES;
            store_wide(c, load_wide(c) + sum[r][v]);
        }
}

void KERNEL(gram)(const cnn_gram *g)
{
    for (int i = 0; i < CNN_GRAM_ROWS; i += GRAM_TILE)
        for (int j = 0; j < g->n; j += WIDES * WIDE_LANES)
            gram_tile(g, i, j);
}
