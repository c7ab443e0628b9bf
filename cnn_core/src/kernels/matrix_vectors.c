/* SPDX-License-Identifier: BSD-3-Clause */
#include "names.h"
#include "square.h"

/* Sums of two times eight rows at a time: of more, memory does not come as fast, and of less the latency of
 * their multiply-adds shows. A line of each row is used up before the next one is read: of rows that compete
 * for few places of the cache it would not stay. */
enum { MOST_VECTORS = 2, GROUPS = 2, LINE = CNN_VECTOR_MOST, AHEAD = 16 * LINE };

/* Eight rows from column `first` to `last`, whole squares: the sums of `count` vectors go on. */
INLINE void add_squares(const cnn_matrix_vectors *p, const float *a, int first, int last, int count,
                        eight *sum)
{
    UNROLL_SOME for (int column = first; column < last; column += SQUARE_COLUMNS)
    {
        eight turned[SQUARE_COLUMNS];
        turn_square(a + column, p->pitch, turned);
        UNROLL for (int i = 0; i < SQUARE_COLUMNS; i++) UNROLL for (int v = 0; v < count; v++) sum[v] +=
            p->x[(ptrdiff_t)v * p->columns + column + i] * turned[i];
    }
}

/* `groups` times eight rows from `row` on; it and count are constants wherever this is inlined. Vector v's
 * sums are at y + v * y_pitch. */
INLINE void some_rows(const cnn_matrix_vectors *p, int row, int groups, int count, float *y,
                      ptrdiff_t y_pitch)
{
    eight sum[GROUPS][MOST_VECTORS];
    const float *a = p->a + row * p->pitch;
    const int lines = p->columns / LINE * LINE, whole = p->columns / SQUARE_COLUMNS * SQUARE_COLUMNS;
    UNROLL for (int g = 0; g < groups; g++) UNROLL for (int v = 0; v < count; v++)
        memcpy(&sum[g][v], y + v * y_pitch + g * SQUARE_ROWS, sizeof sum[g][v]);
    for (int column = 0; column < lines; column += LINE)
        UNROLL for (int g = 0; g < groups; g++)
        {
            const float *rows = a + g * SQUARE_ROWS * p->pitch;
            for (int r = 0; r < SQUARE_ROWS; r++)
                fetch_for_later(rows + r * p->pitch + column + AHEAD);
            add_squares(p, rows, column, column + LINE, count, sum[g]);
        }
    UNROLL for (int g = 0; g < groups; g++)
        add_squares(p, a + g * SQUARE_ROWS * p->pitch, lines, whole, count, sum[g]);
    UNROLL for (int g = 0; g < groups; g++) UNROLL for (int v = 0; v < count; v++)
        memcpy(y + v * y_pitch + g * SQUARE_ROWS, &sum[g][v], sizeof sum[g][v]);
    for (int column = whole; column < p->columns; column++)
        for (int r = 0; r < groups * SQUARE_ROWS; r++)
            for (int v = 0; v < count; v++)
                y[v * y_pitch + r] += a[r * p->pitch + column] * p->x[(ptrdiff_t)v * p->columns + column];
}

/* What is left of the rows: the last eight of all, of which some have their sums already. */
INLINE void last_rows(const cnn_matrix_vectors *p, int row, int count)
{
    float sums[MOST_VECTORS][SQUARE_ROWS];
    const int first = p->rows - SQUARE_ROWS;
    for (int v = 0; v < count; v++)
        memcpy(sums[v], p->y + v * p->y_pitch + first, sizeof sums[v]);
    some_rows(p, first, 1, count, sums[0], SQUARE_ROWS);
    for (int v = 0; v < count; v++)
        memcpy(p->y + v * p->y_pitch + row, sums[v] + row - first, (size_t)(p->rows - row) * sizeof *sums[v]);
}

INLINE void all_rows(const cnn_matrix_vectors *p, int count)
{
    int row = 0;
    for (; row + GROUPS * SQUARE_ROWS <= p->rows; row += GROUPS * SQUARE_ROWS)
        some_rows(p, row, GROUPS, count, p->y + row, p->y_pitch);
    for (; row + SQUARE_ROWS <= p->rows; row += SQUARE_ROWS)
        some_rows(p, row, 1, count, p->y + row, p->y_pitch);
    if (row > 0 && row < p->rows) {
        last_rows(p, row, count);
        return;
    }
    for (int v = 0; v < count; v++)
        for (int r = row; r < p->rows; r++)
            for (int column = 0; column < p->columns; column++)
                p->y[v * p->y_pitch + r] +=
                    p->a[r * p->pitch + column] * p->x[(ptrdiff_t)v * p->columns + column];
}

void KERNEL(matrix_vectors)(const cnn_matrix_vectors *product)
{
    cnn_matrix_vectors part = *product;
    for (; part.count >= MOST_VECTORS; part.count -= MOST_VECTORS) {
        all_rows(&part, MOST_VECTORS);
        part.x += MOST_VECTORS * part.columns;
        part.y += MOST_VECTORS * part.y_pitch;
    }
    if (part.count)
        all_rows(&part, 1);
}
