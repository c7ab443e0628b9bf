/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/status.h"
#include "layers/layers.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Rows and columns of the zero-padded copy that stride 1 uses. */
static int padded_h(const cnn_conv *conv)
{
    return conv->out.h + conv->kernel_h - 1;
}

static int padded_w(const cnn_conv *conv)
{
    return conv->out.w + conv->kernel_w - 1;
}

int cnn_conv_create(const cnn_layer *layer, cnn_conv *out)
{
    cnn_conv conv = {.in = layer->in,
                     .out = layer->out,
                     .kernel_h = layer->kernel_h,
                     .kernel_w = layer->kernel_w,
                     .stride = layer->stride,
                     .pad_top = layer->pad_top,
                     .pad_left = layer->pad_left};
    const size_t taps = layer->weight_count / layer->bias_count;
    const int shifted = conv.stride == 1;
    const size_t pitch = (size_t)(shifted ? padded_w(&conv) : conv.out.w);
    const size_t length = (size_t)(conv.out.h - 1) * pitch + (size_t)conv.out.w;
    const size_t copy = (size_t)padded_h(&conv) * (size_t)padded_w(&conv);
    conv.operand_count = shifted ? (size_t)conv.in.c * copy + CNN_VECTOR_MOST : taps * cnn_padded(length);
    if (taps > INT_MAX || cnn_padded(length) > INT_MAX || taps * cnn_padded(length) > (size_t)1 << 32)
        return cnn_fail(CNN_BAD_ARGUMENT, "layer \"%s\": %zu taps at %zu positions are more than 2^32 values",
                        layer->name, taps, length);
    conv.taps = (int)taps;
    conv.pitch = (int)pitch;
    conv.length = (int)length;
    conv.padded = (int)cnn_padded(length);
    conv.tap = malloc(taps * sizeof *conv.tap);
    conv.row = malloc((size_t)conv.out.c * sizeof *conv.row);
    if (!conv.tap || !conv.row) {
        cnn_conv_free(&conv);
        return cnn_fail(CNN_NO_MEMORY, "layer \"%s\": no memory for %zu taps", layer->name, taps);
    }
    int tap = 0;
    for (int c = 0; c < conv.in.c; c++)
        for (int r = 0; r < conv.kernel_h; r++)
            for (int s = 0; s < conv.kernel_w; s++, tap++)
                conv.tap[tap] = shifted ? ((ptrdiff_t)c * padded_h(&conv) + r) * padded_w(&conv) + s
                                        : (ptrdiff_t)tap * conv.padded;
    for (int k = 0; k < conv.out.c; k++)
        conv.row[k] = (ptrdiff_t)k * conv.padded;
    *out = conv;
    return CNN_OK;
}

void cnn_conv_free(cnn_conv *conv)
{
    free(conv->tap);
    free(conv->row);
    *conv = (cnn_conv){0};
}

/* Input column of output column q under kernel column s; likewise for rows. */
static int input_column(const cnn_conv *conv, int q, int s)
{
    return q * conv->stride + s - conv->pad_left;
}

static int input_row(const cnn_conv *conv, int p, int r)
{
    return p * conv->stride + r - conv->pad_top;
}

/* The part of the input that the padded copy holds: `valid` never reads the rows and columns that stick out.
 */
static int copied(int in, int padded, int pad)
{
    return in < padded - pad ? in : padded - pad;
}

/* Lays one image out; all of the operand is written, so that slack holds no NaN. */
static void lower(const cnn_conv *conv, const float *x, float *operand)
{
    const int h = conv->in.h, w = conv->in.w;
    memset(operand, 0, conv->operand_count * sizeof *operand);
    if (conv->stride == 1) {
        const int ph = padded_h(conv), pw = padded_w(conv);
        const int rows = copied(h, ph, conv->pad_top), columns = copied(w, pw, conv->pad_left);
        for (int c = 0; c < conv->in.c; c++)
            for (int row = 0; row < rows; row++)
                memcpy(operand + ((size_t)c * (size_t)ph + (size_t)(row + conv->pad_top)) * (size_t)pw +
                           conv->pad_left,
                       x + ((size_t)c * (size_t)h + (size_t)row) * (size_t)w, (size_t)columns * sizeof *x);
        return;
    }
    const ptrdiff_t *tap = conv->tap;
    for (int c = 0; c < conv->in.c; c++)
        for (int r = 0; r < conv->kernel_h; r++)
            for (int s = 0; s < conv->kernel_w; s++, tap++)
                for (int p = 0; p < conv->out.h; p++) {
                    const int row = input_row(conv, p, r);
                    for (int q = 0; q < conv->out.w; q++) {
                        const int column = input_column(conv, q, s);
                        if (row >= 0 && row < h && column >= 0 && column < w)
                            operand[*tap + p * conv->pitch + q] =
                                x[((size_t)c * (size_t)h + (size_t)row) * (size_t)w + (size_t)column];
                    }
                }
}

/* The adjoint of lower: dx receives, for each input value, the sum over the taps it lies under. `taps` [taps,
 * padded] holds the gradients of each tap's values. */
