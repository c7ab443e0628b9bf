/* SPDX-License-Identifier: BSD-3-Clause */
/* Forward and backward of each layer as functions on raw arrays; nothing here allocates or knows a network.
 * Internal to cnn_core; faster kernels replace what is behind these functions.
 *
 * Letters: N batch, C input channels, K filters, H W input, R S kernel, P Q output. NCHW and KCRS, row-major.
 */
#ifndef CNN_LAYERS_H
#define CNN_LAYERS_H

#include "cnn/net.h"
#include "kernels.h"
#include <stddef.h>
#include <stdint.h>

/* ---- conv2d: layers/conv2d.c ---- */

/* How one image is laid out so that the value under tap (c, r, s) of output position l is operand[tap + l]:
 * at stride 1 a zero-padded copy, whose taps are shifted views (positions then include S - 1 useless columns
 * between rows); at larger strides one row of P*Q values for each tap. */
typedef struct cnn_conv {
    cnn_shape in, out;
    int kernel_h, kernel_w, stride, pad_top, pad_left;
    int taps;             /* C*R*S */
    int pitch;            /* positions from one output row to the next */
    int length;           /* positions, (P-1)*pitch + Q */
    int padded;           /* length rounded up for the kernels */
    size_t operand_count; /* floats of one image's operand, slack for the kernels included */
    ptrdiff_t *tap;       /* [taps] offset of each tap's view, owned */
    ptrdiff_t *row;       /* [K] offset of each filter's row of positions, owned */
} cnn_conv;

/* Geometry of a convolution. CNN_BAD_ARGUMENT if one image is too large, CNN_NO_MEMORY. Free with
 * cnn_conv_free. */
int cnn_conv_create(const cnn_layer *layer, cnn_conv *out);
void cnn_conv_free(cnn_conv *conv);

/* Scratch floats that one thread needs for forward, and for backward. */
size_t cnn_conv_forward_scratch(const cnn_conv *conv);
size_t cnn_conv_backward_scratch(const cnn_conv *conv);

/* y[K,P,Q] = bias + weight * x[C,H,W], one image. */
void cnn_conv_forward(const cnn_kernels *kernels, const cnn_conv *conv, const float *x, const float *weight,
                      const float *bias, float *y, float *scratch);

/* One image, given dy[K,P,Q]: adds to weight_gradient[K,C,R,S] and bias_gradient[K]; writes dx[C,H,W] unless
 * NULL. */
void cnn_conv_backward(const cnn_kernels *kernels, const cnn_conv *conv, const float *x, const float *weight,
                       const float *dy, float *weight_gradient, float *bias_gradient, float *dx,
                       float *scratch);

/* ---- linear: layers/linear.c ---- */

enum { CNN_LINEAR_ROWS = 64, CNN_LINEAR_COLUMNS = 96, CNN_LINEAR_DEPTH = 256 };

/* A linear layer over a batch: y[N,OUT] = x[N,IN] weight[OUT,IN]^T + bias. Its parts are tasks that may run
 * in any order and at once. x and weight must be readable CNN_VECTOR_MOST floats beyond their end. */
typedef struct cnn_linear {
    const cnn_kernels *kernels;
    int n, in, out;
    const float *x, *weight, *bias;
    float *y;
    const float *dy;
    float *dx, *weight_gradient, *bias_gradient;
    float *transposed; /* x^T [IN, cnn_padded(N)], filled by the transpose tasks before the forward tasks */
    float *const *scratch; /* per thread, cnn_linear_scratch floats */
} cnn_linear;

size_t cnn_linear_scratch(int n);
/* Number of tasks of each part, and task number `index`, run by `thread`. */
int cnn_linear_transpose_tasks(const cnn_linear *linear);
void cnn_linear_transpose(void *linear, int index, int thread);
int cnn_linear_forward_tasks(const cnn_linear *linear);
void cnn_linear_forward(void *linear, int index, int thread);
int cnn_linear_backward_input_tasks(const cnn_linear *linear);
void cnn_linear_backward_input(void *linear, int index, int thread);
int cnn_linear_backward_weight_tasks(const cnn_linear *linear);
void cnn_linear_backward_weight(void *linear, int index, int thread);

/* ---- elementwise and pooling ---- */

/* y = max(x, 0) in place; NaN stays NaN. layers/relu.c */
void cnn_relu_forward(float *y, size_t count);
/* dy = 0 where y <= 0. y as forward left it (dropout in place may have followed). */
void cnn_relu_backward(const float *y, float *dy, size_t count);

/* Largest value of each window of one image, windows never padded; `chosen` [C,P,Q] is the
 * position in the window, r * kernel_w + s, of the first largest; NaN wins. layers/maxpool.c */
void cnn_maxpool_forward(const cnn_layer *layer, const float *x, float *y, int32_t *chosen);
/* dx[C,H,W] is overwritten. */
void cnn_maxpool_backward(const cnn_layer *layer, const int32_t *chosen, const float *dy, float *dx);

/* One image of inverted dropout, in place: each value is zeroed with probability `rate`, else divided by 1 -
 * rate. `kept` [count] remembers. Randomness is word `position + i` of the step. layers/dropout.c */
void cnn_dropout_forward(float rate, uint64_t seed, uint64_t step, uint64_t position, float *y, uint8_t *kept,
                         size_t count);
void cnn_dropout_backward(float rate, const uint8_t *kept, float *dy, size_t count);

/* Softmax cross-entropy of one image: loss in double, -log softmax(logits)[label]; *correct is 1 if the first
 * largest logit is the label's. dlogits (may be NULL) = (softmax - onehot) * scale. layers/softmax.c */
double cnn_softmax_loss(const float *logits, int classes, int label, float scale, float *dlogits,
                        int *correct);

#endif
