/* SPDX-License-Identifier: BSD-3-Clause */
/* The inner loops, compiled once for each instruction set from one source and chosen at run time.
 * Internal to cnn_core. Environment, for tests and measurements: CNN_KERNELS=avx512|avx2|plain
 * chooses (on ARM: neon), CNN_ZEROS=multiplied has passes multiply by zeros like by all else. */
#ifndef CNN_KERNELS_H
#define CNN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

enum {
    CNN_VECTOR_MOST = 16, /* floats in the widest vector of any instruction set */
};

/* n rounded up to whole widest vectors: how far beyond n a kernel may read. */
static inline size_t cnn_padded(size_t n)
{
    return (n + CNN_VECTOR_MOST - 1) / CNN_VECTOR_MOST * CNN_VECTOR_MOST;
}

/* A pitch of at least n for rows that do not compete for few places of the cache: an odd number of its lines.
 */
static inline size_t cnn_odd_lines(size_t n)
{
    return cnn_padded(n) | CNN_VECTOR_MOST;
}

/* How far c is from the caches, and whether it comes near. */
typedef enum cnn_distance {
    CNN_NEAR,
    CNN_FAR,        /* its lines are asked for while the sums are taken */
    CNN_FAR_FOR_NOW /* nor is it read soon: it goes past the caches if whole vectors do */
} cnn_distance;

enum { CNN_WINDOW = 2 * 2 }; /* of a product whose results are pooled */

/* Where a product goes: c[i,j] (+)= start[j] + sum, c[i,j] at c + row[i] + j, or c + i * pitch + j if row is
 * NULL. */
typedef struct cnn_target {
    float *c;
    const ptrdiff_t *row;
    ptrdiff_t pitch;
    const float *start; /* readable up to cnn_padded(n), or NULL: zeros */
    int accumulate;     /* 0: c is overwritten; else the sum is added to it */
    int continued; /* sums begin with what c holds, readable up to cnn_padded(n), instead: to the bits of one
                    * product over all terms */
    int relu;      /* what is written is max(value, 0); NaN stays NaN */
    /* If not 0, each CNN_WINDOW rows are the places of a window: the largest of their sums is what is
     * written, as `pool` below finds it, to a row of c for each window. Not with row, accumulate and
     * continued. */
    int windows;
    int32_t *chosen; /* with windows: the place that pool would tell, where the value goes in c; or NULL */
    cnn_distance distance;
} cnn_target;

/* What is read next, and comes into a nearby cache while sums are taken: `rows` rows of `columns` floats,
 * `pitch` apart. No rows: nothing. */
typedef struct cnn_ahead {
    const float *from;
    ptrdiff_t pitch;
    int rows, columns;
} cnn_ahead;

/* Sums over d < depth of a[i,d] * b[d,j]; i < m, j < n. Row i of a begins at a + a_row[i], or a + i * a_pitch
 * if a_row is NULL; in it a[i,d] is at a_column[d], and row d of b begins at b + b_row[d]; or, if both tables
 * are NULL, at d * a_step and b + d * b_step. Rows of b are readable up to cnn_padded(n) columns. Terms are
 * added in the order of d, so that results depend neither on m and n nor on the registers used. */
typedef struct cnn_product {
    int m, n, depth;
    const float *a;
    const ptrdiff_t *a_row; /* [m] or NULL */
    ptrdiff_t a_pitch;
    const ptrdiff_t *a_column; /* [depth] or NULL */
    ptrdiff_t a_step;
    const float *b;
    const ptrdiff_t *b_row; /* [depth] or NULL, as a_column */
    ptrdiff_t b_step;
    cnn_target target;
    cnn_ahead ahead;
} cnn_product;

/* An element a[i,d] that is not zero: where row d of b begins, and the value. */
typedef struct cnn_term {
    int32_t row;
    float value;
} cnn_term;

/* The same product, to the bit where all is finite (but for the sign of a zero), for an a of which only what
 * is not zero is given: of row i, the first counts[i] terms at terms + i * capacity, in the order of d. Rows
 * are done one after the other, so that those of the target may overlap. With blocks, each row's terms are
 * multiplied by as many b's, one b_step from the next, whose results go to c's that are one c_step apart; 0
 * is one block. */
typedef struct cnn_sparse_product {
    int m, n, blocks;
    ptrdiff_t b_step, c_step;
    const cnn_term *terms;
    ptrdiff_t capacity;
    const int32_t *counts; /* [m] */
    const float *b;
    cnn_target target;
    cnn_ahead ahead;
} cnn_sparse_product;

/* Filters of weights for conv3x3_forward: a whole number of vectors. */
enum { CNN_CONV3X3_STRIP = 2 * CNN_VECTOR_MOST };

/* Geometry of a convolution of 3 by 3 with stride 1, of one image, channels last; filters are a multiple of
 * CNN_VECTOR_MOST. `top` and `left` lines of zeros lie around x, at most 2. */
typedef struct cnn_conv3x3 {
    int channels, in_h, in_w, filters, out_h, out_w, top, left;
} cnn_conv3x3;

enum { CNN_GRAM_ROWS = 16 };

/* c[i,j] += sum over d of a[d,i] * b[d,j]; i < CNN_GRAM_ROWS, j < n, a multiple of CNN_VECTOR_MOST; d <
 * depth. Row d of a and b begins at d * step, row i of c at i * c_row. The terms of every c[i,j] are added in
 * the same order, so that equal columns give equal sums. */
typedef struct cnn_gram {
    int n, depth;
    const double *a, *b;
    ptrdiff_t step;
    double *c;
    ptrdiff_t c_row;
} cnn_gram;

