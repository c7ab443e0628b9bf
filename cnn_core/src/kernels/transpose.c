/* SPDX-License-Identifier: BSD-3-Clause */
#include "names.h"
#include "vector.h"

enum { ROWS = 8, COLUMNS = 4 };

typedef float quarter __attribute__((vector_size(16)));
typedef float pair __attribute__((vector_size(32))); /* four columns of row r, and of row r + 4 */

INLINE void load_pair(const float *from, ptrdiff_t pitch, pair *to)
{
    quarter low, high;
    memcpy(&low, from, sizeof low);
    memcpy(&high, from + 4 * pitch, sizeof high);
    *to = __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
}

/* Two squares of four by four beside each other: rows are interleaved with their neighbours, and then pairs
 * of those. */
INLINE void tile(const float *from, ptrdiff_t from_pitch, float *to, ptrdiff_t to_pitch)
{
    pair a, b, c, d;
    load_pair(from, from_pitch, &a);
    load_pair(from + from_pitch, from_pitch, &b);
    load_pair(from + 2 * from_pitch, from_pitch, &c);
    load_pair(from + 3 * from_pitch, from_pitch, &d);
    const pair ab_low = __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13),
               ab_high = __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15),
               cd_low = __builtin_shufflevector(c, d, 0, 8, 1, 9, 4, 12, 5, 13),
               cd_high = __builtin_shufflevector(c, d, 2, 10, 3, 11, 6, 14, 7, 15);
    const pair columns[COLUMNS] = {__builtin_shufflevector(ab_low, cd_low, 0, 1, 8, 9, 4, 5, 12, 13),
                                   __builtin_shufflevector(ab_low, cd_low, 2, 3, 10, 11, 6, 7, 14, 15),
                                   __builtin_shufflevector(ab_high, cd_high, 0, 1, 8, 9, 4, 5, 12, 13),
                                   __builtin_shufflevector(ab_high, cd_high, 2, 3, 10, 11, 6, 7, 14, 15)};
    UNROLL for (int i = 0; i < COLUMNS; i++) memcpy(to + i * to_pitch, &columns[i], sizeof columns[i]);
}

/* The first columns of fewer rows, such as the three channels of a picture: `rows` is a constant wherever it
 * is inlined. */
INLINE void few_rows(const float *from, ptrdiff_t from_pitch, int rows, int columns, float *to,
                     ptrdiff_t to_pitch)
{
    for (int column = 0; column < columns; column++, from++, to += to_pitch)
        UNROLL for (int row = 0; row < rows; row++) to[row] = from[row * from_pitch];
}

#define FEW_ROWS(count)                                                                                      \
    case count:                                                                                              \
        few_rows(from, from_pitch, count, columns, to, to_pitch);                                            \
        break;

static void last_rows(const float *from, ptrdiff_t from_pitch, int rows, int columns, float *to,
                      ptrdiff_t to_pitch)
{
    switch (rows) {
        FEW_ROWS(1)
        FEW_ROWS(2)
        FEW_ROWS(3)
        FEW_ROWS(4)
        FEW_ROWS(5)
        FEW_ROWS(6)
        FEW_ROWS(7)
    default:
        break;
    }
}

void KERNEL(transpose)(const float *from, ptrdiff_t from_pitch, int rows, int columns, float *to,
                       ptrdiff_t to_pitch)
{
    const int whole_rows = rows / ROWS * ROWS, whole_columns = columns / COLUMNS * COLUMNS;
    for (int row = 0; row < whole_rows; row += ROWS)
        for (int column = 0; column < whole_columns; column += COLUMNS) {
            if (column % CNN_VECTOR_MOST == 0)
                for (int r = 0; r < ROWS; r++)
                    fetch(from + (row + ROWS + r) * from_pitch + column);
            tile(from + row * from_pitch + column, from_pitch, to + column * to_pitch + row, to_pitch);
        }
    last_rows(from + whole_rows * from_pitch, from_pitch, rows - whole_rows, columns, to + whole_rows,
              to_pitch);
    for (int row = 0; row < whole_rows; row++)
        for (int column = whole_columns; column < columns; column++)
            to[column * to_pitch + row] = from[row * from_pitch + column];
}
