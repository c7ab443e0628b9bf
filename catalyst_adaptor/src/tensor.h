/* SPDX-License-Identifier: BSD-3-Clause */
/* A host's array of four dimensions (K, C, R, S) with strides, borrowed. */
#ifndef WEIGHTSCAPE_TENSOR_H
#define WEIGHTSCAPE_TENSOR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ws_tensor {
    const float *data;
    int64_t shape[4];
    int64_t stride[4]; /* elements */
} ws_tensor;

static inline size_t ws_tensor_count(const ws_tensor *tensor)
{
    return (size_t)(tensor->shape[0] * tensor->shape[1] * tensor->shape[2] * tensor->shape[3]);
}

/* Strides of a dense row-major array of this shape. */
static inline void ws_dense_strides(const int64_t shape[4], int64_t stride[4])
{
    stride[3] = 1;
    for (int i = 3; i > 0; i--)
        stride[i - 1] = stride[i] * shape[i];
}

static inline int ws_tensor_is_dense(const ws_tensor *tensor)
{
    int64_t dense[4];
    ws_dense_strides(tensor->shape, dense);
    return memcmp(dense, tensor->stride, sizeof dense) == 0;
}

/* Copies the values to out [K,C,R,S], row-major and dense, bit for bit. */
void ws_tensor_gather(const ws_tensor *tensor, float *out);

/* The values as a dense array: the host's own if it is one, else gathered into `scratch`, which holds as
 * many. */
const float *ws_tensor_dense(const ws_tensor *tensor, float *scratch);

#ifdef __cplusplus
}
#endif
#endif
