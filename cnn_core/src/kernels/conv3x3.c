/* SPDX-License-Identifier: BSD-3-Clause */
/* Convolutions of 3 by 3 with stride 1 that leave out values of x which are zero. Each value that is not goes
 * to all nine outputs whose windows it is in: their sums stay in registers. */
#include "names.h"
#include "vector.h"

/* Vectors of filters at a time: nine sums of each. */
#if defined(__AVX512F__) || defined(__aarch64__)
enum { VECTORS = 2 };
#else
enum { VECTORS = 1 };
#endif
enum { SIDE = 3, TAPS = SIDE * SIDE };

/* The sums of one output are sum + (r * SIDE + s) * VECTORS, for the tap that the value of x is under there.
 */
#define FOR_ROWS     UNROLL for (int r = 0; r < SIDE; r++)
#define FOR_COLUMNS  UNROLL for (int s = 0; s < SIDE; s++)
#define FOR_VECTORS  UNROLL for (int v = 0; v < vectors; v++)
#define SUM(r, s, v) sum[((r)*SIDE + (s)) * VECTORS + (v)]

/* ---- forward ---- */

/* Where the sums of a row of outputs come from and go to. Of a row that does not exist, all of them to and
 * from one place. */
typedef struct output_row {
    const float *from;
    float *to;
    ptrdiff_t from_step, to_step;
    vector low; /* what is written is no less */
} output_row;

typedef struct forward {
    const cnn_conv3x3 *conv;
    const float *x, *weight, *bias; /* of the strip's first filter */
    int relu;
    float *y;
    float nowhere[VECTORS * LANES];
} forward;

/* The output row in which row h of x is under row r of the kernel. */
INLINE output_row row_of(forward *f, int h, int r)
{
    const cnn_conv3x3 *conv = f->conv;
    const int p = h + conv->top - r, is_first = r == 0 || h == 0,
              is_last = r == SIDE - 1 || h == conv->in_h - 1;
    if (p < 0 || p >= conv->out_h)
        return (output_row){f->nowhere, f->nowhere, 0, 0, {0}};
    float *row = f->y + (ptrdiff_t)p * conv->out_w * conv->filters;
    return (output_row){.from = is_first ? f->bias : row,
                        .to = row,
                        .from_step = is_first ? 0 : conv->filters,
                        .to_step = conv->filters,
                        .low = (vector){0} + (f->relu && is_last ? 0 : -INFINITY)};
}

/* Column q of outputs begins: its sums are those of column s of the kernel. */
INLINE void begin_column(const forward *f, const output_row *rows, int q, int s, vector *sum, int vectors)
{
    if (q >= 0 && q < f->conv->out_w)
        FOR_ROWS FOR_VECTORS SUM(r, s, v) = load(rows[r].from + q * rows[r].from_step + v * LANES);
}

INLINE void end_column(const forward *f, const output_row *rows, int q, int s, const vector *sum, int vectors)
{
    if (q >= 0 && q < f->conv->out_w)
        FOR_ROWS FOR_VECTORS store(rows[r].to + q * rows[r].to_step + v * LANES,
                                   at_least(rows[r].low, SUM(r, s, v)));
}

/* All channels of one position. */
INLINE void add_position(const forward *f, const float *x, vector *sum, int vectors)
{
    for (int first = 0; first < f->conv->channels; first += LANES)
        for (uint32_t left = nonzero_lanes(load(x + first)); left; left &= left - 1) {
            const int c = first + __builtin_ctz(left);
            const float factor = x[c];
            const float *weight = f->weight + (ptrdiff_t)c * (TAPS * CNN_CONV3X3_STRIP);
            FOR_ROWS FOR_COLUMNS FOR_VECTORS SUM(r, s, v) +=
                factor * load(weight + (r * SIDE + s) * CNN_CONV3X3_STRIP + v * LANES);
        }
}

