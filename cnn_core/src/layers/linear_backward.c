/* SPDX-License-Identifier: BSD-3-Clause */
#include "layers/linear_parts.h"

static void pick_row(const cnn_linear *l, const cnn_picked *picked, const float *values, int rows,
                     int columns, int row)
{
    cnn_linear_count_row(l, picked, values, columns, row);
    cnn_linear_collect_row(l, picked, values, rows, columns, row);
}

/* A group of columns of dy: their sums are the gradient of the bias; as rows they are what multiplies x. */
static void turn_group(const cnn_linear *l, int group)
{
    const int first = group * GROUP, columns = smaller(GROUP, l->out - first);
    const float *dy = l->dy + first;
    float *turned = l->turned + cnn_linear_turned(l->n, first);
    double sums[GROUP] = {0};
    l->kernels->add_columns(dy, l->out, l->n, columns, sums);
    l->kernels->transpose(dy, l->out, l->n, columns, turned, turned_pitch(l->n));
    for (int column = 0; column < columns; column++) {
        l->bias_gradient[first + column] = (float)sums[column];
        pick_row(l, &l->columns, turned + column * turned_pitch(l->n), l->out, l->n, first + column);
    }
}

int cnn_linear_pick_gradient_tasks(const cnn_linear *l)
{
    return blocks(l->out, GROUP) + (l->dx ? l->n : 0);
}

void cnn_linear_pick_gradient(void *context, int index, int thread)
{
    (void)thread;
    const cnn_linear *l = context;
    const int groups = blocks(l->out, GROUP);
    if (index < groups)
        turn_group(l, index);
    else
        pick_row(l, &l->rows, l->dy + (size_t)(index - groups) * (size_t)l->out, l->n, l->out,
                 index - groups);
}

/* weight_gradient = dy^T * x, one block of inputs. */
static void backward_weight(const cnn_linear *l, int index, float *scratch)
{
    const int first = index * width(l), columns = smaller(width(l), l->in - first);
    const cnn_picked *picked =
        cnn_linear_is_sparse(&l->columns, l->out, (int64_t)l->n * l->out) ? &l->columns : NULL;
    const int most = picked ? DEPTH : DEEPER;
    for (int block = 0; block < blocks(l->n, most); block++) {
        const int begin = depth_begin(l->n, most, block), depth = depth_begin(l->n, most, block + 1) - begin;
        const float *x = l->x + (size_t)begin * (size_t)l->in + first;
        l->kernels->copy_rows(x, l->in, depth, columns, scratch, pitch(l));
        cnn_linear_multiply(
            l, picked, block,
            &(cnn_product){.m = l->out,
                           .n = columns,
                           .depth = depth,
                           .a = l->turned + begin,
                           .a_pitch = turned_pitch(l->n),
                           .a_step = 1,
                           .b = scratch,
                           .b_step = pitch(l),
                           .target = {.c = l->weight_gradient + first,
                                      .pitch = l->in,
                                      .continued = block > 0,
                                      .distance = blocks(l->n, most) == 1 ? CNN_FAR_FOR_NOW : CNN_FAR}});
    }
}

/* The weights that come after block `block` of inputs first to first + columns: the next one, or the first of
 * the next task. */
static cnn_ahead following(const cnn_linear *l, int first, int columns, int block)
{
    if (block < blocks(l->out, DEPTH) - 1) {
        const int begin = depth_begin(l->out, DEPTH, block + 1), end = depth_begin(l->out, DEPTH, block + 2);
        return (cnn_ahead){l->weight + (size_t)begin * (size_t)l->in + first, l->in, end - begin, columns};
    }
    const int next = next_first(l, first, l->in);
    return (cnn_ahead){l->weight + next, l->in, depth_begin(l->out, DEPTH, 1),
                       smaller(width(l), l->in - next)};
}

/* dx = dy * weight, one block of inputs. No deeper blocks than where zeros are left out: a row of dy^T is
 * read a piece of a line at a time, and those of a deep block would not stay near. */
static void backward_input(const cnn_linear *l, int index, int thread)
{
    const int first = index * width(l), columns = smaller(width(l), l->in - first);
    const cnn_picked *picked = cnn_linear_is_sparse(&l->rows, l->n, (int64_t)l->n * l->out) ? &l->rows : NULL;
    for (int block = 0; block < blocks(l->out, DEPTH); block++) {
        const int begin = depth_begin(l->out, DEPTH, block),
                  depth = depth_begin(l->out, DEPTH, block + 1) - begin;
        const float *weight = l->weight + (size_t)begin * (size_t)l->in + first;
        l->kernels->copy_rows(weight, l->in, depth, columns, l->scratch[thread], pitch(l));
        cnn_linear_multiply(
            l, picked, block,
            &(cnn_product){.m = l->n,
                           .n = columns,
                           .depth = depth,
                           .a = l->turned + cnn_linear_turned(l->n, begin),
                           .a_pitch = 1,
                           .a_step = turned_pitch(l->n),
                           .b = l->scratch[thread],
                           .b_step = pitch(l),
                           .target = {.c = results(l, thread), .pitch = pitch(l), .continued = block > 0},
                           .ahead = following(l, first, columns, block)});
    }
    cnn_linear_write_results(l, thread, first, columns, l->dx, l->in);
}

int cnn_linear_backward_tasks(const cnn_linear *l)
{
    return blocks(l->in, width(l)) * (l->dx ? 2 : 1);
}

void cnn_linear_backward(void *context, int index, int thread)
{
    const cnn_linear *l = context;
    const int each = blocks(l->in, width(l));
    if (index < each)
        backward_weight(l, index, l->scratch[thread]);
    else
        backward_input(l, index - each, thread);
}
