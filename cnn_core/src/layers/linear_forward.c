/* SPDX-License-Identifier: BSD-3-Clause */
/* Of one or two images, and of some dozens, copying the weights would take longer than multiplying by them:
 * the first are multiplied by the weights where they lie; of the others the inputs are turned, so that the
 * weights are the first operand. Both to the same bits as all else. */
#include "layers/linear_parts.h"
#include <string.h>

enum {
    FEW_IMAGES = 2,
    OUTPUTS = 48, /* of a task where weights are not copied: whole tiles of products */
};

/* So few outputs are computed sooner than what is not zero is picked. */
static int is_narrow(const cnn_linear *l)
{
    return l->out < 2 * width(l);
}

int cnn_linear_count_tasks(const cnn_linear *l)
{
    return is_narrow(l) || l->n <= FEW_IMAGES ? 0 : l->n;
}

void cnn_linear_count(void *context, int index, int thread)
{
    (void)thread;
    const cnn_linear *l = context;
    cnn_linear_count_row(l, &l->rows, l->x + (size_t)index * (size_t)l->in, l->in, index);
}

typedef enum way { OF_ALL, OF_PICKED, OF_TURNED, OF_EACH } way;

/* How the forward product is taken, by what takes less: multiplications and moves, by the input. Lanes that
 * no image is in are multiplied, too; what cnn_linear_is_sparse says of sparse sums counts here as well. */
static way way_of(const cnn_linear *l)
{
    if (l->n <= FEW_IMAGES)
        return OF_EACH;
    const int64_t all = (int64_t)l->n * l->in, lanes = (int64_t)cnn_padded((size_t)l->n) * l->in;
    const int sparse = !is_narrow(l) && cnn_linear_is_sparse(&l->rows, l->n, all);
    const int64_t terms = sparse ? cnn_linear_found(&l->rows, l->n) * 4 / 3 : all;
    if (l->n <= CNN_LINEAR_TURNED &&
        lanes * l->out + CNN_WORK_MOVE * all < (terms + (int64_t)CNN_WORK_MOVE * l->in) * l->out)
        return OF_TURNED;
    return sparse ? OF_PICKED : OF_ALL;
}

int cnn_linear_prepare_tasks(const cnn_linear *l)
{
    switch (way_of(l)) {
    case OF_TURNED:
        return blocks(l->in, GROUP);
    case OF_PICKED:
        return l->n;
    case OF_ALL:
    case OF_EACH:
        break;
    }
    return 0;
}

/* Columns of x as rows, and zeros up to whole vectors. */
static void turn_inputs(const cnn_linear *l, int group)
{
    const int first = group * GROUP, columns = smaller(GROUP, l->in - first);
    float *turned = l->turned + cnn_linear_turned(l->n, first);
    l->kernels->transpose(l->x + first, l->in, l->n, columns, turned, turned_pitch(l->n));
    for (int column = 0; column < columns; column++)
        memset(turned + column * turned_pitch(l->n) + l->n, 0,
               (cnn_padded((size_t)l->n) - (size_t)l->n) * sizeof *turned);
}

void cnn_linear_prepare(void *context, int index, int thread)
{
    (void)thread;
    const cnn_linear *l = context;
    if (way_of(l) == OF_TURNED)
        turn_inputs(l, index);
    else
        cnn_linear_collect_row(l, &l->rows, l->x + (size_t)index * (size_t)l->in, l->n, l->in, index);
}

int cnn_linear_forward_tasks(const cnn_linear *l)
{
    const way taken = way_of(l);
    return blocks(l->out, taken == OF_TURNED || taken == OF_EACH ? OUTPUTS : width(l));
}

