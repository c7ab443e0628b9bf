/* SPDX-License-Identifier: BSD-3-Clause */
#include "names.h"
#include "vector.h"

/* No cache foresees where rows begin: those so many ahead are asked for. */
enum { AHEAD = 8 };

void KERNEL(copy_rows)(const float *from, ptrdiff_t from_pitch, int rows, int columns, float *to,
                       ptrdiff_t to_pitch)
{
    for (int row = 0; row < rows; row++, from += from_pitch, to += to_pitch)
        for (int column = 0; column < columns; column += CNN_VECTOR_MOST) {
            fetch(from + AHEAD * from_pitch + column);
            UNROLL for (int lane = 0; lane < CNN_VECTOR_MOST; lane += LANES)
                store(to + column + lane, load(from + column + lane));
        }
}

void KERNEL(add_rows)(const float *values, ptrdiff_t pitch, int rows, int columns, float *to,
                      const ptrdiff_t *to_row)
{
    const int whole = columns / LANES * LANES;
    for (int row = 0; row < rows; row++) {
        const float *from = values + row * pitch;
        float *at = to + to_row[row];
        for (int column = 0; column < whole; column += LANES)
            store(at + column, load(at + column) + load(from + column));
        for (int column = whole; column < columns; column++)
            at[column] += from[column];
    }
}
