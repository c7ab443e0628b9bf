/* SPDX-License-Identifier: BSD-3-Clause */
#include "names.h"
#include "vector.h"

enum {
    TOGETHER = 16, /* columns whose sums stay in registers */
    TURNS = 2, /* sums of a column that rows take turns with: their additions do not wait for each other */
    WIDES = TOGETHER / WIDE_LANES,
};

INLINE void add_row(const float *row, wide *sum)
{
    UNROLL for (int i = 0; i < WIDES; i++) sum[i] += load_widened(row + i * WIDE_LANES);
}

/* TOGETHER columns, of which some count. */
static void add_together(const float *values, ptrdiff_t pitch, int rows, int columns, double *sums)
{
    wide sum[TURNS][WIDES] = {{{0}}};
    int row = 0;
    for (; row + TURNS <= rows; row += TURNS)
        UNROLL for (int turn = 0; turn < TURNS; turn++) add_row(values + (row + turn) * pitch, sum[turn]);
    for (; row < rows; row++)
        add_row(values + row * pitch, sum[0]);
    for (int column = 0; column < columns; column++)
        for (int turn = 0; turn < TURNS; turn++)
            sums[column] += sum[turn][column / WIDE_LANES][column % WIDE_LANES];
}

void KERNEL(add_columns)(const float *values, ptrdiff_t pitch, int rows, int columns, double *sums)
{
    for (int first = 0; first < columns; first += TOGETHER)
        add_together(values + first, pitch, rows, columns - first < TOGETHER ? columns - first : TOGETHER,
                     sums + first);
}
