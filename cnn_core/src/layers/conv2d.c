/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/status.h"
#include "float_arena.h"
#include "layers/layers.h"
#include <limits.h>
#include <stdlib.h>

enum {
    PART = 1024,          /* most positions that a gradient of the weights is summed over at a time */
    NEAR_WEIGHTS = 10240, /* little more than the nearest cache holds */
};

/* Rows, a multiple of K apart: those of a part's positions, or of the gradients of all taps. */
static int filter_rows(const cnn_conv *conv)
{
    return conv->part > conv->taps ? conv->part : conv->taps;
}

/* ---- geometry ---- */

static ptrdiff_t *multiples(ptrdiff_t step, int count)
{
    ptrdiff_t *table = malloc((size_t)count * sizeof *table);
    for (int i = 0; table && i < count; i++)
        table[i] = i * step;
    return table;
}

/* Where the windows of all output positions, or of all input positions where those are as many, begin in a
 * copy. */
static void fill_windows(const cnn_conv *conv, const cnn_bordered *copied, ptrdiff_t *to)
{
    for (int p = 0; p < conv->out.h; p++)
        for (int q = 0; q < conv->out.w; q++)
            *to++ = ((ptrdiff_t)p * copied->copy_w + q) * conv->stride * copied->channels;
}

static void fill_positions(cnn_conv *conv)
{
    fill_windows(conv, &conv->x, conv->position);
    ptrdiff_t *to = conv->tap;
    for (int c = 0; c < conv->in.c; c++)
        for (int r = 0; r < conv->kernel_h; r++)
            for (int s = 0; s < conv->kernel_w; s++)
                *to++ = ((ptrdiff_t)r * conv->x.copy_w + s) * conv->in.c + c;
}

/* The order in which the terms of an output are added: that of the copy, which is that of conv3x3_forward. */
static void fill_taps(cnn_conv *conv)
{
    int i = 0;
    for (int r = 0; r < conv->kernel_h; r++)
        for (int s = 0; s < conv->kernel_w; s++)
            for (int c = 0; c < conv->in.c; c++, i++) {
                const ptrdiff_t tap = ((ptrdiff_t)c * conv->kernel_h + r) * conv->kernel_w + s;
                conv->ordered_tap[i] = conv->tap[tap];
                conv->by_tap_row[i] = tap * conv->filter_pitch;
            }
}

static int is_conv3x3(const cnn_conv *conv)
{
    return conv->kernel_h == 3 && conv->kernel_w == 3 && conv->stride == 1 &&
           conv->out.c % CNN_VECTOR_MOST == 0;
}

/* Weights that are read for each value anew must be near. */
static int has_strips(const cnn_conv *conv)
{
    return conv->is_3x3 && conv->in.c % CNN_VECTOR_MOST == 0 && conv->out.c <= NEAR_WEIGHTS / conv->taps;
}

static size_t strips_count(const cnn_conv *conv)
{
    const size_t strips = ((size_t)conv->out.c + CNN_CONV3X3_STRIP - 1) / CNN_CONV3X3_STRIP;
    return has_strips(conv) ? strips * (size_t)conv->taps * CNN_CONV3X3_STRIP : 0;
}

/* Where strides are one, dx has as many positions as dy, and channels fill vectors; offsets must fit. */
static int can_gather(const cnn_conv *conv)
{
    return conv->stride == 1 && conv->out.h == conv->in.h && conv->out.w == conv->in.w &&
           conv->in.c % CNN_VECTOR_MOST == 0 && conv->x.copy_h * conv->x.copy_w <= INT_MAX / conv->out.c;
}

/* The window over dy of an input position: place (r, s) has tap (R-1-r, S-1-s), so that positions of dy come
 * in their order, as they do where their gradients are scattered. */
static void fill_gather(cnn_conv *conv)
{
    fill_windows(conv, &conv->dy, conv->gather_position);
    int i = 0;
    for (int r = 0; r < conv->kernel_h; r++)
        for (int s = 0; s < conv->kernel_w; s++)
            for (int k = 0; k < conv->out.c; k++, i++) {
                const ptrdiff_t tap =
                    (ptrdiff_t)(conv->kernel_h - 1 - r) * conv->kernel_w + conv->kernel_w - 1 - s;
                conv->gather_tap[i] = ((ptrdiff_t)r * conv->dy.copy_w + s) * conv->out.c + k;
                conv->gather_row[i] = k * conv->tap_pitch + tap * conv->in.c;
            }
}

/* Values of dy that a window of it has. */
static size_t gather_count(const cnn_conv *conv)
{
    return (size_t)conv->kernel_h * (size_t)conv->kernel_w * (size_t)conv->out.c;
}

