/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/status.h"
#include "float_arena.h"
#include "layers/layers.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    PART = 1024, /* most positions that a gradient of the weights is summed over at a time */
    STRIP = 30,  /* positions whose gradients of the input are added at a time: whole tiles of products */
    GROUP = 64,  /* filters whose biases are summed at a time */
};

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Rows, a multiple of K apart: those of a part's positions, or of the gradients of all taps. */
static int filter_rows(const cnn_conv *conv)
{
    return conv->part > conv->taps ? conv->part : conv->taps;
}

static size_t copy_count(const cnn_conv *conv)
{
    return (size_t)conv->copy_h * (size_t)conv->copy_w * (size_t)conv->in.c;
}

/* ---- geometry ---- */

static ptrdiff_t *multiples(ptrdiff_t step, int count)
{
    ptrdiff_t *table = malloc((size_t)count * sizeof *table);
    for (int i = 0; table && i < count; i++)
        table[i] = i * step;
    return table;
}

static void fill_positions(cnn_conv *conv)
{
    ptrdiff_t *to = conv->position;
    for (int p = 0; p < conv->out.h; p++)
        for (int q = 0; q < conv->out.w; q++)
            *to++ = ((ptrdiff_t)p * conv->copy_w + q) * conv->stride * conv->in.c;
    to = conv->tap;
    for (int c = 0; c < conv->in.c; c++)
        for (int r = 0; r < conv->kernel_h; r++)
            for (int s = 0; s < conv->kernel_w; s++)
                *to++ = ((ptrdiff_t)r * conv->copy_w + s) * conv->in.c + c;
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
    conv->by_tap_row = multiples(conv->filter_pitch, conv->taps);
    int missing = !conv->position || !conv->tap || !conv->by_tap || !conv->by_tap_row;
    if (training) {
        conv->by_filter = cnn_float_arena((size_t)conv->out.c * (size_t)conv->tap_pitch);
        conv->one = multiples(1, conv->out.c);
        conv->filters = multiples(conv->out.c, filter_rows(conv));
        conv->by_filter_row = multiples(conv->tap_pitch, conv->out.c);
        missing |= !conv->by_filter || !conv->one || !conv->filters || !conv->by_filter_row;
    }
    return missing;
}

int cnn_conv_create(const cnn_layer *layer, int training, cnn_conv *out)
{
    cnn_conv conv = {.in = layer->in,
                     .out = layer->out,
                     .kernel_h = layer->kernel_h,
                     .kernel_w = layer->kernel_w,
                     .stride = layer->stride,
                     .pad_top = layer->pad_top,
                     .pad_left = layer->pad_left};
    const size_t taps = layer->weight_count / layer->bias_count;
    const size_t positions = (size_t)conv.out.h * (size_t)conv.out.w;
    const size_t copy_h = (size_t)(conv.out.h - 1) * (size_t)conv.stride + (size_t)conv.kernel_h;
    const size_t copy_w = (size_t)(conv.out.w - 1) * (size_t)conv.stride + (size_t)conv.kernel_w;
    if (taps > INT_MAX / 2 || positions > INT_MAX / 2 || copy_h * copy_w > INT_MAX / (size_t)conv.in.c)
        return cnn_fail(CNN_BAD_ARGUMENT, "layer \"%s\": %zu taps at %zu positions are more than 2^30 values",
                        layer->name, taps, positions);
    conv.copy_h = (int)copy_h;
    conv.copy_w = (int)copy_w;
    conv.run = conv.kernel_w * conv.in.c;
    conv.taps = (int)taps;
    conv.positions = (int)positions;
    const int parts = (conv.positions + PART - 1) / PART;
    conv.part = (conv.positions + parts - 1) / parts;
    conv.taps_first = is_better_by_taps(&conv);
    conv.filter_pitch = (ptrdiff_t)cnn_odd_lines((size_t)conv.out.c);
    conv.tap_pitch = (ptrdiff_t)cnn_odd_lines(taps);
    if (take_tables(&conv, training)) {
        cnn_conv_free(&conv);
        return cnn_fail(CNN_NO_MEMORY, "layer \"%s\": no memory for %zu taps", layer->name, taps);
    }
    fill_positions(&conv);
    *out = conv;
    return CNN_OK;
}

