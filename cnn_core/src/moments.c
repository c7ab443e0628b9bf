/* SPDX-License-Identifier: BSD-3-Clause */
#include "moments.h"
#include "cnn/similarity.h"
#include "cnn/status.h"
#include "kernels.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Samples that are collected before they are multiplied: as many as stay in the cache with 512 units. */
enum { BLOCK = 128 };

struct cnn_moment_sums {
    int units;
    size_t pitch; /* units rounded up for the kernel; those beyond are zero */
    size_t step;  /* from sample to sample of a block: no power of two, on which caches work badly */
    cnn_threads *threads;
    int has_shift;
    double *shift;    /* [pitch] near the means, so that little cancels in the end */
    float *first;     /* [units] the first sample */
    uint8_t *state;   /* [units] */
    double weight;    /* of all samples */
    double zeros;     /* of the samples that are zero */
    double *sum;      /* [pitch] of w (x - shift) */
    double *product;  /* [pitch,pitch] of w (x_i - shift_i)(x_j - shift_j), j >= i */
    int filled;       /* samples in the block */
    double *block;    /* [BLOCK,step] x - shift */
    double *weighted; /* the same times w */
};

int cnn_moment_sums_create(int units, cnn_threads *threads, cnn_moment_sums **out)
{
    cnn_moment_sums *s = calloc(1, sizeof *s);
    if (!s)
        return cnn_fail(CNN_NO_MEMORY, "similarity: no memory for %d units", units);
    const size_t pitch = cnn_padded((size_t)units);
    *s = (cnn_moment_sums){
        .units = units, .pitch = pitch, .step = pitch + CNN_VECTOR_MOST, .threads = threads};
    s->shift = calloc(pitch, sizeof *s->shift);
    s->first = calloc(pitch, sizeof *s->first);
    s->state = calloc(pitch, sizeof *s->state);
    s->sum = calloc(pitch, sizeof *s->sum);
    s->product = calloc(pitch * pitch, sizeof *s->product);
    s->block = calloc(BLOCK * s->step, sizeof *s->block);
    s->weighted = calloc(BLOCK * s->step, sizeof *s->weighted);
    if (!s->shift || !s->first || !s->state || !s->sum || !s->product || !s->block || !s->weighted) {
        cnn_moment_sums_free(s);
        return cnn_fail(CNN_NO_MEMORY, "similarity: no memory for %d units", units);
    }
    memset(s->state, CNN_UNIT_DEAD, pitch);
    *out = s;
    return CNN_OK;
}

void cnn_moment_sums_free(cnn_moment_sums *s)
{
    if (!s)
        return;
    free(s->shift);
    free(s->first);
    free(s->state);
    free(s->sum);
    free(s->product);
    free(s->block);
    free(s->weighted);
    free(s);
}

/* The plain mean of the first samples: exact for a constant. As a float, so that differences are exact, too,
 * where it matters. */
static void choose_shift(cnn_moment_sums *s, const float *x, size_t n)
{
    for (int k = 0; k < s->units; k++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += (double)x[(size_t)k * n + i];
        const float mean = (float)(sum / (double)n);
        s->shift[k] = isfinite(mean) ? (double)mean : 0;
        s->first[k] = x[(size_t)k * n];
    }
    s->has_shift = 1;
}

void cnn_moment_sums_prime(cnn_moment_sums *s, const float *x, size_t n)
{
    choose_shift(s, x, n);
}

/* One strip of rows of the products. */
static void multiply_strip(void *context, int strip, int thread)
{
    (void)thread;
    const cnn_moment_sums *s = context;
    const size_t first = (size_t)strip * CNN_GRAM_ROWS;
    cnn_kernels_get()->gram(&(cnn_gram){.n = (int)(s->pitch - first),
                                        .depth = s->filled,
                                        .a = s->weighted + first,
                                        .b = s->block + first,
                                        .step = (ptrdiff_t)s->step,
                                        .c = s->product + first * s->pitch + first,
                                        .c_row = (ptrdiff_t)s->pitch});
}

static void flush(cnn_moment_sums *s)
{
    for (int d = 0; d < s->filled; d++)
        for (size_t k = 0; k < s->pitch; k++)
            s->sum[k] += s->weighted[(size_t)d * s->step + k];
    cnn_threads_run(s->threads, (int)(s->pitch / CNN_GRAM_ROWS), multiply_strip, s);
    s->filled = 0;
}

static void add_sample(cnn_moment_sums *s, const float *x, size_t stride, double weight)
{
    double *values = s->block + (size_t)s->filled * s->step;
    double *weighted = s->weighted + (size_t)s->filled * s->step;
    for (int k = 0; k < s->units; k++, x += stride) {
        if (!isfinite(*x))
            s->state[k] = CNN_UNIT_NOT_FINITE;
        else if (s->state[k] == CNN_UNIT_DEAD && *x != s->first[k])
            s->state[k] = CNN_UNIT_ALIVE;
        values[k] = s->state[k] == CNN_UNIT_NOT_FINITE ? 0 : (double)*x - s->shift[k];
        weighted[k] = weight * values[k];
    }
    s->weight += weight;
    if (++s->filled == BLOCK)
        flush(s);
}

