/* SPDX-License-Identifier: BSD-3-Clause */
#include "names.h"
#include "vector.h"

typedef float quarter __attribute__((vector_size(16)));

INLINE quarter load_quarter(const float *from)
{
    quarter v;
    memcpy(&v, from, sizeof v);
    return v;
}

/* Four by four: pairs of rows are interleaved, and then pairs of pairs. */
INLINE void square(const float *from, ptrdiff_t from_pitch, float *to, ptrdiff_t to_pitch)
{
    const quarter a = load_quarter(from), b = load_quarter(from + from_pitch),
                  c = load_quarter(from + 2 * from_pitch), d = load_quarter(from + 3 * from_pitch);
    const quarter ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5),
                  ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7),
                  cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5),
                  cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    const quarter columns[4] = {__builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5),
                                __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
                                __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
                                __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
    UNROLL for (int i = 0; i < 4; i++) memcpy(to + i * to_pitch, &columns[i], sizeof columns[i]);
}

void KERNEL(transpose)(const float *from, ptrdiff_t from_pitch, int rows, int columns, float *to,
                       ptrdiff_t to_pitch)
{
    const int whole_rows = rows / 4 * 4, whole_columns = columns / 4 * 4;
    for (int column = 0; column < whole_columns; column += 4)
        for (int row = 0; row < whole_rows; row += 4)
            square(from + row * from_pitch + column, from_pitch, to + column * to_pitch + row, to_pitch);
    for (int row = 0; row < rows; row++)
        for (int column = row < whole_rows ? whole_columns : 0; column < columns; column++)
            to[column * to_pitch + row] = from[row * from_pitch + column];
}
