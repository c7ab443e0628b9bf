/* SPDX-License-Identifier: BSD-3-Clause */
#include "names.h"
#include "vector.h"

#define CNN_TEXT(name) #name
#define CNN_NAME(isa)  CNN_TEXT(isa)

/* Above these depths pooling apart was as fast or faster, by measurement. Where windows make tiles lower than
 * they could be (product.c), deep sums lose most. */
#if defined(__AVX2__) && !defined(__AVX512F__)
enum { POOLED_DEPTH = 64 };
#else
enum { POOLED_DEPTH = 200 };
#endif

const cnn_kernels KERNEL(table) = {
    .name = CNN_NAME(CNN_ISA),
    .lanes = LANES,
    .pooled_depth = POOLED_DEPTH,
    .product = KERNEL(product),
    .matrix_vectors = KERNEL(matrix_vectors),
    .sparse_product = KERNEL(sparse_product),
    .count = KERNEL(count),
    .pick = KERNEL(pick),
    .collect = KERNEL(collect),
    .conv3x3_forward = KERNEL(conv3x3_forward),
    .conv3x3_gradient = KERNEL(conv3x3_gradient),
    .copy_rows = KERNEL(copy_rows),
    .add_rows = KERNEL(add_rows),
    .add_columns = KERNEL(add_columns),
    .transpose = KERNEL(transpose),
    .pool = KERNEL(pool),
    .unpool = KERNEL(unpool),
    .random = KERNEL(random),
    .gram = KERNEL(gram),
    .update_sgd = KERNEL(update_sgd),
    .update_momentum = KERNEL(update_momentum),
    .update_adam = KERNEL(update_adam),
};