/* Row h of x, for `vectors` vectors of filters. Terms of each sum come in the order (r, s, c). */
INLINE void forward_row(forward *f, int h, int vectors)
{
    const cnn_conv3x3 *conv = f->conv;
    const int left = conv->left;
    const float *x = f->x + (ptrdiff_t)h * conv->in_w * conv->channels;
    output_row rows[SIDE];
    vector sum[TAPS * VECTORS] = {{0}};
    FOR_ROWS rows[r] = row_of(f, h, r);
    FOR_COLUMNS begin_column(f, rows, left - s, s, sum, vectors);
    for (int q = 0; q < conv->in_w; q++, x += conv->channels) {
        add_position(f, x, sum, vectors);
        end_column(f, rows, q + left - (SIDE - 1), SIDE - 1, sum, vectors);
        UNROLL for (int s = SIDE - 1; s > 0; s--) FOR_ROWS FOR_VECTORS SUM(r, s, v) = SUM(r, s - 1, v);
        begin_column(f, rows, q + 1 + left, 0, sum, vectors);
    }
    UNROLL for (int s = SIDE - 1; s > 0; s--) end_column(f, rows, conv->in_w + left - s, s, sum, vectors);
}

void KERNEL(conv3x3_forward)(const cnn_conv3x3 *conv, const float *x, const float *weight, const float *bias,
                             int relu, float *y)
{
    const ptrdiff_t strip = (ptrdiff_t)conv->channels * TAPS * CNN_CONV3X3_STRIP;
    for (int k = 0, vectors; k < conv->filters; k += vectors * LANES) {
        forward f = {.conv = conv,
                     .x = x,
                     .weight = weight + k / CNN_CONV3X3_STRIP * strip + k % CNN_CONV3X3_STRIP,
                     .bias = bias + k,
                     .relu = relu,
                     .y = y + k};
        vectors = conv->filters - k < VECTORS * LANES ? 1 : VECTORS;
        for (int h = 0; h < conv->in_h; h++)
            if (vectors == VECTORS)
                forward_row(&f, h, VECTORS);
            else
                forward_row(&f, h, 1);
    }
}

/* ---- gradient of the weights ---- */

/* The value at (h, q) of the copy of x, of which all positions of dy but some at its edges are below and to
 * the right. */
INLINE void add_value(const cnn_conv3x3 *conv, float factor, int h, int q, const float *dy, vector *sum,
                      int vectors)
{
    const ptrdiff_t column = conv->filters, row = conv->out_w * column, at = h * row + q * column;
    if (h >= SIDE - 1 && h < conv->out_h && q >= SIDE - 1 && q < conv->out_w) {
        FOR_ROWS FOR_COLUMNS FOR_VECTORS SUM(r, s, v) +=
            factor * load(dy + at - r * row - s * column + v * LANES);
        return;
    }
    FOR_ROWS FOR_COLUMNS if (h - r >= 0 && h - r < conv->out_h && q - s >= 0 && q - s < conv->out_w)
        FOR_VECTORS SUM(r, s, v) += factor * load(dy + at - r * row - s * column + v * LANES);
}

INLINE void gradient_strip(const cnn_conv3x3 *conv, const float *copy, const float *dy, float *gradient,
                           int vectors)
{
    const int width = conv->out_w + SIDE - 1;
    vector sum[TAPS * VECTORS] = {{0}};
    for (int h = 0; h < conv->out_h + SIDE - 1; h++, copy += width)
        for (int first = 0; first < width; first += MASK)
            for (uint32_t left = nonzero(copy + first, width - first); left; left &= left - 1) {
                const int q = first + __builtin_ctz(left);
                add_value(conv, copy[q], h, q, dy, sum, vectors);
            }
    FOR_ROWS FOR_COLUMNS FOR_VECTORS
    {
        float *to = gradient + (ptrdiff_t)(r * SIDE + s) * conv->filters + v * LANES;
        store(to, load(to) + SUM(r, s, v));
    }
}

void KERNEL(conv3x3_gradient)(const cnn_conv3x3 *conv, const float *copy, const float *dy, float *gradient)
{
    for (int k = 0; k < conv->filters; k += VECTORS * LANES)
        if (conv->filters - k < VECTORS * LANES)
            gradient_strip(conv, copy, dy + k, gradient + k, 1);
        else
            gradient_strip(conv, copy, dy + k, gradient + k, VECTORS);
}
