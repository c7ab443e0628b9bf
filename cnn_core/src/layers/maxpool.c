/* SPDX-License-Identifier: BSD-3-Clause */
#include "layers/layers.h"
#include <string.h>

/* Where the window of output (c, p, q) begins in an image. */
static size_t window_start(const cnn_layer *layer, int c, int p, int q)
{
    const size_t row = (size_t)c * (size_t)layer->in.h + (size_t)p * (size_t)layer->stride;
    return row * (size_t)layer->in.w + (size_t)q * (size_t)layer->stride;
}

/* One row of windows: place by place over all windows, so that the compiler can do several windows at once.
 * NaN is larger than any number, and no NaN is larger than another. */
static inline __attribute__((always_inline)) void pool_row(const cnn_layer *layer, int stride, const float *x,
                                                           float *restrict y, int32_t *restrict chosen)
{
    const int columns = layer->out.w;
    for (int q = 0; q < columns; q++) {
        y[q] = x[q * stride];
        chosen[q] = 0;
    }
    for (int r = 0; r < layer->kernel_h; r++)
        for (int s = 0; s < layer->kernel_w; s++) {
            const float *from = x + r * layer->in.w + s;
            const int32_t place = r * layer->kernel_w + s;
            for (int q = 0; q < columns; q++) {
                const float value = from[q * stride], best = y[q];
                const int better = !(value <= best) & (best == best);
                y[q] = better ? value : best;
                chosen[q] = better ? place : chosen[q];
            }
        }
}

void cnn_maxpool_forward(const cnn_layer *layer, const float *x, float *y, int32_t *chosen)
{
    for (int c = 0; c < layer->out.c; c++)
        for (int p = 0; p < layer->out.h; p++, y += layer->out.w, chosen += layer->out.w) {
            const float *row = x + window_start(layer, c, p, 0);
            if (layer->stride == 2)
                pool_row(layer, 2, row, y, chosen);
            else
                pool_row(layer, layer->stride, row, y, chosen);
        }
}

void cnn_maxpool_backward(const cnn_layer *layer, const int32_t *chosen, const float *dy, float *dx)
{
    memset(dx, 0, cnn_shape_count(layer->in) * sizeof *dx);
    size_t at = 0;
    for (int c = 0; c < layer->out.c; c++)
        for (int p = 0; p < layer->out.h; p++)
            for (int q = 0; q < layer->out.w; q++, at++) {
                const int r = chosen[at] / layer->kernel_w, s = chosen[at] % layer->kernel_w;
                dx[window_start(layer, c, p, q) + (size_t)r * (size_t)layer->in.w + (size_t)s] += dy[at];
            }
}
