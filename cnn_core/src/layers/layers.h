/* SPDX-License-Identifier: BSD-3-Clause */
/* Forward and backward of each layer as functions on raw arrays; nothing here allocates or knows a network.
 * Internal to cnn_core; faster kernels replace what is behind these functions.
 *
 * Letters: N batch, C input channels, K filters, H W input, R S kernel, P Q output. Images are channels last,
 * [H,W,C], so that vectors run along channels or filters whatever the extent; weights are [K,C,R,S].
 */
#ifndef CNN_LAYERS_H
#define CNN_LAYERS_H

#include "cnn/net.h"
#include "kernels.h"
#include "layers/bordered.h"
#include <stddef.h>
#include <stdint.h>

/* Where part `part` of `parts` about equal ones of `whole` begins. */
static inline int cnn_part_begin(int whole, int parts, int part)
{
    return (int)((int64_t)whole * part / parts);
}

/* ---- conv2d: layers/conv2d*.c ---- */

/* How one image is laid out: a zero-padded copy, channels last, in which the value under tap t of output
 * position p is copy[position[p] + tap[t]]; taps are numbered (c, r, s) as in the weights. In the copy those
 * of one kernel row lie together, as a run (s, c): the backward pass goes by runs where it does not gather
 * (see below). Weights are laid out for both. */
typedef struct cnn_conv {
    cnn_shape in, out;
    int kernel_h, kernel_w, stride;
    cnn_bordered x;                    /* in its padded copy */
    int run;                           /* S*C, taps of one kernel row */
    int taps;                          /* C*R*S */
    int positions;                     /* P*Q */
    int part;                          /* positions that gradients of weights are summed over at a time */
    int taps_first;                    /* gradients of weights are [C,R,S,K], else [K,R,S,C] */
    int is_3x3;                        /* with stride 1 and filters that fill vectors */
    ptrdiff_t filter_pitch, tap_pitch; /* of by_tap and by_filter */
    float *by_tap;                     /* [C,R,S, filter_pitch] weights, for forward */
    float *strips;             /* the same as conv3x3_forward reads them, where it may be taken; or NULL */
    float *by_filter;          /* [K, tap_pitch: R,S,C] weights, for the gradient of the input; or NULL */
    ptrdiff_t *position, *tap; /* offsets into the copy */
    ptrdiff_t *ordered_tap, *by_tap_row; /* the same, and rows of by_tap, in the order (r, s, c) */
    ptrdiff_t *filters;                  /* multiples of K */
    /* The gradient of the input, dx, where it is itself a convolution: of dy, in a padded copy, with the same
     * weights from the last tap to the first. The value in place i of the window of input position p is
     * copy[gather_position[p] + gather_tap[i]], its weights for all channels are at by_filter +
     * gather_row[i]; i counts (r, s, k). */
    int gathers;
    cnn_bordered dy;
    ptrdiff_t *gather_position, *gather_tap, *gather_row;
} cnn_conv;

/* Geometry of a convolution; `training`: backward will be called. CNN_BAD_ARGUMENT if one image is too large,
 * CNN_NO_MEMORY. Free with cnn_conv_free. */
int cnn_conv_create(const cnn_layer *layer, int training, cnn_conv *out);
void cnn_conv_free(cnn_conv *conv);
/* What a cnn_conv holds, in bytes. */
size_t cnn_conv_bytes(const cnn_conv *conv);

/* Scratch floats that one thread needs for forward, and for backward. */
size_t cnn_conv_forward_scratch(const cnn_conv *conv);
size_t cnn_conv_backward_scratch(const cnn_conv *conv);

/* Lays out the weights [K,C,R,S]; all of its tasks, which may run in any order and at once, when weights have
 * changed. */
int cnn_conv_weight_tasks(const cnn_conv *conv);
void cnn_conv_pack(const cnn_kernels *kernels, const cnn_conv *conv, const float *weight, int index);

/* Makes the padded copy of one image [H,W,C]: all of the scratch of forward. */
void cnn_conv_lay_out(const cnn_conv *conv, const float *x, float *copy);

/* y[P,Q,K] = bias + weight * x[H,W,C] from the copy of x, with packed weights, at `count` positions from
 * `first` on; relu: max(y, 0). bias and dy below must be readable CNN_VECTOR_MOST floats beyond their end. */
void cnn_conv_forward(const cnn_kernels *kernels, const cnn_conv *conv, const float *copy, int first,
                      int count, const float *bias, int relu, float *y);

/* Whether max pooling behind a convolution is better done with it: of windows of 2 by 2 side by side. */
int cnn_conv_can_pool(const cnn_kernels *kernels, const cnn_conv *conv, const cnn_pool *pool);
/* Where the places of all windows begin in the copy: CNN_WINDOW for each. */
void cnn_conv_window_positions(const cnn_conv *conv, const cnn_pool *pool, ptrdiff_t *positions);
/* Of `windows` windows at those positions the largest output: y[windows,K] and chosen, as pooling would make
 * them of what cnn_conv_forward gives. */
void cnn_conv_forward_pooled(const cnn_kernels *kernels, const cnn_conv *conv, const float *copy,
                             const ptrdiff_t *positions, int windows, const float *bias, int relu, float *y,
                             int32_t *chosen);

/* For kernels of 3 by 3. */
cnn_conv3x3 cnn_conv3x3_of(const cnn_conv *conv);

/* Whether so much of x[H,W,C] is zero that it is better left out: cnn_conv_forward_sparse is there for it. */
int cnn_conv_is_sparse(const cnn_kernels *kernels, const cnn_conv *conv, const float *x);
/* All positions from x itself, to the bits of cnn_conv_forward where all is finite, but for the sign of a
 * zero. */