void cnn_conv_free(cnn_conv *conv)
{
    free(conv->by_tap);
    free(conv->by_filter);
    free(conv->position);
    free(conv->tap);
    free(conv->one);
    free(conv->filters);
    free(conv->by_tap_row);
    free(conv->by_filter_row);
    *conv = (cnn_conv){0};
}

size_t cnn_conv_bytes(const cnn_conv *conv)
{
    const size_t taps = (size_t)conv->taps, filters = (size_t)conv->out.c;
    size_t floats = taps * (size_t)conv->filter_pitch;
    size_t offsets = (size_t)conv->positions + 2 * taps;
    if (conv->by_filter) {
        floats += filters * (size_t)conv->tap_pitch;
        offsets += 2 * filters + (size_t)filter_rows(conv);
    }
    return floats * sizeof(float) + offsets * sizeof(ptrdiff_t);
}

/* ---- the padded copy ---- */

/* The rows and columns of the input that the copy holds: a stride may leave some out. */
static int held(int in, int copy, int pad)
{
    return smaller(in, copy - pad);
}

static float *copied_row(const cnn_conv *conv, float *copy, int row)
{
    return copy + ((ptrdiff_t)(row + conv->pad_top) * conv->copy_w + conv->pad_left) * conv->in.c;
}

void cnn_conv_lay_out(const cnn_conv *conv, const float *x, float *copy)
{
    const ptrdiff_t width = (ptrdiff_t)conv->in.w * conv->in.c;
    const size_t columns = (size_t)held(conv->in.w, conv->copy_w, conv->pad_left) * (size_t)conv->in.c;
    /* Zeros from the end of a row to the next one: borders. */
    float *end = copy;
    for (int row = 0; row < held(conv->in.h, conv->copy_h, conv->pad_top); row++) {
        float *const to = copied_row(conv, copy, row);
        memset(end, 0, (size_t)(to - end) * sizeof *copy);
        memcpy(to, x + row * width, columns * sizeof *x);
        end = to + columns;
    }
    memset(end, 0, (copy_count(conv) + CNN_VECTOR_MOST - (size_t)(end - copy)) * sizeof *copy);
}

/* The adjoint of cnn_conv_lay_out. */
static void take_back(const cnn_conv *conv, float *copy, float *dx)
{
    const ptrdiff_t width = (ptrdiff_t)conv->in.w * conv->in.c;
    const int rows = held(conv->in.h, conv->copy_h, conv->pad_top);
    const size_t columns = (size_t)held(conv->in.w, conv->copy_w, conv->pad_left) * (size_t)conv->in.c;
    if (rows < conv->in.h || columns < (size_t)width)
        memset(dx, 0, cnn_shape_count(conv->in) * sizeof *dx);
    for (int row = 0; row < rows; row++)
        memcpy(dx + row * width, copied_row(conv, copy, row), columns * sizeof *dx);
}

/* ---- scratch ---- */

/* What backward keeps besides two copies: what is not zero of a part of dy, by filter and by position, and
 * the taps of a strip. */
typedef struct backward {
    const cnn_kernels *kernels;
    const cnn_conv *conv;
    float *copy, *dx_copy, *strip;
    cnn_term *by_filter, *by_position; /* [K, part], [part, K] */
    int32_t *filter_counts, *position_counts;
} backward;

static size_t padded_copy(const cnn_conv *conv)
{
    return cnn_padded(copy_count(conv) + CNN_VECTOR_MOST);
}

