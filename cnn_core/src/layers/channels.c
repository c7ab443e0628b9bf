/* SPDX-License-Identifier: BSD-3-Clause */
#include "layers/layers.h"
#include <string.h>

static void turn(const cnn_kernels *kernels, int rows, int columns, const float *from, float *to)
{
    if (rows == 1 || columns == 1)
        memcpy(to, from, (size_t)rows * (size_t)columns * sizeof *to);
    else
        kernels->transpose(from, columns, rows, columns, to, rows);
}

void cnn_channels_last(const cnn_kernels *kernels, cnn_shape shape, const float *first, float *last)
{
    turn(kernels, shape.c, shape.h * shape.w, first, last);
}

void cnn_channels_first(const cnn_kernels *kernels, cnn_shape shape, const float *last, float *first)
{
    turn(kernels, shape.h * shape.w, shape.c, last, first);
}
