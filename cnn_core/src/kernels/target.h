/* SPDX-License-Identifier: BSD-3-Clause */
/* How the sums of a product begin and where they go: the same for dense and sparse products. */
#ifndef CNN_KERNELS_TARGET_H
#define CNN_KERNELS_TARGET_H

#include "names.h"
#include "vector.h"

/* What the sums of the columns from j on begin with. */
INLINE vector start_of(const cnn_target *target, int j)
{
    return target->start ? load(target->start + j) : (vector){0};
}

INLINE vector load_some(const float *from, int count)
{
    if (count == LANES)
        return load(from);
    float lanes[LANES] = {0};
    for (int lane = 0; lane < count; lane++)
        lanes[lane] = from[lane];
    return load(lanes);
}

/* Writes the sums of `columns` columns from j on, in `vectors` vectors, to row i. */
INLINE void finish(const cnn_target *target, int i, int j, int columns, const vector *sums, int vectors)
{
    float *c = target->c + (target->row ? target->row[i] : i * target->pitch) + j;
    const int last = columns - (vectors - 1) * LANES;
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
