/* SPDX-License-Identifier: BSD-3-Clause */
#include "names.h"
#include "vector.h"

enum { TOGETHER = 16 }; /* columns whose sums stay in registers */

INLINE void add_some(const float *values, ptrdiff_t pitch, int rows, int columns, double *sums)
{
    double sum[TOGETHER] = {0};
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++)
            sum[column] += (double)values[row * pitch + column];
    for (int column = 0; column < columns; column++)
        sums[column] += sum[column];
}

void KERNEL(add_columns)(const float *values, ptrdiff_t pitch, int rows, int columns, double *sums)
{
    int first = 0;
    for (; first + TOGETHER <= columns; first += TOGETHER)
        add_some(values + first, pitch, rows, TOGETHER, sums + first);
    if (first < columns)
        add_some(values + first, pitch, rows, columns - first, sums + first);
}