void cnn_conv_forward_sparse(const cnn_kernels *kernels, const cnn_conv *conv, const float *x,
                             const float *bias, int relu, float *y);

/* One image, given dy[P,Q,K]: adds to weight_gradient, laid out as taps_first says and readable like dy, and
 * to bias_gradient[K]; writes dx[H,W,C] unless NULL. */
void cnn_conv_backward(const cnn_kernels *kernels, const cnn_conv *conv, const float *x, const float *dy,
                       float *weight_gradient, float *bias_gradient, float *dx, float *scratch);

/* The gradients of weights [K,C,R,S] and biases [K] from those that some parts of a batch have summed,
 * weights as taps_first says and biases behind them, one part after the other: added in the order of the
 * parts. `values` are used up. As many tasks as of packing. */
void cnn_conv_add_parts(const cnn_kernels *kernels, const cnn_conv *conv, float *values, int parts,
                        float *weight_gradient, float *bias_gradient, int index);

/* ---- linear: layers/linear*.c ---- */

enum {
    CNN_LINEAR_DEPTH = 112, /* most terms of a sum that are taken at a time */
    CNN_LINEAR_GROUP = 64,  /* columns of x or dy that one task turns into rows */
    CNN_LINEAR_TURNED = 64  /* most images whose x is turned */
};

/* What is not zero of a matrix whose rows are cut into blocks of at most CNN_LINEAR_DEPTH: the terms and
 * their number for each block of each row, block-major. */
typedef struct cnn_picked {
    cnn_term *terms; /* [cnn_picked_blocks][CNN_LINEAR_DEPTH] */
    int32_t *counts; /* [cnn_picked_blocks] */
    int32_t *found;  /* how many there are, by row */
} cnn_picked;

size_t cnn_picked_blocks(int rows, int columns);
/* Floats of a matrix [n, columns] turned. */
size_t cnn_linear_turned(int n, int columns);

/* A linear layer over a batch: y[N,OUT] = x[N,IN] weight[OUT,IN]^T + bias, or max(that, 0). The tasks of each
 * part may run in any order and at once. x, weight, bias and dy must be readable CNN_VECTOR_MOST floats
 * beyond their end. */
typedef struct cnn_linear {
    const cnn_kernels *kernels;
    int n, in, out, relu;
    int threads; /* that do tasks: what a thread does next is what as many tasks later is done */
    const float *x, *weight, *bias;
    float *y;
    const float *dy;
    float *dx, *weight_gradient, *bias_gradient; /* dx may be NULL: is not wanted */
    cnn_picked rows;                             /* of x in the forward, of dy in the backward pass */
    float *turned; /* [cnn_linear_turned] x^T of up to CNN_LINEAR_TURNED images, then, in the backward pass,
                      dy^T */
    cnn_picked columns;    /* of its rows */
    float *const *scratch; /* per thread, cnn_linear_scratch floats */
} cnn_linear;

size_t cnn_linear_scratch(int n);
/* Number of tasks of each part, and task number `index`, run by `thread`. Forward: all of count, then all of
 * prepare, then all of forward. Backward: all of pick_gradient, which also sums the gradient of the bias,
 * then all of backward. */
int cnn_linear_count_tasks(const cnn_linear *linear);
void cnn_linear_count(void *linear, int index, int thread);
int cnn_linear_prepare_tasks(const cnn_linear *linear);
void cnn_linear_prepare(void *linear, int index, int thread);
int cnn_linear_forward_tasks(const cnn_linear *linear);
void cnn_linear_forward(void *linear, int index, int thread);
int cnn_linear_pick_gradient_tasks(const cnn_linear *linear);
void cnn_linear_pick_gradient(void *linear, int index, int thread);
int cnn_linear_backward_tasks(const cnn_linear *linear);
void cnn_linear_backward(void *linear, int index, int thread);
/* For cnn_threads_for: of picking from `columns` values of each image, and of one product. */
double cnn_linear_pick_work(const cnn_linear *linear, int columns);
double cnn_linear_product_work(const cnn_linear *linear);

/* ---- elementwise and pooling ---- */

/* y = max(x, 0) in place; NaN stays NaN. layers/relu.c */
void cnn_relu_forward(float *y, size_t count);
/* dy = 0 where y <= 0. y as forward left it (dropout in place may have followed). */
void cnn_relu_backward(const float *y, float *dy, size_t count);

/* Max pooling for cnn_kernels: windows are never padded. layers/maxpool.c */
cnn_pool cnn_pool_of(const cnn_layer *layer);

/* One image [H,W,C] of inverted dropout, in place: each value is zeroed with probability `rate`, else divided
 * by 1 - rate. `kept` [count] remembers. Randomness is word `position + i` of the step for number i of
 * [C,H,W]. layers/dropout.c */
typedef struct cnn_dropout {
    const cnn_kernels *kernels;
    float rate;
    uint64_t seed, step, position;
    size_t channels, pixels; /* C, H*W */
} cnn_dropout;

void cnn_dropout_forward(const cnn_dropout *dropout, float *y, uint8_t *kept);
void cnn_dropout_backward(float rate, const uint8_t *kept, float *dy, size_t count);

/* Softmax cross-entropy of one image: loss in double, -log softmax(logits)[label]; *correct is 1 if the first
 * largest logit is the label's. dlogits (may be NULL) = (softmax - onehot) * scale. layers/softmax.c */
double cnn_softmax_loss(const float *logits, int classes, int label, float scale, float *dlogits,
                        int *correct);

/* One image from channels first to channels last, and back. layers/channels.c */
void cnn_channels_last(const cnn_kernels *kernels, cnn_shape shape, const float *first, float *last);
void cnn_channels_first(const cnn_kernels *kernels, cnn_shape shape, const float *last, float *first);

#endif
