/* SPDX-License-Identifier: BSD-3-Clause */
#include "layers/layers.h"
#include <string.h>

enum {
    STRIP = 30, /* positions whose gradients of the input are added at a time: whole tiles of products */
    GROUP = 64, /* filters whose biases are summed at a time */
    NEAR_WEIGHTS = 1 << 14, /* more than these do not stay in a near cache */
};

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* ---- scratch ---- */

/* What backward keeps besides two copies: what is not zero of a part of dy, by filter and by position, and
 * the taps of a strip. */
typedef struct backward {
    const cnn_kernels *kernels;
    const cnn_conv *conv;
    float *copy, *gradient_copy, *strip;
    cnn_term *by_filter, *by_position; /* [K, part], [part, K] */
    int32_t *filter_counts, *position_counts;
} backward;

/* A copy of dx or, where that is gathered, of dy. */
static size_t gradient_copy(const cnn_conv *conv)
{
    const size_t dx = cnn_bordered_count(&conv->x), dy = conv->gathers ? cnn_bordered_count(&conv->dy) : 0;
    return dx > dy ? dx : dy;
}

static size_t strip_count(const cnn_conv *conv)
{
    return conv->gathers ? 0 : STRIP * (size_t)conv->tap_pitch + CNN_VECTOR_MOST;
}

static size_t part_terms(const cnn_conv *conv)
{
    return cnn_padded((size_t)conv->out.c * (size_t)conv->part);
}

size_t cnn_conv_backward_scratch(const cnn_conv *conv)
{
    const size_t floats_of_terms = 2 * part_terms(conv) * (sizeof(cnn_term) / sizeof(float));
    return cnn_bordered_count(&conv->x) + gradient_copy(conv) + strip_count(conv) + floats_of_terms +
           (size_t)conv->out.c + (size_t)conv->part;
}

static backward divide(const cnn_kernels *kernels, const cnn_conv *conv, float *scratch)
{
    backward b = {.kernels = kernels, .conv = conv, .copy = scratch};
    b.gradient_copy = b.copy + cnn_bordered_count(&conv->x);
    b.strip = b.gradient_copy + gradient_copy(conv);
    b.by_filter = (cnn_term *)(b.strip + strip_count(conv));
    b.by_position = b.by_filter + part_terms(conv);
    b.filter_counts = (int32_t *)(b.by_position + part_terms(conv));
    b.position_counts = b.filter_counts + conv->out.c;
    return b;
}

/* ---- passes ---- */

static void add_bias_gradient(const cnn_kernels *kernels, const cnn_conv *conv, const float *dy,
                              float *gradient)
{
    for (int first = 0; first < conv->out.c; first += GROUP) {
        const int filters = smaller(GROUP, conv->out.c - first);
        double sums[GROUP] = {0};
        kernels->add_columns(dy + first, conv->out.c, conv->positions, filters, sums);
        for (int k = 0; k < filters; k++)
            gradient[first + k] += (float)sums[k];
    }
}

/* Floats from one row of the padded copy of x, or of dx, to the one that is `rows` below. */
static ptrdiff_t copied_rows(const cnn_conv *conv, int rows)
{
    return (ptrdiff_t)rows * conv->x.copy_w * conv->in.c;
}

/* Picks what is not zero of dy at `count` positions from `first` on; 0 if that is so much that all of it is
 * better multiplied: half, and less where runs are of few vectors, which are as few chains of
 * multiply-adds. */
static int pick(const backward *b, int first, int count, const float *dy)
{
    const int filters = b->conv->out.c, lanes = b->kernels->lanes;
    const int eighths = smaller((b->conv->run + lanes - 1) / lanes, 4);
    const int64_t all = (int64_t)count * filters;
    if ((int64_t)b->kernels->count(dy, count * filters) * 8 > all * eighths)
        return 0;
    b->kernels->pick(&(cnn_pick){.rows = count,
                                 .columns = filters,
                                 .values = dy,
                                 .place = b->conv->position + first,
                                 .column_step = (int32_t)b->conv->tap_pitch,
                                 .by_row = b->by_position,
                                 .by_column = b->by_filter,
                                 .column_capacity = b->conv->part,
                                 .row_counts = b->position_counts,
                                 .column_counts = b->filter_counts});
    return 1;
}

