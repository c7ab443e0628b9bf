/* SPDX-License-Identifier: BSD-3-Clause */
/* What is read next is asked for a little at each turn, lest it delay what is read now. */
#ifndef CNN_KERNELS_AHEAD_H
#define CNN_KERNELS_AHEAD_H

#include "names.h"
#include "vector.h"

enum { MOST_EACH = 16 }; /* rows of a turn */

typedef struct fetching {
    const float *row;
    ptrdiff_t pitch;
    int rows, columns, each; /* rows that are left, columns of a row, rows of a turn */
} fetching;

/* In few turns nothing is asked for: there would be too much at a time. */
INLINE fetching begin_fetching(const cnn_ahead *ahead, int turns)
{
    const int few = ahead->rows > turns * MOST_EACH;
    return (fetching){.row = ahead->from,
                      .pitch = ahead->pitch,
                      .rows = few ? 0 : ahead->rows,
                      .columns = ahead->columns,
                      .each = turns > 0 ? (ahead->rows + turns - 1) / turns : 0};
}

INLINE void fetch_some(fetching *f)
{
    for (int turn = 0; turn < f->each && f->rows > 0; turn++, f->rows--, f->row += f->pitch)
        for (int column = 0; column < f->columns; column += CNN_VECTOR_MOST)
            fetch_for_later(f->row + column);
}

#endif
