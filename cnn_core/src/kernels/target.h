/* SPDX-License-Identifier: BSD-3-Clause */
/* How the sums of a product begin and where they go: the same for dense and sparse products. */
#ifndef CNN_KERNELS_TARGET_H
#define CNN_KERNELS_TARGET_H

#include "names.h"
#include "vector.h"

/* What the sums of the columns from j on begin with, which go to c. */
INLINE vector start_of(const cnn_target *target, const float *c, int j)
{
    return target->continued ? load(c) : target->start ? load(target->start + j) : (vector){0};
}

/* Where row i goes, from column j on. */
INLINE float *place_of(const cnn_target *target, int i, int j)
{
    return target->c + (target->row ? target->row[i] : i * target->pitch) + j;
}

/* Writes the sums of one row, in `vectors` vectors of which the last counts `last` lanes. */
INLINE void finish(const cnn_target *target, float *c, int last, const vector *sums, int vectors)
{
    vector result[8];
    UNROLL for (int v = 0; v < vectors; v++) result[v] = sums[v];
    if (target->accumulate)
        UNROLL for (int v = 0; v < vectors; v++) result[v] =
            load_some(c + v * LANES, v < vectors - 1 ? LANES : last) + result[v];
    if (target->relu)
        UNROLL for (int v = 0; v < vectors; v++) result[v] = rectified(result[v]);
    UNROLL for (int v = 0; v < vectors; v++)
        store_some(c + v * LANES, result[v], v < vectors - 1 ? LANES : last);
}

#endif
