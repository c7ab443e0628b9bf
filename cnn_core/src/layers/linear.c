/* SPDX-License-Identifier: BSD-3-Clause */
#include "layers/layers.h"

/* Where the rows of an operand begin. */
static void fill_offsets(ptrdiff_t offsets[CNN_LINEAR_DEPTH], ptrdiff_t pitch)
{
    for (int i = 0; i < CNN_LINEAR_DEPTH; i++)
        offsets[i] = i * pitch;
}

static int blocks(int count, int size)
{
    return (count + size - 1) / size;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

size_t cnn_linear_scratch(int n)
{
    return CNN_LINEAR_ROWS * cnn_padded((size_t)n);
}

int cnn_linear_transpose_tasks(const cnn_linear *l)
{
    return blocks(l->in, CNN_LINEAR_DEPTH);
}

void cnn_linear_transpose(void *context, int index, int thread)
{
    (void)thread;
    const cnn_linear *l = context;
    const size_t pitch = cnn_padded((size_t)l->n);
    const int first = index * CNN_LINEAR_DEPTH, last = smaller(first + CNN_LINEAR_DEPTH, l->in);
    for (int i = first; i < last; i++) {
        float *to = l->transposed + (size_t)i * pitch;
        for (int n = 0; n < l->n; n++)
            to[n] = l->x[(size_t)n * (size_t)l->in + (size_t)i];
        for (size_t n = (size_t)l->n; n < pitch; n++)
            to[n] = 0;
    }
}

int cnn_linear_forward_tasks(const cnn_linear *l)
{
    return blocks(l->out, CNN_LINEAR_ROWS);
}

/* The outputs of one block of rows of the weight, computed as weight * x^T, since then both operands are read
 * along their memory. */
void cnn_linear_forward(void *context, int index, int thread)
{
    const cnn_linear *l = context;
    const int first = index * CNN_LINEAR_ROWS, rows = smaller(CNN_LINEAR_ROWS, l->out - first);
    const ptrdiff_t pitch = (ptrdiff_t)cnn_padded((size_t)l->n);
    float *block = l->scratch[thread];
    ptrdiff_t offsets[CNN_LINEAR_DEPTH];
    fill_offsets(offsets, pitch);
    for (int at = 0; at < l->in; at += CNN_LINEAR_DEPTH)
        l->kernels->product(&(cnn_product){.m = rows,
                                           .n = l->n,
                                           .depth = smaller(CNN_LINEAR_DEPTH, l->in - at),
                                           .a = l->weight + (size_t)first * (size_t)l->in + at,
                                           .a_row = l->in,
                                           .a_step = 1,
                                           .b = l->transposed + at * pitch,
                                           .b_row = offsets,
                                           .c = block,
                                           .c_row = pitch,
                                           .accumulate = at > 0});
    for (int n = 0; n < l->n; n++)
        for (int row = 0; row < rows; row++)
            l->y[(size_t)n * (size_t)l->out + (size_t)(first + row)] =
                block[row * pitch + n] + l->bias[first + row];
}

int cnn_linear_backward_input_tasks(const cnn_linear *l)
{
    return blocks(l->in, CNN_LINEAR_COLUMNS);
}

/* dx = dy * weight, one block of columns. */
void cnn_linear_backward_input(void *context, int index, int thread)
{
    (void)thread;
    const cnn_linear *l = context;
    const int first = index * CNN_LINEAR_COLUMNS, columns = smaller(CNN_LINEAR_COLUMNS, l->in - first);
    ptrdiff_t offsets[CNN_LINEAR_DEPTH];
    fill_offsets(offsets, l->in);
    for (int at = 0; at < l->out; at += CNN_LINEAR_DEPTH)
        l->kernels->product(&(cnn_product){.m = l->n,
                                           .n = columns,
                                           .depth = smaller(CNN_LINEAR_DEPTH, l->out - at),
                                           .a = l->dy + at,
                                           .a_row = l->out,
                                           .a_step = 1,
                                           .b = l->weight + (size_t)at * (size_t)l->in + first,
                                           .b_row = offsets,
                                           .c = l->dx + first,
                                           .c_row = l->in,
                                           .accumulate = at > 0});
}

int cnn_linear_backward_weight_tasks(const cnn_linear *l)
{
    return blocks(l->out, CNN_LINEAR_ROWS);
}

/* weight_gradient = dy^T * x, one block of rows; columns in blocks, so that their part of x stays in the
 * nearest cache. */
void cnn_linear_backward_weight(void *context, int index, int thread)
{
    (void)thread;
    const cnn_linear *l = context;
    const int first = index * CNN_LINEAR_ROWS, rows = smaller(CNN_LINEAR_ROWS, l->out - first);
    ptrdiff_t offsets[CNN_LINEAR_DEPTH];
    fill_offsets(offsets, l->in);
    for (int column = 0; column < l->in; column += CNN_LINEAR_COLUMNS)
        for (int at = 0; at < l->n; at += CNN_LINEAR_DEPTH)
            l->kernels->product(
                &(cnn_product){.m = rows,
                               .n = smaller(CNN_LINEAR_COLUMNS, l->in - column),
                               .depth = smaller(CNN_LINEAR_DEPTH, l->n - at),
                               .a = l->dy + (size_t)at * (size_t)l->out + first,
                               .a_row = 1,
                               .a_step = l->out,
                               .b = l->x + (size_t)at * (size_t)l->in + column,
                               .b_row = offsets,
                               .c = l->weight_gradient + (size_t)first * (size_t)l->in + column,
                               .c_row = l->in,
                               .accumulate = at > 0});
    for (int row = first; row < first + rows; row++) {
        double sum = 0;
        for (int n = 0; n < l->n; n++)
            sum += (double)l->dy[(size_t)n * (size_t)l->out + (size_t)row];
        l->bias_gradient[row] = (float)sum;
    }
}