static size_t strip_count(const cnn_conv *conv)
{
    return STRIP * (size_t)conv->tap_pitch + CNN_VECTOR_MOST;
}

static size_t part_terms(const cnn_conv *conv)
{
    return cnn_padded((size_t)conv->out.c * (size_t)conv->part);
}

size_t cnn_conv_forward_scratch(const cnn_conv *conv)
{
    return padded_copy(conv);
}

size_t cnn_conv_backward_scratch(const cnn_conv *conv)
{
    const size_t floats_of_terms = 2 * part_terms(conv) * (sizeof(cnn_term) / sizeof(float));
    return 2 * padded_copy(conv) + strip_count(conv) + floats_of_terms + (size_t)conv->out.c +
           (size_t)conv->part;
}

static backward divide(const cnn_kernels *kernels, const cnn_conv *conv, float *scratch)
{
    backward b = {.kernels = kernels, .conv = conv, .copy = scratch};
    b.dx_copy = b.copy + padded_copy(conv);
    b.strip = b.dx_copy + padded_copy(conv);
    b.by_filter = (cnn_term *)(b.strip + strip_count(conv));
    b.by_position = b.by_filter + part_terms(conv);
    b.filter_counts = (int32_t *)(b.by_position + part_terms(conv));
    b.position_counts = b.filter_counts + conv->out.c;
    return b;
}

/* ---- passes ---- */

void cnn_conv_forward(const cnn_kernels *kernels, const cnn_conv *conv, const float *copy, int first,
                      int count, const float *bias, int relu, float *y)
{
    float *to = y + (ptrdiff_t)first * conv->out.c;
    kernels->product(&(cnn_product){.m = count,
                                    .n = conv->out.c,
                                    .depth = conv->taps,
                                    .a = copy,
                                    .a_row = conv->position + first,
                                    .a_column = conv->tap,
                                    .b = conv->by_tap,
                                    .b_row = conv->by_tap_row,
                                    .target = {.c = to, .pitch = conv->out.c, .start = bias, .relu = relu}});
}

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

/* Picks what is not zero of dy at `count` positions from `first` on; 0 if that is so much that all of it is
 * better multiplied: three quarters, and less where runs are of few vectors, which are as few chains of
 * multiply-adds. */