void cnn_moment_sums_add(cnn_moment_sums *s, const float *x, size_t n, const cnn_visits *visits)
{
    if (!s->has_shift)
        choose_shift(s, x, n);
    for (size_t i = 0; i < n; i++) {
        const double weight = visits && visits->at ? visits->at[i] : 1;
        if (weight > 0)
            add_sample(s, x + i, n, weight);
    }
    if (visits)
        s->zeros += visits->zeros;
}

/* ---- sums of parts ---- */

/* Samples and zeros; of each unit its sum, and in how many parts it varied and was not finite; the upper
 * triangle of the products. */
size_t cnn_moment_sums_length(const cnn_moment_sums *s)
{
    const size_t units = (size_t)s->units;
    return 2 + 3 * units + units * (units + 1) / 2;
}

static void begin_anew(cnn_moment_sums *s)
{
    s->weight = 0;
    s->zeros = 0;
    memset(s->state, CNN_UNIT_DEAD, s->pitch);
    memset(s->sum, 0, s->pitch * sizeof *s->sum);
    memset(s->product, 0, s->pitch * s->pitch * sizeof *s->product);
}

void cnn_moment_sums_pour(cnn_moment_sums *s, double *part)
{
    const size_t units = (size_t)s->units;
    flush(s);
    *part++ += s->weight;
    *part++ += s->zeros;
    for (size_t i = 0; i < units; i++) {
        *part++ += s->sum[i];
        *part++ += s->state[i] == CNN_UNIT_ALIVE;
        *part++ += s->state[i] == CNN_UNIT_NOT_FINITE;
    }
    for (size_t i = 0; i < units; i++)
        for (size_t j = i; j < units; j++)
            *part++ += s->product[i * s->pitch + j];
    begin_anew(s);
}

void cnn_moment_sums_fill(cnn_moment_sums *s, const double *part)
{
    const size_t units = (size_t)s->units;
    begin_anew(s);
    s->weight = *part++;
    s->zeros = *part++;
    for (size_t i = 0; i < units; i++, part += 3) {
        s->sum[i] = part[0];
        s->state[i] = part[2] > 0 ? CNN_UNIT_NOT_FINITE : part[1] > 0 ? CNN_UNIT_ALIVE : CNN_UNIT_DEAD;
    }
    for (size_t i = 0; i < units; i++)
        for (size_t j = i; j < units; j++)
            s->product[i * s->pitch + j] = *part++;
}

/* ---- the end ---- */

/* The zeros of borders, all at once: x - shift is -shift. */
static void add_zeros(cnn_moment_sums *s)
{
    for (int i = 0; i < s->units; i++) {
        if (s->state[i] == CNN_UNIT_DEAD && s->first[i] != 0)
            s->state[i] = CNN_UNIT_ALIVE;
        s->sum[i] -= s->zeros * s->shift[i];
        for (int j = i; j < s->units; j++)
            s->product[(size_t)i * s->pitch + (size_t)j] += s->zeros * s->shift[i] * s->shift[j];
    }
    s->weight += s->zeros;
}

static double centred(const cnn_moment_sums *s, int i, int j)
{
    if (s->state[i] != CNN_UNIT_ALIVE || s->state[j] != CNN_UNIT_ALIVE)
        return 0;
    return s->product[(size_t)i * s->pitch + (size_t)j] - s->sum[i] * s->sum[j] / s->weight;
}

int cnn_moment_sums_finish(cnn_moment_sums *s, cnn_moments *out)
{
    const size_t units = (size_t)s->units;
    flush(s);
    if (s->zeros > 0)
        add_zeros(s);
    cnn_moments moments = {.count = s->units,
                           .weight = s->weight,
                           .mean = malloc(units * sizeof(double)),
                           .product = malloc(units * units * sizeof(double)),
                           .state = malloc(units)};
    if (!moments.mean || !moments.product || !moments.state) {
        cnn_moments_free(&moments);
        cnn_moment_sums_free(s);
        return cnn_fail(CNN_NO_MEMORY, "similarity: no memory for %zu units", units);
    }
    memcpy(moments.state, s->state, units);
    for (int i = 0; i < s->units; i++) {
        moments.mean[i] = s->shift[i] + s->sum[i] / s->weight;
        for (int j = i; j < s->units; j++) {
            /* Rounding must not make a variance negative. */
            const double value = i == j ? fmax(0, centred(s, i, j)) : centred(s, i, j);
            moments.product[(size_t)i * units + (size_t)j] = value;
            moments.product[(size_t)j * units + (size_t)i] = value;
        }
    }
    cnn_moment_sums_free(s);
    *out = moments;
    return CNN_OK;
}

void cnn_moments_free(cnn_moments *moments)
{
    free(moments->mean);
    free(moments->product);
    free(moments->state);
    *moments = (cnn_moments){0};
}
