/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernels of one instruction set, under names that tell which. */
#ifndef CNN_KERNELS_NAMES_H
#define CNN_KERNELS_NAMES_H

#include "../kernels.h"

/* KERNEL(product) is cnn_kernel_product_avx2 where CNN_ISA is avx2. */
#define CNN_JOIN(name, isa)   cnn_kernel_##name##_##isa
#define CNN_JOINED(name, isa) CNN_JOIN(name, isa)
#define KERNEL(name)          CNN_JOINED(name, CNN_ISA)

extern const cnn_kernels KERNEL(table);
void KERNEL(product)(const cnn_product *product);
void KERNEL(matrix_vectors)(const cnn_matrix_vectors *product);
void KERNEL(sparse_product)(const cnn_sparse_product *product);
int KERNEL(count)(const float *values, int count);
void KERNEL(pick)(const cnn_pick *pick);
int KERNEL(collect)(const float *values, int count, int32_t pitch, cnn_term *terms);
void KERNEL(copy_rows)(const float *from, ptrdiff_t from_pitch, int rows, int columns, float *to,
                       ptrdiff_t to_pitch);
void KERNEL(conv3x3_forward)(const cnn_conv3x3 *conv, const float *x, const float *weight, const float *bias,
                             int relu, float *y);
void KERNEL(conv3x3_gradient)(const cnn_conv3x3 *conv, const float *copy, const float *dy, float *gradient);
void KERNEL(add_rows)(const float *values, ptrdiff_t pitch, int rows, int columns, float *to,
                      const ptrdiff_t *to_row);
void KERNEL(add_columns)(const float *values, ptrdiff_t pitch, int rows, int columns, double *sums);
void KERNEL(transpose)(const float *from, ptrdiff_t from_pitch, int rows, int columns, float *to,
                       ptrdiff_t to_pitch);
void KERNEL(pool)(const cnn_pool *pool, const float *x, float *y, int32_t *chosen);
void KERNEL(unpool)(const cnn_pool *pool, const float *dy, const int32_t *chosen, float *dx);
void KERNEL(random)(uint64_t seed, uint32_t stream, uint64_t high, uint32_t block, int count,
                    uint32_t *words);
void KERNEL(gram)(const cnn_gram *gram);
void KERNEL(update_sgd)(cnn_update *update);
void KERNEL(update_momentum)(cnn_update *update);
void KERNEL(update_adam)(cnn_update *update);

#endif