static int pick(const backward *b, int first, int count, const float *dy)
{
    const int filters = b->conv->out.c, lanes = b->kernels->lanes;
    const int eighths = smaller((b->conv->run + lanes - 1) / lanes, 6);
    const int64_t all = (int64_t)count * filters;
    if ((int64_t)b->kernels->count(dy, count * filters) * 8 > all * eighths)
        return 0;
    memset(b->filter_counts, 0, (size_t)filters * sizeof *b->filter_counts);
    for (int p = 0; p < count; p++) {
        cnn_term *terms = b->by_position + (ptrdiff_t)p * filters;
        const int found = b->kernels->collect(dy + (ptrdiff_t)p * filters, filters, 1, terms);
        b->position_counts[p] = found;
        for (int i = 0; i < found; i++) {
            const int k = terms[i].row;
            b->by_filter[(ptrdiff_t)k * b->conv->part + b->filter_counts[k]++] =
                (cnn_term){(int32_t)b->conv->position[first + p], terms[i].value};
            terms[i].row = k * (int32_t)b->conv->tap_pitch;
        }
    }
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

static void add_by_filters(const backward *b, int first, int count, const float *dy, int picked,
                           float *gradient)
{
    const cnn_conv *conv = b->conv;
    for (int r = 0; r < conv->kernel_h; r++) {
        const float *x = b->copy + (ptrdiff_t)r * conv->copy_w * conv->in.c;
        const cnn_target target = {
            .c = gradient + (ptrdiff_t)r * conv->run, .pitch = conv->taps, .accumulate = 1};
        if (picked)
            b->kernels->sparse_product(&(cnn_sparse_product){.m = conv->out.c,
                                                             .n = conv->run,
                                                             .terms = b->by_filter,
                                                             .capacity = conv->part,
                                                             .counts = b->filter_counts,
                                                             .b = x,
                                                             .target = target});
        else
            b->kernels->product(&(cnn_product){.m = conv->out.c,
                                               .n = conv->run,
                                               .depth = count,
                                               .a = dy,
                                               .a_pitch = 1,
                                               .a_column = conv->filters,
                                               .b = x,
                                               .b_row = conv->position + first,
                                               .target = target});
    }
}

/* Where the taps of kernel row r begin in the copy of dx. */
static float *dx_row(const backward *b, int r)
{
    return b->dx_copy + (ptrdiff_t)r * b->conv->copy_w * b->conv->in.c;
}

static void add_strip_dense(const backward *b, int first, int count, const float *dy)
{
    const cnn_conv *conv = b->conv;
    b->kernels->product(&(cnn_product){.m = count,
                                       .n = conv->taps,
                                       .depth = conv->out.c,
                                       .a = dy,
                                       .a_pitch = conv->out.c,
                                       .a_column = conv->one,
                                       .b = conv->by_filter,
                                       .b_row = conv->by_filter_row,
                                       .target = {.c = b->strip, .pitch = conv->tap_pitch}});
    for (int r = 0; r < conv->kernel_h; r++)
        b->kernels->add_rows(b->strip + (ptrdiff_t)r * conv->run, conv->tap_pitch, count, conv->run,
                             dx_row(b, r), conv->position + first);
}

/* `part` is where the strip begins in what was picked. */
static void add_strip_sparse(const backward *b, int first, int count, int part)
{
    const cnn_conv *conv = b->conv;
    for (int r = 0; r < conv->kernel_h; r++)
        b->kernels->sparse_product(&(cnn_sparse_product){
            .m = count,
            .n = conv->run,
            .terms = b->by_position + (ptrdiff_t)part * conv->out.c,
            .capacity = conv->out.c,
            .counts = b->position_counts + part,
            .b = conv->by_filter + (ptrdiff_t)r * conv->run,
            .target = {.c = dx_row(b, r), .row = conv->position + first, .accumulate = 1}});
}

/* Adds the gradients of the taps of `count` positions to the copy of dx: row by row of the kernel, since
 * there taps lie together. In strips, so that the taps of one stay in the nearest cache; the same whether
 * picked or not, for the same bits. */
static void add_dx(const backward *b, int first, int count, const float *dy, int picked)
{
    for (int p = 0; p < count; p += STRIP) {
        const int strip = smaller(STRIP, count - p);
        if (picked)
            add_strip_sparse(b, first + p, strip, p);
        else
            add_strip_dense(b, first + p, strip, dy + (ptrdiff_t)p * b->conv->out.c);
    }
}

void cnn_conv_backward(const cnn_kernels *kernels, const cnn_conv *conv, const float *x, const float *dy,
                       float *weight_gradient, float *bias_gradient, float *dx, float *scratch)
{
    const backward b = divide(kernels, conv, scratch);
    cnn_conv_lay_out(conv, x, b.copy);
    if (dx)
        memset(b.dx_copy, 0, padded_copy(conv) * sizeof *b.dx_copy);
    add_bias_gradient(kernels, conv, dy, bias_gradient);
    for (int first = 0; first < conv->positions; first += conv->part) {
        const int count = smaller(conv->part, conv->positions - first);
        const float *part = dy + (ptrdiff_t)first * conv->out.c;
        const int picked = (dx || !conv->taps_first) && pick(&b, first, count, part);
        if (conv->taps_first)
            add_by_taps(&b, first, count, part, weight_gradient);
        else
            add_by_filters(&b, first, count, part, picked, weight_gradient);
        if (dx)
            add_dx(&b, first, count, part, picked);
    }
    if (dx)
        take_back(conv, b.dx_copy, dx);
}