/* Fewer vectors of 8 are needed with the filters along them: runs of few taps would leave most lanes idle. */
static int is_better_by_taps(const cnn_conv *conv)
{
    const int filters = (conv->out.c + 7) / 8, runs = conv->kernel_h * ((conv->run + 7) / 8);
    return (int64_t)conv->taps * filters * 4 < (int64_t)conv->out.c * runs * 3;
}

static int take_tables(cnn_conv *conv, int training)
{
    conv->position = malloc((size_t)conv->positions * sizeof *conv->position);
    conv->tap = malloc((size_t)conv->taps * sizeof *conv->tap);
    conv->by_tap = cnn_float_arena((size_t)conv->taps * (size_t)conv->filter_pitch);
    conv->ordered_tap = malloc((size_t)conv->taps * sizeof *conv->ordered_tap);
    conv->by_tap_row = malloc((size_t)conv->taps * sizeof *conv->by_tap_row);
    int missing = !conv->position || !conv->tap || !conv->by_tap || !conv->ordered_tap || !conv->by_tap_row;
    if (has_strips(conv))
        missing |= !(conv->strips = cnn_float_arena(strips_count(conv)));
    if (training) {
        conv->by_filter = cnn_float_arena((size_t)conv->out.c * (size_t)conv->tap_pitch);
        conv->filters = multiples(conv->out.c, filter_rows(conv));
        missing |= !conv->by_filter || !conv->filters;
    }
    if (conv->gathers) {
        conv->gather_position = malloc((size_t)conv->positions * sizeof *conv->gather_position);
        conv->gather_tap = malloc(gather_count(conv) * sizeof *conv->gather_tap);
        conv->gather_row = malloc(gather_count(conv) * sizeof *conv->gather_row);
        missing |= !conv->gather_position || !conv->gather_tap || !conv->gather_row;
    }
    return missing;
}

int cnn_conv_create(const cnn_layer *layer, int training, cnn_conv *out)
{
    cnn_conv conv = {.in = layer->in,
                     .out = layer->out,
                     .kernel_h = layer->kernel_h,
                     .kernel_w = layer->kernel_w,
                     .stride = layer->stride};
    const size_t taps = layer->weight_count / layer->bias_count;
    const size_t positions = (size_t)conv.out.h * (size_t)conv.out.w;
    const size_t copy_h = (size_t)(conv.out.h - 1) * (size_t)conv.stride + (size_t)conv.kernel_h;
    const size_t copy_w = (size_t)(conv.out.w - 1) * (size_t)conv.stride + (size_t)conv.kernel_w;
    if (taps > INT_MAX / 2 || positions > INT_MAX / 2 || copy_h * copy_w > INT_MAX / (size_t)conv.in.c)
        return cnn_fail(CNN_BAD_ARGUMENT, "layer \"%s\": %zu taps at %zu positions are more than 2^30 values",
                        layer->name, taps, positions);
    conv.x = (cnn_bordered){.h = conv.in.h,
                            .w = conv.in.w,
                            .channels = conv.in.c,
                            .copy_h = (int)copy_h,
                            .copy_w = (int)copy_w,
                            .top = layer->pad_top,
                            .left = layer->pad_left};
    conv.run = conv.kernel_w * conv.in.c;
    conv.taps = (int)taps;
    conv.positions = (int)positions;
    const int parts = (conv.positions + PART - 1) / PART;
    conv.part = (conv.positions + parts - 1) / parts;
    conv.is_3x3 = is_conv3x3(&conv);
    conv.taps_first = is_better_by_taps(&conv);
    conv.filter_pitch = (ptrdiff_t)cnn_odd_lines((size_t)conv.out.c);
    conv.tap_pitch = (ptrdiff_t)cnn_odd_lines(taps);
    conv.gathers = training && can_gather(&conv);
    conv.dy = conv.x;
    conv.dy.channels = conv.out.c;
    conv.dy.top = conv.kernel_h - 1 - layer->pad_top;
    conv.dy.left = conv.kernel_w - 1 - layer->pad_left;
    if (take_tables(&conv, training)) {
        cnn_conv_free(&conv);
        return cnn_fail(CNN_NO_MEMORY, "layer \"%s\": no memory for %zu taps", layer->name, taps);
    }
    fill_positions(&conv);
    fill_taps(&conv);
    if (conv.gathers)
        fill_gather(&conv);
    *out = conv;
    return CNN_OK;
}

void cnn_conv_free(cnn_conv *conv)
{
    free(conv->by_tap);
    free(conv->strips);
    free(conv->by_filter);
    free(conv->position);
    free(conv->tap);
    free(conv->filters);
    free(conv->ordered_tap);
    free(conv->by_tap_row);
    free(conv->gather_position);
    free(conv->gather_tap);
    free(conv->gather_row);
    *conv = (cnn_conv){0};
}

