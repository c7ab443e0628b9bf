/* SPDX-License-Identifier: BSD-3-Clause */
/* The inner loops, compiled once for each instruction set from one source and chosen at run time.
 * Internal to cnn_core. Environment: CNN_KERNELS=avx512|avx2|plain chooses, for tests. */
#ifndef CNN_KERNELS_H
#define CNN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

enum {
    CNN_VECTOR_MOST = 16,  /* floats in the widest vector of any instruction set */
    CNN_UPDATE_LANES = 16, /* partial sums of an update: the same for every instruction set */
};

/* n rounded up to whole widest vectors: how far beyond n a kernel may read. */
static inline size_t cnn_padded(size_t n)
{
    return (n + CNN_VECTOR_MOST - 1) / CNN_VECTOR_MOST * CNN_VECTOR_MOST;
}

/* c[i,j] (+)= sum over d of a[i,d] * b[d,j]; i < m, j < n, d < depth. a[i,d] is a[i*a_row + d*a_step]; row d
 * of b begins at b + b_row[d] and is readable up to cnn_padded(n) columns; c[i,j] is c[i*c_row + j]. Terms
 * are added in the order of d. */
typedef struct cnn_product {
    int m, n, depth;
    const float *a;
    ptrdiff_t a_row, a_step;
    const float *b;
    const ptrdiff_t *b_row; /* [depth] */
    float *c;
    ptrdiff_t c_row;
    int accumulate; /* 0: c is overwritten */
} cnn_product;

/* c[i,j] += sum over l of a[i*a_row + l] * b[b_row[j] + l]; i < m, j < n, l < length, a multiple of
 * CNN_VECTOR_MOST. */
typedef struct cnn_dots {
    int m, n, length;
    const float *a;
    ptrdiff_t a_row;
    const float *b;
    const ptrdiff_t *b_row; /* [n] */
    float *c;
    ptrdiff_t c_row;
} cnn_dots;

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

typedef struct cnn_kernels {
    const char *name;
    void (*product)(const cnn_product *product);
    void (*dots)(const cnn_dots *dots);
    void (*gram)(const cnn_gram *gram);
    void (*update_sgd)(cnn_update *update);
    void (*update_momentum)(cnn_update *update);
    void (*update_adam)(cnn_update *update);
} cnn_kernels;

/* The best table this processor can run, or the one the environment names if it can run it. Any thread. */
const cnn_kernels *cnn_kernels_get(void);

#endif
