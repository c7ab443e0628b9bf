/* SPDX-License-Identifier: BSD-3-Clause */
/* How the sums of a product begin and where they go: the same for dense and sparse products. */
#ifndef CNN_KERNELS_TARGET_H
#define CNN_KERNELS_TARGET_H

#include "names.h"
#include "vector.h"

/* Where `rows` rows from i on begin: at row[i], or i * pitch if row is NULL. */
INLINE void place(const ptrdiff_t *row, ptrdiff_t pitch, int i, int rows, ptrdiff_t *to)
{
    /* One multiplication: compilers make vectors of several, which is slow. */
    const ptrdiff_t first = i * pitch;
    if (row)
        UNROLL for (int r = 0; r < rows; r++) to[r] = row[i + r];
    else
        UNROLL for (int r = 0; r < rows; r++) to[r] = first + r * pitch;
}

/* What cannot go past the caches is only far: what is read before it is written, or after it in another part
 * of the same sums, and vectors that are not aligned. */
INLINE void decide_distance(cnn_target *target, int parts)
{
    const int is_read = target->continued || target->accumulate || parts > 1;
    const int is_aligned =
        (uintptr_t)target->c % VECTOR_BYTES == 0 && target->pitch % LANES == 0 && !target->row;
    if (target->distance == CNN_FAR_FOR_NOW && (is_read || !is_aligned))
        target->distance = CNN_FAR;
}

/* Once all sums are written. */
INLINE void end_target(const cnn_target *target)
{
    if (target->distance == CNN_FAR_FOR_NOW)
        end_streaming();
}

/* What sums begin with from column j on, or NULL: zeros. */
INLINE const float *start_of(const cnn_target *target, int j)
{
    return target->start ? target->start + j : NULL;
}

/* Below, a tile of sums is `rows` rows of `vectors` vectors, row r at sums + r * vectors, and goes to c[r] +
 * j. What the target asks for is decided once for all rows. */

INLINE void begin(const cnn_target *target, const float *start, float *const *c, int j, vector *sums,
                  int rows, int vectors)
{
    if (target->continued) {
        UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++) sums[r * vectors + v] =
            load(c[r] + j + v * LANES);
        return;
    }
    UNROLL for (int v = 0; v < vectors; v++)
    {
        const vector first = start ? load(start + v * LANES) : (vector){0};
        UNROLL for (int r = 0; r < rows; r++) sums[r * vectors + v] = first;
    }
}

/* Writes the sums, of whose last vectors `last` lanes count. */
INLINE void finish(const cnn_target *target, float *const *c, int j, int last, vector *sums, int rows,
                   int vectors)
{
    if (target->accumulate)
        UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++)
            sums[r * vectors + v] += load_some(c[r] + j + v * LANES, v < vectors - 1 ? LANES : last);
    if (target->relu)
        UNROLL for (int at = 0; at < rows * vectors; at++) sums[at] = rectified(sums[at]);
    if (target->distance == CNN_FAR_FOR_NOW && last == LANES) {
        UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++)
            stream(c[r] + j + v * LANES, sums[r * vectors + v]);
        return;
    }
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++)
        store_some(c[r] + j + v * LANES, sums[r * vectors + v], v < vectors - 1 ? LANES : last);
}

#endif
