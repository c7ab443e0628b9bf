/* SPDX-License-Identifier: BSD-3-Clause */
#include "blas_conv.h"
#include <cblas.h>
#include <string.h>

static int taps_of(const cnn_layer *layer)
{
    return (int)(layer->weight_count / layer->bias_count);
}

static int positions_of(const cnn_layer *layer)
{
    return layer->out.h * layer->out.w;
}

size_t blas_conv_columns(const cnn_layer *layer)
{
    return (size_t)taps_of(layer) * (size_t)positions_of(layer);
}

/* Calls of `what` with each row of positions under one tap: the row of the image, or NULL on padding, the
 * first column of the image, and the row of the columns. */
typedef void visit(const cnn_layer *layer, const float *row, int column, float *to);

static void each_row(const cnn_layer *layer, const float *x, float *columns, visit *what)
{
    const int h = layer->in.h, w = layer->in.w;
    for (int c = 0; c < layer->in.c; c++)
        for (int r = 0; r < layer->kernel_h; r++)
            for (int s = 0; s < layer->kernel_w; s++)
                for (int p = 0; p < layer->out.h; p++, columns += layer->out.w) {
                    const int row = p * layer->stride + r - layer->pad_top;
                    what(layer,
                         row >= 0 && row < h ? x + ((size_t)c * (size_t)h + (size_t)row) * (size_t)w : NULL,
                         s - layer->pad_left, columns);
                }
}

static void copy_row(const cnn_layer *layer, const float *row, int column, float *to)
{
    for (int q = 0; q < layer->out.w; q++, column += layer->stride)
        to[q] = row && column >= 0 && column < layer->in.w ? row[column] : 0;
}

/* The adjoint; the row is one of dx. */
static void add_row(const cnn_layer *layer, const float *row, int column, float *to)
{
    float *dx = (float *)row;
    for (int q = 0; row && q < layer->out.w; q++, column += layer->stride)
        if (column >= 0 && column < layer->in.w)
            dx[column] += to[q];
}

void blas_conv_forward(const cnn_layer *layer, const float *x, float *y, float *columns)
{
    const int taps = taps_of(layer), positions = positions_of(layer), filters = layer->out.c;
    each_row(layer, x, columns, copy_row);
    for (int k = 0; k < filters; k++)
        for (int i = 0; i < positions; i++)
            y[(size_t)k * (size_t)positions + (size_t)i] = layer->bias[k];
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, filters, positions, taps, 1, layer->weight, taps,
                columns, positions, 1, y, positions);
}

void blas_conv_backward(const cnn_layer *layer, const float *x, const float *dy, float *gradient, float *dx,
                        float *columns)
{
    const int taps = taps_of(layer), positions = positions_of(layer), filters = layer->out.c;
    float *bias = gradient + layer->weight_count, *dcolumns = columns + blas_conv_columns(layer);
    each_row(layer, x, columns, copy_row);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, filters, taps, positions, 1, dy, positions, columns,
                positions, 1, gradient, taps);
    for (int k = 0; k < filters; k++) {
        double sum = 0;
        for (int i = 0; i < positions; i++)
            sum += (double)dy[(size_t)k * (size_t)positions + (size_t)i];
        bias[k] += (float)sum;
    }
    if (!dx)
        return;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, taps, positions, filters, 1, layer->weight, taps, dy,
                positions, 0, dcolumns, positions);
    memset(dx, 0, cnn_shape_count(layer->in) * sizeof *dx);
    each_row(layer, dx, dcolumns, add_row);
}
