/* SPDX-License-Identifier: BSD-3-Clause */
#include "../reference.h"
#include "cmocka_headers.h"
#include "cnn/threads.h"
#include "float_arena.h"
#include "layers/layers.h"
#include "shapes.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* As in test_conv2d.c: Higham, section 4.2. */
static double bound(double terms, double size)
{
    return (terms + 1) * (double)FLT_EPSILON / 2 * size;
}

/* Batches and extents that divide no block, and some that do; of one and two images, and of as many as have
 * their inputs turned. */
static const struct {
    int n, in, out;
} cases[] = {{1, 1, 1},      {1, 300, 5},    {3, 7, 70},     {17, 257, 65}, {100, 96, 64},
             {300, 33, 10},  {2, 600, 300},  {19, 130, 265}, {1, 257, 13},  {2, 7, 70},
             {16, 257, 130}, {32, 600, 300}, {60, 50, 100}};

/* As gradients lie in a network: then they may go past the caches. */
static float *floats(size_t count)
{
    float *values = cnn_float_arena(count);
    assert_non_null(values);
    return values;
}

static void run(const cnn_linear *linear, int tasks, cnn_task *task)
{
    /* Backwards, since the order must not matter. */
    for (int i = tasks - 1; i >= 0; i--)
        task((void *)linear, i, 0);
}

static void run_all(const cnn_linear *linear)
{
    run(linear, cnn_linear_count_tasks(linear), cnn_linear_count);
    run(linear, cnn_linear_prepare_tasks(linear), cnn_linear_prepare);
    run(linear, cnn_linear_forward_tasks(linear), cnn_linear_forward);
    run(linear, cnn_linear_pick_gradient_tasks(linear), cnn_linear_pick_gradient);
    run(linear, cnn_linear_backward_tasks(linear), cnn_linear_backward);
}

/* Sees no zeros, so that all is multiplied. */
static int count_all(const float *values, int count)
{
    (void)values;
    return count;
}

/* What is picked gives the values that multiplying by the zeros gives, to the bit, and what goes past the
 * caches those that, lying elsewhere, it would have given near them. */
static void check_multiplied(const cnn_linear *linear)
{
    const size_t N = (size_t)linear->n, IN = (size_t)linear->in, OUT = (size_t)linear->out;
    cnn_kernels dense = *linear->kernels;
    dense.count = count_all;
    cnn_linear whole = *linear;
    whole.kernels = &dense;
    whole.y = floats(N * OUT);
    whole.dx = floats(N * IN);
    whole.weight_gradient = floats(OUT * IN + 1) + 1;
    run_all(&whole);
    for (size_t i = 0; i < N * OUT; i++)
        assert_true(whole.y[i] == linear->y[i]);
    for (size_t i = 0; i < N * IN; i++)
        assert_true(whole.dx[i] == linear->dx[i]);
    for (size_t i = 0; i < OUT * IN; i++)
        assert_true(whole.weight_gradient[i] == linear->weight_gradient[i]);
    free(whole.y);
    free(whole.dx);
    free(whole.weight_gradient - 1);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static cnn_picked picked(size_t blocks, size_t found)
{
    return (cnn_picked){.terms = malloc(blocks * CNN_LINEAR_DEPTH * sizeof(cnn_term)),
                        .counts = malloc(blocks * sizeof(int32_t)),
                        .found = malloc(found * sizeof(int32_t))};
}

static void let_go(const cnn_picked *picked)
{
    free(picked->terms);
    free(picked->counts);
    free(picked->found);
}

/* Zeros a share of values, here and there. */
static void thin(float *values, size_t count, float share)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (reference_noise(5, i) + 1) / 2 < share ? 0 : values[i];
}

/* A layer on values of which a share is zero, with or without the relu that may follow. */
static void check_case(int n, int in, int out, float zeros, int relu)
{
    const size_t N = (size_t)n, IN = (size_t)in, OUT = (size_t)out;
    float *x = floats(N * IN), *weight = floats(OUT * IN), *bias = floats(OUT), *dy = floats(N * OUT);
    float *y = floats(N * OUT), *dx = floats(N * IN), *dw = floats(OUT * IN), *db = floats(OUT);
    float *scratch = floats(cnn_linear_scratch(n));
    float *turned = floats(larger(cnn_linear_turned(n, in), cnn_linear_turned(n, out)));
    const cnn_picked rows = picked(larger(cnn_picked_blocks(n, in), cnn_picked_blocks(n, out)), N);
    const cnn_picked columns = picked(cnn_picked_blocks(out, n), OUT);
    reference_fill(1, x, N * IN);
    reference_fill(2, weight, OUT * IN);
    reference_fill(3, bias, OUT);
    reference_fill(4, dy, N * OUT);
    thin(x, N * IN, zeros);
    thin(dy, N * OUT, zeros);
    const cnn_linear linear = {.kernels = cnn_kernels_get(),
                               .n = n,
                               .in = in,
                               .out = out,
                               .relu = relu,
                               .threads = 1,
                               .x = x,
                               .weight = weight,
                               .bias = bias,
                               .y = y,
                               .dy = dy,
                               .dx = dx,
                               .weight_gradient = dw,
                               .bias_gradient = db,
                               .rows = rows,
                               .turned = turned,
                               .columns = columns,
                               .scratch = &scratch};
    run_all(&linear);

    for (size_t i = 0; i < N; i++)
        for (size_t o = 0; o < OUT; o++) {
            double sum = (double)bias[o], size = fabs(sum);
            for (size_t k = 0; k < IN; k++) {
                sum += (double)x[i * IN + k] * (double)weight[o * IN + k];
                size += fabs((double)x[i * IN + k] * (double)weight[o * IN + k]);
            }
            const double expected = relu ? fmax(sum, 0) : sum;
            assert_true(fabs((double)y[i * OUT + o] - expected) <= bound(in + 1, size));
        }
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < IN; k++) {
            double sum = 0, size = 0;
            for (size_t o = 0; o < OUT; o++) {
                sum += (double)dy[i * OUT + o] * (double)weight[o * IN + k];
                size += fabs((double)dy[i * OUT + o] * (double)weight[o * IN + k]);
            }
            assert_true(fabs((double)dx[i * IN + k] - sum) <= bound(out, size));
        }
    for (size_t o = 0; o < OUT; o++) {
        double total = 0, total_size = 0;
        for (size_t i = 0; i < N; i++) {
            total += (double)dy[i * OUT + o];
            total_size += fabs((double)dy[i * OUT + o]);
        }
        assert_true(fabs((double)db[o] - total) <= bound(1, total_size));
        for (size_t k = 0; k < IN; k++) {
            double sum = 0, size = 0;
            for (size_t i = 0; i < N; i++) {
                sum += (double)dy[i * OUT + o] * (double)x[i * IN + k];
                size += fabs((double)dy[i * OUT + o] * (double)x[i * IN + k]);
            }
            assert_true(fabs((double)dw[o * IN + k] - sum) <= bound(n, size));
        }
    }
    check_multiplied(&linear);
    float *blocks[] = {x, weight, bias, dy, y, dx, dw, db, scratch, turned};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        free(blocks[i]);
    let_go(&rows);
    let_go(&columns);
}

static void check_all(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int tenths = 0; tenths < 10; tenths += 3)
            check_case(cases[i].n, cases[i].in, cases[i].out, 0.1f * (float)tenths, tenths % 2);
}

static void test_forward_and_backward(void **state)
{
    (void)state;
    for_each_kernels(check_all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_forward_and_backward)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
