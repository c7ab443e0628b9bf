/* SPDX-License-Identifier: BSD-3-Clause */
/* What the passes of linear layers share.
 *
 * Each of the three products of a layer copies blocks of its second operand to memory of the thread, where
 * they stay in the nearest cache while all rows of the first pass over them. Where the first is mostly zeros,
 * as relu and dropout leave it, only what is not zero is multiplied: picked beforehand, and to the same bits.
 */
#ifndef CNN_LINEAR_PARTS_H
#define CNN_LINEAR_PARTS_H

#include "cnn/threads.h"
#include "layers/layers.h"

enum {
    DEPTH = CNN_LINEAR_DEPTH,
    DEEPER = 2 * DEPTH, /* of products with all of a matrix: they take fewer columns at a time */
    GROUP = CNN_LINEAR_GROUP,
    MOST_COLUMNS = 64, /* of a task */
};

static inline int blocks(int count, int size)
{
    return (count + size - 1) / size;
}

static inline int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* A sum of `count` terms is taken in blocks of even depth, at most `most`; how deep they are changes no bit.
 */
static inline int depth_begin(int count, int most, int block)
{
    return cnn_part_begin(count, blocks(count, most), block);
}

/* Columns of a task: as many as a sparse product keeps in registers, and as few as let a block of the second
 * operand stay in the nearest cache. */
static inline int width(const cnn_linear *l)
{
    return smaller(8 * l->kernels->lanes, MOST_COLUMNS);
}

/* From one row of a copied block to the next. */
static inline ptrdiff_t pitch(const cnn_linear *l)
{
    return (ptrdiff_t)cnn_odd_lines((size_t)width(l));
}

/* From one row of x^T or dy^T to the next. */
static inline int turned_pitch(int n)
{
    return (int)cnn_odd_lines((size_t)n);
}

static inline float *results(const cnn_linear *l, int thread)
{
    return l->scratch[thread] + DEEPER * pitch(l);
}

/* The first of `all` columns of the task that a thread has, perhaps, after the one from column `first` on;
 * `all` if there is none. */
static inline int next_first(const cnn_linear *l, int first, int all)
{
    return all - first > l->threads * width(l) ? first + l->threads * width(l) : all;
}

/* How many of `rows` rows' values are not zero, once all are counted. */
int64_t cnn_linear_found(const cnn_picked *picked, int rows);

/* Whether so few of `of` values are not zero that it is faster to multiply by those alone. */
int cnn_linear_is_sparse(const cnn_picked *picked, int rows, int64_t of);

/* Counts what is not zero of row `row`, which has `columns` values, at `values`; and collects that of a
 * matrix [rows, columns], once counted. */
void cnn_linear_count_row(const cnn_linear *l, const cnn_picked *picked, const float *values, int columns,
                          int row);
void cnn_linear_collect_row(const cnn_linear *l, const cnn_picked *picked, const float *values, int rows,
                            int columns, int row);

/* Block `block` of a sum: a [m, deep], at a and its offsets or, unless that is NULL, as picked, times b [..,
 * n]. */
void cnn_linear_multiply(const cnn_linear *l, const cnn_picked *picked, int block, const cnn_product *dense);

/* Results of n images, columns first to first + columns of to [n, to_columns], from where they were summed:
 * rows of `to` may lie so that they compete for few places of the cache. */
void cnn_linear_write_results(const cnn_linear *l, int thread, int first, int columns, float *to,
                              int to_columns);

#endif
