/* SPDX-License-Identifier: BSD-3-Clause */
#include "target.h"

/* A tile of sums stays in registers: 6 rows by 2 vectors are 12 chains of multiply-adds, enough to hide the
 * latency of each, and leave room for two operands and a factor among 16 registers. Where one vector is left,
 * 8 rows. More rows than these would push their addresses out of the registers. */
#if defined(__AVX512F__)
enum { ROWS_OF_TWO = 8, ROWS_OF_ONE = 8 };
#elif defined(__AVX2__)
enum { ROWS_OF_TWO = 6, ROWS_OF_ONE = 8 };
#elif defined(__aarch64__)
enum { ROWS_OF_TWO = 8, ROWS_OF_ONE = 8 };
#else
enum { ROWS_OF_TWO = 4, ROWS_OF_ONE = 8 };
#endif
enum { MOST_ROWS = 8 };

/* Writes a tile whose last vector is not whole. */
static __attribute__((noinline)) void finish_some(const cnn_target *target, int i, int j, int rows, int last,
                                                  const vector (*sum)[2], int vectors)
{
    for (int r = 0; r < rows; r++) {
        float *c = place_of(target, i + r, j);
        if (vectors == 2)
            finish(target, c, last, sum[r], 2);
        else
            finish(target, c, last, sum[r], 1);
    }
}

/* Rows i to i + rows, columns j to j + columns; rows and vectors are constants wherever it is inlined. */
INLINE void tile(const cnn_product *p, int i, int j, int columns, int rows, int vectors)
{
    vector sum[MOST_ROWS][2];
    const float *a[MOST_ROWS];
    UNROLL for (int r = 0; r < rows; r++)
    {
        fetch(place_of(&p->target, i + r, j));
        a[r] = p->a + (p->a_row ? p->a_row[i + r] : (i + r) * p->a_pitch);
        UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = start_of(&p->target, j + v * LANES);
    }
    const float *b = p->b + j;
    const ptrdiff_t *column = p->a_column, *row = p->b_row, *end = row + p->depth;
    for (; row < end; row++, column++) {
        const ptrdiff_t d = *column;
        vector operand[2];
        const float *at = b + *row;
        UNROLL for (int v = 0; v < vectors; v++) operand[v] = load(at + v * LANES);
        UNROLL for (int r = 0; r < rows; r++)
        {
            const float factor = a[r][d];
            UNROLL for (int v = 0; v < vectors; v++) sum[r][v] += factor * operand[v];
        }
    }
    if (columns == vectors * LANES) {
        UNROLL for (int r = 0; r < rows; r++)
            finish(&p->target, place_of(&p->target, i + r, j), LANES, sum[r], vectors);
    } else {
        vector copy[MOST_ROWS][2];
        UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++) copy[r][v] = sum[r][v];
        finish_some(&p->target, i, j, rows, columns - (vectors - 1) * LANES, copy, vectors);
    }
}

#define TILE(count)                                                                                          \
    case count:                                                                                              \
        tile(p, i, j, columns, count, vectors);                                                              \
        break;

/* All rows of a panel of columns, whose part of b stays in the nearest cache. The last two tiles are about as
 * high, since low ones have too few chains of multiply-adds. */
INLINE void panel(const cnn_product *p, int j, int columns, int most_rows, int vectors)
{
    int i = 0;
    while (i < p->m) {
        const int left = p->m - i;
        const int rows = left <= most_rows || left >= 2 * most_rows ? left : (left + 1) / 2;
        switch (rows) {
            TILE(1)
            TILE(2)
            TILE(3)
            TILE(4)
            TILE(5)
            TILE(6)
            TILE(7)
        default:
            tile(p, i, j, columns, most_rows, vectors);
            break;
        }
        i += rows < most_rows ? rows : most_rows;
    }
}

void KERNEL(product)(const cnn_product *product)
{
    /* A copy that no store can reach: what it holds stays in registers. */
    const cnn_product copy = *product, *p = &copy;
    int j = 0;
    for (; p->n - j > LANES; j += 2 * LANES)
        panel(p, j, p->n - j < 2 * LANES ? p->n - j : 2 * LANES, ROWS_OF_TWO, 2);
    if (p->n > j)
        panel(p, j, p->n - j, ROWS_OF_ONE, 1);
}