/* The part of the gradient of the weights from `count` positions from `first` on, with dy there. */
static void add_by_taps(const backward *b, int first, int count, const float *dy, float *gradient)
{
    const cnn_conv *conv = b->conv;
    b->kernels->product(&(cnn_product){.m = conv->taps,
                                       .n = conv->out.c,
                                       .depth = count,
                                       .a = b->copy,
                                       .a_row = conv->tap,
                                       .a_column = conv->position + first,
                                       .b = dy,
                                       .b_row = conv->filters,
                                       .target = {.c = gradient, .pitch = conv->out.c, .accumulate = 1}});
}

/* Of one channel, of which at most half is not zero: an image. */
static int adds_by_values(const backward *b)
{
    const cnn_conv *conv = b->conv;
    const int all = conv->x.copy_h * conv->x.copy_w;
    return conv->is_3x3 && conv->taps_first && conv->in.c == 1 && conv->part == conv->positions &&
           b->kernels->count(b->copy, all) <= all / 2;
}

/* All of the gradient of the weights, to the bits of add_by_taps. */
static void add_by_values(const backward *b, const float *dy, float *gradient)
{
    const cnn_conv3x3 geometry = cnn_conv3x3_of(b->conv);
    b->kernels->conv3x3_gradient(&geometry, b->copy, dy, gradient);
}

static void add_by_filters_picked(const backward *b, float *gradient)
{
    const cnn_conv *conv = b->conv;
    b->kernels->sparse_product(
        &(cnn_sparse_product){.m = conv->out.c,
                              .n = conv->run,
                              .blocks = conv->kernel_h,
                              .b_step = copied_rows(conv, 1),
                              .c_step = conv->run,
                              .terms = b->by_filter,
                              .capacity = conv->part,
                              .counts = b->filter_counts,
                              .b = b->copy,
                              .target = {.c = gradient, .pitch = conv->taps, .accumulate = 1}});
}

static void add_by_filters(const backward *b, int first, int count, const float *dy, float *gradient)
{
    const cnn_conv *conv = b->conv;
    for (int r = 0; r < conv->kernel_h; r++)
        b->kernels->product(&(cnn_product){
            .m = conv->out.c,
            .n = conv->run,
            .depth = count,
            .a = dy,
            .a_pitch = 1,
            .a_column = conv->filters,
            .b = b->copy + copied_rows(conv, r),
            .b_row = conv->position + first,
            .target = {.c = gradient + (ptrdiff_t)r * conv->run, .pitch = conv->taps, .accumulate = 1}});
}

/* The gradients of the taps of a strip of positions. The last kernel row first: to each value of dx,
 * positions come in their order. */
static void scatter_strip(const backward *b, int first, int count, const float *dy)
{
    const cnn_conv *conv = b->conv;
    b->kernels->product(&(cnn_product){.m = count,
                                       .n = conv->taps,
                                       .depth = conv->out.c,
                                       .a = dy,
                                       .a_pitch = conv->out.c,
                                       .a_step = 1,
                                       .b = conv->by_filter,
                                       .b_step = conv->tap_pitch,
                                       .target = {.c = b->strip, .pitch = conv->tap_pitch}});
    for (int r = conv->kernel_h - 1; r >= 0; r--)
        b->kernels->add_rows(b->strip + (ptrdiff_t)r * conv->run, conv->tap_pitch, count, conv->run,
                             b->gradient_copy + copied_rows(conv, r), conv->position + first);
}