/* y^T = weight * x^T + bias, one block of outputs, turned back. */
static void forward_turned(const cnn_linear *l, int index, float *sums)
{
    const int first = index * OUTPUTS, outputs = smaller(OUTPUTS, l->out - first);
    const int images = (int)cnn_padded((size_t)l->n), pitch = turned_pitch(l->n);
    for (int i = 0; i < outputs; i++)
        for (int image = 0; image < images; image++)
            sums[i * pitch + image] = l->bias[first + i];
    for (int block = 0; block < blocks(l->in, DEEPER); block++) {
        const int begin = depth_begin(l->in, DEEPER, block),
                  depth = depth_begin(l->in, DEEPER, block + 1) - begin;
        const float *weight = l->weight + (size_t)first * (size_t)l->in + begin;
        const int is_last = block == blocks(l->in, DEEPER) - 1;
        l->kernels->product(
            &(cnn_product){.m = outputs,
                           .n = images,
                           .depth = depth,
                           .a = weight,
                           .a_pitch = l->in,
                           .a_step = 1,
                           .b = l->turned + (size_t)begin * (size_t)pitch,
                           .b_step = pitch,
                           .target = {.c = sums, .pitch = pitch, .continued = 1, .relu = l->relu && is_last},
                           .ahead = {weight + depth, l->in, is_last ? 0 : outputs, depth}});
    }
    l->kernels->transpose(sums, pitch, outputs, l->n, l->y + first, l->out);
}

/* y = x * weight^T + bias, one block of outputs, of few images. */
static void forward_each(const cnn_linear *l, int index)
{
    const int first = index * OUTPUTS, outputs = smaller(OUTPUTS, l->out - first);
    float *y = l->y + first;
    for (int image = 0; image < l->n; image++)
        memcpy(y + (size_t)image * (size_t)l->out, l->bias + first, (size_t)outputs * sizeof *y);
    l->kernels->matrix_vectors(&(cnn_matrix_vectors){.rows = outputs,
                                                     .columns = l->in,
                                                     .count = l->n,
                                                     .a = l->weight + (size_t)first * (size_t)l->in,
                                                     .pitch = l->in,
                                                     .x = l->x,
                                                     .y = y,
                                                     .y_pitch = l->out});
    for (int image = 0; l->relu && image < l->n; image++)
        cnn_relu_forward(y + (size_t)image * (size_t)l->out, (size_t)outputs);
}

/* The weights that come after block `block` of outputs first to first + columns: the next one, or the first
 * of the next task. */
static cnn_ahead following(const cnn_linear *l, int first, int columns, int most, int block)
{
    if (block < blocks(l->in, most) - 1) {
        const int begin = depth_begin(l->in, most, block + 1), end = depth_begin(l->in, most, block + 2);
        return (cnn_ahead){l->weight + (size_t)first * (size_t)l->in + begin, l->in, columns, end - begin};
    }
    const int next = next_first(l, first, l->out);
    return (cnn_ahead){l->weight + (size_t)next * (size_t)l->in, l->in, smaller(width(l), l->out - next),
                       depth_begin(l->in, most, 1)};
}

/* y = x * weight^T + bias, one block of outputs. */
static void forward(const cnn_linear *l, int index, int thread)
{
    const int first = index * width(l), columns = smaller(width(l), l->out - first);
    const cnn_picked *picked = way_of(l) == OF_PICKED ? &l->rows : NULL;
    const int most = picked ? DEPTH : DEEPER;
    for (int block = 0; block < blocks(l->in, most); block++) {
        const int begin = depth_begin(l->in, most, block),
                  depth = depth_begin(l->in, most, block + 1) - begin;
        const float *weight = l->weight + (size_t)first * (size_t)l->in + begin;
        const int is_last = block == blocks(l->in, most) - 1;
        l->kernels->transpose(weight, l->in, columns, depth, l->scratch[thread], pitch(l));
        cnn_linear_multiply(l, picked, block,
                            &(cnn_product){.m = l->n,
                                           .n = columns,
                                           .depth = depth,
                                           .a = l->x + begin,
                                           .a_pitch = l->in,
                                           .a_step = 1,
                                           .b = l->scratch[thread],
                                           .b_step = pitch(l),
                                           .target = {.c = results(l, thread),
                                                      .pitch = pitch(l),
                                                      .start = block ? NULL : l->bias + first,
                                                      .continued = block > 0,
                                                      .relu = l->relu && is_last},
                                           .ahead = following(l, first, columns, most, block)});
    }
    cnn_linear_write_results(l, thread, first, columns, l->y, l->out);
}

void cnn_linear_forward(void *context, int index, int thread)
{
    const cnn_linear *l = context;
    switch (way_of(l)) {
    case OF_TURNED:
        forward_turned(l, index, l->scratch[thread]);
        break;
    case OF_EACH:
        forward_each(l, index);
        break;
    case OF_ALL:
    case OF_PICKED:
        forward(l, index, thread);
        break;
    }
}
