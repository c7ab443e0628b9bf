/* SPDX-License-Identifier: BSD-3-Clause */
/* Eight rows of a matrix, four columns of which become vectors. */
#ifndef CNN_KERNELS_SQUARE_H
#define CNN_KERNELS_SQUARE_H

#include "vector.h"

enum { SQUARE_ROWS = 8, SQUARE_COLUMNS = 4 };

typedef float quarter __attribute__((vector_size(16)));
typedef float eight
    __attribute__((vector_size(32))); /* four columns of row r, and of row r + 4; or a column */

INLINE void load_pair(const float *from, ptrdiff_t pitch, eight *to)
{
    quarter low, high;
    memcpy(&low, from, sizeof low);
    memcpy(&high, from + 4 * pitch, sizeof high);
    *to = __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
}

/* Two squares of four by four, one below the other: rows are interleaved with their neighbours, and then
 * pairs of those. */
INLINE void turn_square(const float *from, ptrdiff_t pitch, eight columns[SQUARE_COLUMNS])
{
    eight a, b, c, d;
    load_pair(from, pitch, &a);
    load_pair(from + pitch, pitch, &b);
    load_pair(from + 2 * pitch, pitch, &c);
    load_pair(from + 3 * pitch, pitch, &d);
    const eight ab_low = __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13),
                ab_high = __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15),
                cd_low = __builtin_shufflevector(c, d, 0, 8, 1, 9, 4, 12, 5, 13),
                cd_high = __builtin_shufflevector(c, d, 2, 10, 3, 11, 6, 14, 7, 15);
    columns[0] = __builtin_shufflevector(ab_low, cd_low, 0, 1, 8, 9, 4, 5, 12, 13);
    columns[1] = __builtin_shufflevector(ab_low, cd_low, 2, 3, 10, 11, 6, 7, 14, 15);
    columns[2] = __builtin_shufflevector(ab_high, cd_high, 0, 1, 8, 9, 4, 5, 12, 13);
    columns[3] = __builtin_shufflevector(ab_high, cd_high, 2, 3, 10, 11, 6, 7, 14, 15);
}

#endif