static void lift(const cnn_conv *conv, const float *taps, float *dx, float *copy)
{
    const int h = conv->in.h, w = conv->in.w;
    memset(dx, 0, cnn_shape_count(conv->in) * sizeof *dx);
    if (conv->stride == 1) {
        const int ph = padded_h(conv), pw = padded_w(conv);
        const int rows = copied(h, ph, conv->pad_top), columns = copied(w, pw, conv->pad_left);
        memset(copy, 0, conv->operand_count * sizeof *copy);
        for (int t = 0; t < conv->taps; t++) {
            float *to = copy + conv->tap[t];
            const float *from = taps + (size_t)t * (size_t)conv->padded;
            for (int l = 0; l < conv->length; l++)
                to[l] += from[l];
        }
        for (int c = 0; c < conv->in.c; c++)
            for (int row = 0; row < rows; row++)
                memcpy(dx + ((size_t)c * (size_t)h + (size_t)row) * (size_t)w,
                       copy + ((size_t)c * (size_t)ph + (size_t)(row + conv->pad_top)) * (size_t)pw +
                           conv->pad_left,
                       (size_t)columns * sizeof *dx);
        return;
    }
    for (int c = 0; c < conv->in.c; c++)
        for (int r = 0; r < conv->kernel_h; r++)
            for (int s = 0; s < conv->kernel_w; s++, taps += conv->padded)
                for (int p = 0; p < conv->out.h; p++) {
                    const int row = input_row(conv, p, r);
                    for (int q = 0; q < conv->out.w; q++) {
                        const int column = input_column(conv, q, s);
                        if (row >= 0 && row < h && column >= 0 && column < w)
                            dx[((size_t)c * (size_t)h + (size_t)row) * (size_t)w + (size_t)column] +=
                                taps[p * conv->pitch + q];
                    }
                }
}

/* Floats of one row of positions per filter, and per tap. */
static size_t filter_rows(const cnn_conv *conv)
{
    return (size_t)conv->out.c * (size_t)conv->padded;
}

static size_t tap_rows(const cnn_conv *conv)
{
    return (size_t)conv->taps * (size_t)conv->padded;
}

size_t cnn_conv_forward_scratch(const cnn_conv *conv)
{
    return conv->operand_count + CNN_VECTOR_MOST + filter_rows(conv);
}

size_t cnn_conv_backward_scratch(const cnn_conv *conv)
{
    return 2 * (conv->operand_count + CNN_VECTOR_MOST) + filter_rows(conv) + tap_rows(conv);
}

void cnn_conv_forward(const cnn_kernels *kernels, const cnn_conv *conv, const float *x, const float *weight,
                      const float *bias, float *y, float *scratch)
{
    float *operand = scratch, *rows = scratch + conv->operand_count + CNN_VECTOR_MOST;
    lower(conv, x, operand);
    kernels->product(&(cnn_product){.m = conv->out.c,
                                    .n = conv->length,
                                    .depth = conv->taps,
                                    .a = weight,
                                    .a_row = conv->taps,
                                    .a_step = 1,
                                    .b = operand,
                                    .b_row = conv->tap,
                                    .c = rows,
                                    .c_row = conv->padded});
    for (int k = 0; k < conv->out.c; k++)
        for (int p = 0; p < conv->out.h; p++) {
            const float *from = rows + conv->row[k] + (ptrdiff_t)p * conv->pitch;
            for (int q = 0; q < conv->out.w; q++)
                *y++ = from[q] + bias[k];
        }
}

/* dy with the pitch of the positions, zero between and after the rows. */
static void spread(const cnn_conv *conv, const float *dy, float *rows, float *bias_gradient)
{
    memset(rows, 0, filter_rows(conv) * sizeof *rows);
    for (int k = 0; k < conv->out.c; k++) {
        double sum = 0;
        for (int p = 0; p < conv->out.h; p++, dy += conv->out.w) {
            memcpy(rows + conv->row[k] + (ptrdiff_t)p * conv->pitch, dy, (size_t)conv->out.w * sizeof *dy);
            for (int q = 0; q < conv->out.w; q++)
                sum += (double)dy[q];
        }
        bias_gradient[k] += (float)sum;
    }
}

void cnn_conv_backward(const cnn_kernels *kernels, const cnn_conv *conv, const float *x, const float *weight,
                       const float *dy, float *weight_gradient, float *bias_gradient, float *dx,
                       float *scratch)
{
    float *operand = scratch, *copy = operand + conv->operand_count + CNN_VECTOR_MOST;
    float *rows = copy + conv->operand_count + CNN_VECTOR_MOST, *taps = rows + filter_rows(conv);
    lower(conv, x, operand);
    memset(operand + conv->operand_count, 0, CNN_VECTOR_MOST * sizeof *operand);
    spread(conv, dy, rows, bias_gradient);
    kernels->dots(&(cnn_dots){.m = conv->out.c,
                              .n = conv->taps,
                              .length = conv->padded,
                              .a = rows,
                              .a_row = conv->padded,
                              .b = operand,
                              .b_row = conv->tap,
                              .c = weight_gradient,
                              .c_row = conv->taps});
    if (!dx)
        return;
    kernels->product(&(cnn_product){.m = conv->taps,
                                    .n = conv->length,
                                    .depth = conv->out.c,
                                    .a = weight,
                                    .a_row = 1,
                                    .a_step = conv->taps,
                                    .b = rows,
                                    .b_row = conv->row,
                                    .c = taps,
                                    .c_row = conv->padded});
    lift(conv, taps, dx, copy);
}
