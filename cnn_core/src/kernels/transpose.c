/* SPDX-License-Identifier: BSD-3-Clause */
#include "names.h"
#include "square.h"

INLINE void tile(const float *from, ptrdiff_t from_pitch, float *to, ptrdiff_t to_pitch)
{
    eight columns[SQUARE_COLUMNS];
    turn_square(from, from_pitch, columns);
    UNROLL for (int i = 0; i < SQUARE_COLUMNS; i++) memcpy(to + i * to_pitch, &columns[i], sizeof columns[i]);
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
    const int whole_rows = rows / SQUARE_ROWS * SQUARE_ROWS,
              whole_columns = columns / SQUARE_COLUMNS * SQUARE_COLUMNS;
    for (int row = 0; row < whole_rows; row += SQUARE_ROWS)
        for (int column = 0; column < whole_columns; column += SQUARE_COLUMNS) {
            if (column % CNN_VECTOR_MOST == 0)
                for (int r = 0; r < SQUARE_ROWS; r++)
                    fetch(from + (row + SQUARE_ROWS + r) * from_pitch + column);
            tile(from + row * from_pitch + column, from_pitch, to + column * to_pitch + row, to_pitch);
        }
    last_rows(from + whole_rows * from_pitch, from_pitch, rows - whole_rows, columns, to + whole_rows,
              to_pitch);
    for (int row = 0; row < whole_rows; row++)
        for (int column = whole_columns; column < columns; column++)
            to[column * to_pitch + row] = from[row * from_pitch + column];
}