size_t cnn_conv_bytes(const cnn_conv *conv)
{
    const size_t taps = (size_t)conv->taps, filters = (size_t)conv->out.c;
    size_t floats = taps * (size_t)conv->filter_pitch + strips_count(conv);
    size_t offsets = (size_t)conv->positions + 3 * taps;
    if (conv->by_filter) {
        floats += filters * (size_t)conv->tap_pitch;
        offsets += (size_t)filter_rows(conv);
    }
    if (conv->gathers)
        offsets += (size_t)conv->positions + 2 * gather_count(conv);
    return floats * sizeof(float) + offsets * sizeof(ptrdiff_t);
}

/* ---- forward ---- */

void cnn_conv_lay_out(const cnn_conv *conv, const float *x, float *copy)
{
    cnn_bordered_lay_out(&conv->x, x, copy);
}

size_t cnn_conv_forward_scratch(const cnn_conv *conv)
{
    return cnn_bordered_count(&conv->x);
}

/* The outputs at `count` positions, whose windows begin there in the copy. */
static cnn_product outputs_at(const cnn_conv *conv, const float *copy, const ptrdiff_t *positions, int count,
                              cnn_target target)
{
    return (cnn_product){.m = count,
                         .n = conv->out.c,
                         .depth = conv->taps,
                         .a = copy,
                         .a_row = positions,
                         .a_column = conv->ordered_tap,
                         .b = conv->by_tap,
                         .b_row = conv->by_tap_row,
                         .target = target};
}

void cnn_conv_forward(const cnn_kernels *kernels, const cnn_conv *conv, const float *copy, int first,
                      int count, const float *bias, int relu, float *y)
{
    const cnn_target target = {
        .c = y + (ptrdiff_t)first * conv->out.c, .pitch = conv->out.c, .start = bias, .relu = relu};
    const cnn_product product = outputs_at(conv, copy, conv->position + first, count, target);
    kernels->product(&product);
}

int cnn_conv_can_pool(const cnn_kernels *kernels, const cnn_conv *conv, const cnn_pool *pool)
{
    return pool->kernel_h == 2 && pool->kernel_w == 2 && pool->stride == 2 &&
           conv->taps <= kernels->pooled_depth;
}

void cnn_conv_window_positions(const cnn_conv *conv, const cnn_pool *pool, ptrdiff_t *positions)
{
    for (int p = 0; p < pool->out_h; p++)
        for (int q = 0; q < pool->out_w; q++)
            for (int r = 0; r < pool->kernel_h; r++)
                for (int s = 0; s < pool->kernel_w; s++)
                    *positions++ =
                        conv->position[(p * pool->stride + r) * conv->out.w + q * pool->stride + s];
}

void cnn_conv_forward_pooled(const cnn_kernels *kernels, const cnn_conv *conv, const float *copy,
                             const ptrdiff_t *positions, int windows, const float *bias, int relu, float *y,
                             int32_t *chosen)
{
    const cnn_target target = {
        .c = y, .pitch = conv->out.c, .start = bias, .relu = relu, .windows = 1, .chosen = chosen};
    const cnn_product product = outputs_at(conv, copy, positions, windows * CNN_WINDOW, target);
    kernels->product(&product);
}

/* How many sixteenths may be other than zero was measured. Vectors of 16 are taken two at a time, which hides
 * more latency. */
int cnn_conv_is_sparse(const cnn_kernels *kernels, const cnn_conv *conv, const float *x)
{
    const int all = conv->in.h * conv->in.w * conv->in.c, sixteenths = kernels->lanes == 16 ? 11 : 5;
    return conv->strips && (int64_t)kernels->count(x, all) * 16 <= (int64_t)all * sixteenths;
}

cnn_conv3x3 cnn_conv3x3_of(const cnn_conv *conv)
{
    return (cnn_conv3x3){.channels = conv->in.c,
                         .in_h = conv->in.h,
                         .in_w = conv->in.w,
                         .filters = conv->out.c,
                         .out_h = conv->out.h,
                         .out_w = conv->out.w,
                         .top = conv->x.top,
                         .left = conv->x.left};
}

void cnn_conv_forward_sparse(const cnn_kernels *kernels, const cnn_conv *conv, const float *x,
                             const float *bias, int relu, float *y)
{
    const cnn_conv3x3 geometry = cnn_conv3x3_of(conv);
    kernels->conv3x3_forward(&geometry, x, conv->strips, bias, relu, y);
}