/* One stretch of parameters to update. Unused moments are NULL. */
typedef struct cnn_update {
    size_t count;
    float *weight;
    const float *gradient;
    const float *initial;
    float *moment[2];
    float rate;         /* SGD, momentum: learning rate; Adam: learning rate / (1 - beta1^t) */
    float decay;        /* weight decay */
    float beta1, beta2; /* momentum: beta1 is mu */
    float correction;   /* Adam: 1 / sqrt(1 - beta2^t) */
    float epsilon;
    double weight_square, gradient_square, distance_square; /* results: sums of squares */
} cnn_update;

/* Geometry of max pooling of one image, channels last: [in_h, in_w, channels]. */
typedef struct cnn_pool {
    int channels, in_h, in_w, out_h, out_w, kernel_h, kernel_w, stride;
    int after_relu; /* what is pooled has come from a relu, which passes no gradient where it is not above 0
                     */
} cnn_pool;

/* Of each of `count` vectors x [columns], one behind the other: y[v * y_pitch + row] += the sum over columns
 * of a[row * pitch + column] * x[v * columns + column], whose terms are added in the order of columns: to the
 * bits of a product that goes on from y. */
typedef struct cnn_matrix_vectors {
    int rows, columns, count;
    const float *a;
    ptrdiff_t pitch;
    const float *x;
    float *y;
    ptrdiff_t y_pitch;
} cnn_matrix_vectors;

/* What is not zero of values [rows, columns], by row and by column. Terms of row i, in the order of columns,
 * are from by_row + i * columns on: column j as row j * column_step of another operand. Those of column j, in
 * the order of rows, from by_column + j * column_capacity on: row i as row place[i] of another. */
typedef struct cnn_pick {
    int rows, columns;
    const float *values;    /* readable up to cnn_padded(columns) in the last row */
    const ptrdiff_t *place; /* [rows] */
    int32_t column_step;
    cnn_term *by_row, *by_column;
    ptrdiff_t column_capacity;
    int32_t *row_counts, *column_counts; /* written: how many there are */
} cnn_pick;

typedef struct cnn_kernels {
    const char *name;
    int lanes;        /* floats in a vector */
    int pooled_depth; /* up to which a product is pooled sooner than what it gives */
    void (*product)(const cnn_product *product);
    void (*matrix_vectors)(const cnn_matrix_vectors *product);
    void (*sparse_product)(const cnn_sparse_product *product);
    /* How many of `count` values are not zero. */
    int (*count)(const float *values, int count);
    /* Writes those of `count` values that are not zero, in order, with rows of b `pitch` apart; there is room
     * for all. Returns their number. */
    int (*collect)(const float *values, int count, int32_t pitch, cnn_term *terms);
    void (*pick)(const cnn_pick *pick);
    /* y = bias + weight * x, with relu max(y, 0), where only what is not zero of x is multiplied; channels
     * are a multiple of CNN_VECTOR_MOST. weight is in strips of CNN_CONV3X3_STRIP filters, [strip][C,R,S,
     * CNN_CONV3X3_STRIP]. Where all is finite, to the bits of a product whose terms come in the order (r, s,
     * c), but for the sign of a zero. */
    void (*conv3x3_forward)(const cnn_conv3x3 *conv, const float *x, const float *weight, const float *bias,
                            int relu, float *y);
    /* Adds the gradient of the weights of one channel, [R,S,K], given its copy with zeros around,
     * [out_h + 2, out_w + 2], readable CNN_VECTOR_MOST floats beyond its end, of which only what is not zero
     * is multiplied: to the bits, as above, of a product over positions. */
    void (*conv3x3_gradient)(const cnn_conv3x3 *conv, const float *copy, const float *dy, float *gradient);
    /* to[row * to_pitch + column] = from[row * from_pitch + column]; both are accessible up to
     * cnn_padded(columns). */
    void (*copy_rows)(const float *from, ptrdiff_t from_pitch, int rows, int columns, float *to,
                      ptrdiff_t to_pitch);
    /* Adds row i of `columns` values, rows `pitch` apart, to what is at to + to_row[i], one row after the
     * other. */
    void (*add_rows)(const float *values, ptrdiff_t pitch, int rows, int columns, float *to,
                     const ptrdiff_t *to_row);
    /* Adds the columns of values [rows, columns], rows `pitch` apart and readable up to cnn_padded(columns),
     * to sums [columns]. */
    void (*add_columns)(const float *values, ptrdiff_t pitch, int rows, int columns, double *sums);
    /* to[column * to_pitch + row] = from[row * from_pitch + column] */
    void (*transpose)(const float *from, ptrdiff_t from_pitch, int rows, int columns, float *to,
                      ptrdiff_t to_pitch);
    /* The largest value of each window, and its place r * kernel_w + s in it (the first of equals; NaN wins),
     * or -1 after a relu that passes it no gradient. x and dy, here and below, must be readable
     * CNN_VECTOR_MOST floats beyond their end, chosen as far. chosen may be NULL: is not wanted. */
    void (*pool)(const cnn_pool *pool, const float *x, float *y, int32_t *chosen);
    /* The gradient of x, overwritten. */
    void (*unpool)(const cnn_pool *pool, const float *dy, const int32_t *chosen, float *dx);
    /* Words of `count` blocks of random numbers from `block` on: cnn_random_block of each. */
    void (*random)(uint64_t seed, uint32_t stream, uint64_t high, uint32_t block, int count, uint32_t *words);
    void (*gram)(const cnn_gram *gram);
    void (*update_sgd)(cnn_update *update);
    void (*update_momentum)(cnn_update *update);
    void (*update_adam)(cnn_update *update);
} cnn_kernels;

/* The best table this processor can run, or the one the environment names if it can run it. Any thread. */
const cnn_kernels *cnn_kernels_get(void);

#endif
