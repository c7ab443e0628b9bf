/* SPDX-License-Identifier: BSD-3-Clause */
#include "layers/linear_parts.h"
#include <string.h>

enum { FEW_ROWS = 2 };

/* A block of the second operand, and one of results: more than the results where inputs are turned. */
size_t cnn_linear_scratch(int n)
{
    return ((size_t)DEEPER + (size_t)n) * cnn_odd_lines(MOST_COLUMNS);
}

size_t cnn_linear_turned(int n, int columns)
{
    return (size_t)columns * (size_t)turned_pitch(n);
}

size_t cnn_picked_blocks(int rows, int columns)
{
    return (size_t)rows * (size_t)blocks(columns, DEPTH);
}

int64_t cnn_linear_found(const cnn_picked *picked, int rows)
{
    int64_t found = 0;
    for (int i = 0; i < rows; i++)
        found += picked->found[i];
    return found;
}

/* Above six eighths all of a matrix is multiplied sooner, unless it has too few rows for a tile. */
int cnn_linear_is_sparse(const cnn_picked *picked, int rows, int64_t of)
{
    return cnn_linear_found(picked, rows) * 8 <= of * (rows <= FEW_ROWS ? 7 : 6);
}

/* A row with hardly a zero is not picked; the matrix is then taken whole. */
static int is_full(int64_t found, int64_t of)
{
    return found * 8 > of * 7;
}

enum { FULL = INT32_MAX };

void cnn_linear_count_row(const cnn_linear *l, const cnn_picked *picked, const float *values, int columns,
                          int row)
{
    const int found = l->kernels->count(values, columns);
    picked->found[row] = is_full(found, columns) ? FULL : found;
}

void cnn_linear_collect_row(const cnn_linear *l, const cnn_picked *picked, const float *values, int rows,
                            int columns, int row)
{
    for (int block = 0; picked->found[row] != FULL && block < blocks(columns, DEPTH); block++) {
        const int first = depth_begin(columns, DEPTH, block), last = depth_begin(columns, DEPTH, block + 1);
        const size_t at = (size_t)block * (size_t)rows + (size_t)row;
        picked->counts[at] =
            l->kernels->collect(values + first, last - first, (int32_t)pitch(l), picked->terms + at * DEPTH);
    }
}

void cnn_linear_multiply(const cnn_linear *l, const cnn_picked *picked, int block, const cnn_product *dense)
{
    if (!picked) {
        l->kernels->product(dense);
        return;
    }
    const size_t at = (size_t)block * (size_t)dense->m;
    l->kernels->sparse_product(&(cnn_sparse_product){.m = dense->m,
                                                     .n = dense->n,
                                                     .terms = picked->terms + at * DEPTH,
                                                     .capacity = DEPTH,
                                                     .counts = picked->counts + at,
                                                     .b = dense->b,
                                                     .target = dense->target,
                                                     .ahead = dense->ahead});
}

void cnn_linear_write_results(const cnn_linear *l, int thread, int first, int columns, float *to,
                              int to_columns)
{
    for (int n = 0; n < l->n; n++)
        memcpy(to + (size_t)n * (size_t)to_columns + (size_t)first, results(l, thread) + n * pitch(l),
               (size_t)columns * sizeof *to);
}

double cnn_linear_pick_work(const cnn_linear *l, int columns)
{
    return (double)CNN_WORK_MOVE * l->n * columns;
}

/* Of a weight for each image, and what its copying takes. */
double cnn_linear_product_work(const cnn_linear *l)
{
    return (double)(l->n + CNN_WORK_MOVE) * l->in * l->out;
}