/* Adds the gradients of the taps of `count` positions to the copy of dx. To the bits of scatter_all: the sum
 * over filters is added for each position; or, where gather is the other way, to those of gather: one chain
 * of multiply-adds goes on from what is there. Where weights are many, a row of the kernel at a time, so that
 * they are nearer. */
static void scatter_picked(const backward *b, int first, int count)
{
    const cnn_conv *conv = b->conv;
    const int rows = conv->out.c * conv->tap_pitch <= NEAR_WEIGHTS ? conv->kernel_h : 1;
    for (int r = conv->kernel_h - rows; r >= 0; r--)
        b->kernels->sparse_product(
            &(cnn_sparse_product){.m = count,
                                  .n = conv->run,
                                  .blocks = rows,
                                  .b_step = conv->run,
                                  .c_step = copied_rows(conv, 1),
                                  .terms = b->by_position,
                                  .capacity = conv->out.c,
                                  .counts = b->position_counts,
                                  .b = conv->by_filter + (ptrdiff_t)r * conv->run,
                                  .target = {.c = b->gradient_copy + copied_rows(conv, r),
                                             .row = conv->position + first,
                                             .accumulate = !conv->gathers,
                                             .continued = conv->gathers}});
}

/* The same, of all filters. In strips, so that the taps of one stay in the nearest cache. */
static void scatter_all(const backward *b, int first, int count, const float *dy)
{
    for (int p = 0; p < count; p += STRIP)
        scatter_strip(b, first + p, smaller(STRIP, count - p), dy + (ptrdiff_t)p * b->conv->out.c);
}

static void scatter(const backward *b, int first, int count, const float *dy, int picked)
{
    if (first == 0)
        memset(b->gradient_copy, 0, cnn_bordered_count(&b->conv->x) * sizeof *b->gradient_copy);
    if (picked)
        scatter_picked(b, first, count);
    else
        scatter_all(b, first, count, dy);
}

/* All of dx from all of dy. */
static void gather(const backward *b, const float *dy, float *dx)
{
    const cnn_conv *conv = b->conv;
    cnn_bordered_lay_out(&conv->dy, dy, b->gradient_copy);
    b->kernels->product(&(cnn_product){.m = conv->positions,
                                       .n = conv->in.c,
                                       .depth = conv->kernel_h * conv->kernel_w * conv->out.c,
                                       .a = b->gradient_copy,
                                       .a_row = conv->gather_position,
                                       .a_column = conv->gather_tap,
                                       .b = conv->by_filter,
                                       .b_row = conv->gather_row,
                                       .target = {.c = dx, .pitch = conv->in.c}});
}

void cnn_conv_backward(const cnn_kernels *kernels, const cnn_conv *conv, const float *x, const float *dy,
                       float *weight_gradient, float *bias_gradient, float *dx, float *scratch)
{
    const backward b = divide(kernels, conv, scratch);
    int gathers = 0;
    cnn_conv_lay_out(conv, x, b.copy);
    add_bias_gradient(kernels, conv, dy, bias_gradient);
    const int by_values = adds_by_values(&b);
    for (int first = 0; first < conv->positions; first += conv->part) {
        const int count = smaller(conv->part, conv->positions - first);
        const float *part = dy + (ptrdiff_t)first * conv->out.c;
        const int picked = (dx || !conv->taps_first) && pick(&b, first, count, part);
        if (by_values)
            add_by_values(&b, dy, weight_gradient);
        else if (conv->taps_first)
            add_by_taps(&b, first, count, part, weight_gradient);
        else if (picked)
            add_by_filters_picked(&b, weight_gradient);
        else
            add_by_filters(&b, first, count, part, weight_gradient);
        /* One part that is not picked, and all of dx is gathered. */
        gathers |= conv->gathers && !picked;
        if (dx && !gathers)
            scatter(&b, first, count, part, picked);
    }
    if (dx && gathers)
        gather(&b, dy, dx);
    else if (dx)
        cnn_bordered_take_back(&conv->x, b.gradient_copy, dx);
}
