/* SPDX-License-Identifier: BSD-3-Clause */
#include "../reference.h"
#include "cmocka_headers.h"
#include "layers/layers.h"
#include "shapes.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A sum of n float terms, added in any order, differs from the exact one by less than (n + 1) * FLT_EPSILON /
 * 2 times the sum of their absolute values (Higham, Accuracy and Stability of Numerical Algorithms,
 * section 4.2). */
static double bound(double terms, double size)
{
    return (terms + 1) * (double)FLT_EPSILON / 2 * size;
}

static float *floats(size_t count)
{
    float *values = malloc((count + CNN_VECTOR_MOST) * sizeof *values);
    assert_non_null(values);
    /* Memory that nobody wrote must not leak into results. */
    for (size_t i = 0; i < count + CNN_VECTOR_MOST; i++)
        values[i] = NAN;
    return values;
}

/* Everything of one convolution on one image, with the memory that the kernels ask for. */
typedef struct fixture {
    cnn_net *net;
    const cnn_layer *layer;
    cnn_conv conv;
    size_t in, out, weights;
    float *x, *dy, *y, *dx, *dw, *db, *scratch;
    double *weight, *bias, *image;
} fixture;

/* Kernels work on images of channels last, the reference on channels first. */
static float *channels_last(cnn_shape shape, const float *first)
{
    float *last = floats(cnn_shape_count(shape));
    cnn_channels_last(cnn_kernels_get(), shape, first, last);
    return last;
}

static void to_channels_first(cnn_shape shape, float *values)
{
    float *first = floats(cnn_shape_count(shape));
    cnn_channels_first(cnn_kernels_get(), shape, values, first);
    memcpy(values, first, cnn_shape_count(shape) * sizeof *values);
    free(first);
}

static double *doubles(const float *from, size_t count)
{
    double *values = malloc(count * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = from ? (double)from[i] : 0;
    return values;
}

static fixture set_up(int index)
{
    const conv_shape shape = conv_shape_at(index);
    fixture f = {.net = conv_net(&shape, (unsigned long)index)};
    f.layer = &f.net->layers[0];
    assert_int_equal(cnn_conv_create(f.layer, 1, &f.conv), 0);
    f.in = cnn_shape_count(f.layer->in);
    f.out = cnn_shape_count(f.layer->out);
    f.weights = f.layer->weight_count;
    f.x = floats(f.in);
    f.dy = floats(f.out);
    reference_fill(1000 + (uint64_t)index, f.x, f.in);
    reference_fill(2000 + (uint64_t)index, f.dy, f.out);
    f.y = floats(f.out);
    f.dx = floats(f.in);
    f.dw = floats(f.weights);
    f.db = floats(f.layer->bias_count);
    const size_t forward = cnn_conv_forward_scratch(&f.conv), backward = cnn_conv_backward_scratch(&f.conv);
    f.scratch = floats(forward > backward ? forward : backward);
    f.weight = doubles(f.layer->weight, f.weights);
    f.bias = doubles(f.layer->bias, f.layer->bias_count);
    f.image = doubles(f.x, f.in);
    for (int i = cnn_conv_weight_tasks(&f.conv) - 1; i >= 0; i--)
        cnn_conv_pack(cnn_kernels_get(), &f.conv, f.layer->weight, i);
    return f;
}

static void tear_down(fixture *f)
{
    cnn_conv_free(&f->conv);
    cnn_net_free(f->net);
    float *blocks[] = {f->x, f->dy, f->y, f->dx, f->dw, f->db, f->scratch};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        free(blocks[i]);
    free(f->weight);
    free(f->bias);
    free(f->image);
}

/* With and without the relu that may follow. */
static void check_forward(void)
{
    for (int index = 0; index < CONV_SHAPES; index++) {
        fixture f = set_up(index);
        const int relu = index % 2;
        float *x = channels_last(f.layer->in, f.x);
        cnn_conv_lay_out(&f.conv, x, f.scratch);
        const int half = f.conv.positions / 2;
        cnn_conv_forward(cnn_kernels_get(), &f.conv, f.scratch, half, f.conv.positions - half, f.layer->bias,
                         relu, f.y);
        cnn_conv_forward(cnn_kernels_get(), &f.conv, f.scratch, 0, half, f.layer->bias, relu, f.y);
        to_channels_first(f.layer->out, f.y);
        double *y = doubles(NULL, f.out), *size = doubles(NULL, f.out);
        reference_conv(f.layer, f.weight, f.bias, f.image, y, size);
        for (size_t i = 0; i < f.out; i++) {
            const double expected = relu ? fmax(y[i], 0) : y[i];
            if (!(fabs((double)f.y[i] - expected) <= bound(f.conv.taps + 1, size[i])))
                fail_msg("%s, shape %d, output %zu: %.9g, not %.9g", cnn_kernels_get()->name, index, i,
                         (double)f.y[i], expected);
        }
        free(x);
        free(y);
        free(size);
        tear_down(&f);
    }
}

/* Equal, or both NaN. */
static int same(float a, float b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* The largest output of each window, and its place, as pooling finds them, where there are equals and NaN,
 * too. */
static void check_pooled(const fixture *f, int relu)
{
    const cnn_kernels *kernels = cnn_kernels_get();
    const cnn_layer *l = f->layer;
    cnn_pool pool = {.channels = l->out.c,
                     .in_h = l->out.h,
                     .in_w = l->out.w,
                     .out_h = l->out.h / 2,
                     .out_w = l->out.w / 2,
                     .kernel_h = 2,
                     .kernel_w = 2,
                     .stride = 2,
                     .after_relu = relu};
    const int windows = pool.out_h * pool.out_w, count = windows * l->out.c;
    float *expected = floats((size_t)count), *pooled = floats((size_t)count);
    int32_t *places = malloc(((size_t)count + CNN_VECTOR_MOST) * sizeof *places),
            *chosen = malloc(((size_t)count + CNN_VECTOR_MOST) * sizeof *chosen);
    ptrdiff_t *positions = malloc(((size_t)windows * CNN_WINDOW + 1) * sizeof *positions);
    cnn_conv_forward(kernels, &f->conv, f->scratch, 0, f->conv.positions, l->bias, relu, f->y);
    kernels->pool(&pool, f->y, expected, places);
    cnn_conv_window_positions(&f->conv, &pool, positions);
    cnn_conv_forward_pooled(kernels, &f->conv, f->scratch, positions, windows, l->bias, relu, pooled, chosen);
    for (int i = 0; i < count; i++)
        if (!same(pooled[i], expected[i]) || chosen[i] != places[i])
            fail_msg("%s, value %d: %.9g at %d, not %.9g at %d", kernels->name, i, (double)pooled[i],
                     (int)chosen[i], (double)expected[i], (int)places[i]);
    cnn_conv_forward_pooled(kernels, &f->conv, f->scratch, positions, windows, l->bias, relu, pooled, NULL);
    for (int i = 0; i < count; i++)
        assert_true(same(pooled[i], expected[i]));
    void *blocks[] = {expected, pooled, places, chosen, positions};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        free(blocks[i]);
}

static void check_pooled_forward(void)
{
    for (int index = 0; index < CONV_SHAPES; index++) {
        fixture f = set_up(index);
        for (size_t i = 0; i < f.in; i++)
            f.x[i] = roundf(2 * f.x[i]);
        if (index % 3 == 0)
            f.x[f.in / 2] = NAN;
        float *x = channels_last(f.layer->in, f.x);
        cnn_conv_lay_out(&f.conv, x, f.scratch);
        for (int relu = 0; relu < 2; relu++)
            check_pooled(&f, relu);
        free(x);
        tear_down(&f);
    }
}

static void test_pooled_forward(void **state)
{
    (void)state;
    for_each_kernels(check_pooled_forward);
}

/* Makes a share of x zeros. */
static void zero_some(const fixture *f, float share)
{
    for (size_t i = 0; i < f->in; i++)
        f->x[i] = reference_noise(3500, i) < share ? 0 : f->x[i];
}

/* Where zeros are left out, outputs are the bits that multiplying by them gives; few zeros are multiplied. */
static void check_sparse_forward(void)
{
    int count = 0;
    for (int index = 0; index < CONV_SHAPES; index++) {
        fixture f = set_up(index);
        const cnn_kernels *kernels = cnn_kernels_get();
        float *dense = channels_last(f.layer->in, f.x);
        assert_false(cnn_conv_is_sparse(kernels, &f.conv, dense));
        zero_some(&f, 0.8f);
        float *x = channels_last(f.layer->in, f.x), *y = floats(f.out);
        for (int relu = 0; f.conv.strips && relu < 2; relu++, count++) {
            cnn_conv_lay_out(&f.conv, x, f.scratch);
            cnn_conv_forward(kernels, &f.conv, f.scratch, 0, f.conv.positions, f.layer->bias, relu, f.y);
            assert_true(cnn_conv_is_sparse(kernels, &f.conv, x));
            cnn_conv_forward_sparse(kernels, &f.conv, x, f.layer->bias, relu, y);
            for (size_t i = 0; i < f.out; i++)
                if (!(y[i] == f.y[i]))
                    fail_msg("%s, shape %d, output %zu: %.9g, not %.9g", kernels->name, index, i,
                             (double)y[i], (double)f.y[i]);
        }
        free(dense);
        free(x);
        free(y);
        tear_down(&f);
    }
    assert_true(count > 0);
}

/* A table whose count sees no zeros, so that all is multiplied. */
static int count_all(const float *values, int count)
{
    (void)values;
    return count;
}

static cnn_kernels dense_kernels(void)
{
    cnn_kernels kernels = *cnn_kernels_get();
    kernels.count = count_all;
    return kernels;
}

static void add_parts(fixture *f, const cnn_kernels *kernels, float *values, int parts)
{
    for (int i = cnn_conv_weight_tasks(&f->conv) - 1; i >= 0; i--)
        cnn_conv_add_parts(kernels, &f->conv, values, parts, f->dw, f->db, i);
}

/* The backward pass, with its results as they are asked for: channels first, weights [K,C,R,S]. */
static void backward(fixture *f, const cnn_kernels *kernels, const float *dy, int with_dx)
{
    const cnn_layer *l = f->layer;
    float *x = channels_last(l->in, f->x), *slopes = channels_last(l->out, dy),
          *gradient = floats(f->weights + l->bias_count);
    memset(gradient, 0, (f->weights + l->bias_count) * sizeof *gradient);
    cnn_conv_backward(kernels, &f->conv, x, slopes, gradient, gradient + f->weights, with_dx ? f->dx : NULL,
                      f->scratch);
    if (with_dx)
        to_channels_first(l->in, f->dx);
    add_parts(f, kernels, gradient, 1);
    free(x);
    free(slopes);
    free(gradient);
}

/* The gradient of sum(y * dy) by a weight, a bias or an input is the sum of dy times what multiplies it:
 * computed from the definition, one term after the other. */
static void check_backward(void)
{
    for (int index = 0; index < CONV_SHAPES; index++) {
        fixture f = set_up(index);
        const cnn_layer *l = f.layer;
        /* Nearly all of some are zeros: those are multiplied another way, whatever the length of runs. */
        for (size_t i = 0; index % 3 && i < f.out; i++)
            f.dy[i] = reference_noise(3000, i) < 0.9f ? 0 : f.dy[i];
        backward(&f, cnn_kernels_get(), f.dy, 1);

        double *dw = doubles(NULL, f.weights), *dw_size = doubles(NULL, f.weights);
        double *dx = doubles(NULL, f.in), *dx_size = doubles(NULL, f.in);
        double *db = doubles(NULL, l->bias_count), *db_size = doubles(NULL, l->bias_count);
        for (int k = 0; k < l->out.c; k++)
            for (int p = 0; p < l->out.h; p++)
                for (int q = 0; q < l->out.w; q++) {
                    const double g = (double)f.dy[(k * l->out.h + p) * l->out.w + q];
                    db[k] += g;
                    db_size[k] += fabs(g);
                    for (int c = 0; c < l->in.c; c++)
                        for (int r = 0; r < l->kernel_h; r++)
                            for (int s = 0; s < l->kernel_w; s++) {
                                const int row = p * l->stride + r - l->pad_top,
                                          column = q * l->stride + s - l->pad_left;
                                if (row < 0 || row >= l->in.h || column < 0 || column >= l->in.w)
                                    continue;
                                const int w = ((k * l->in.c + c) * l->kernel_h + r) * l->kernel_w + s;
                                const int i = (c * l->in.h + row) * l->in.w + column;
                                dw[w] += g * f.image[i];
                                dw_size[w] += fabs(g * f.image[i]);
                                dx[i] += g * f.weight[w];
                                dx_size[i] += fabs(g * f.weight[w]);
                            }
                }
        const double positions = (double)l->out.h * l->out.w, taps = (double)f.weights;
        for (size_t i = 0; i < f.weights; i++)
            assert_true(fabs((double)f.dw[i] - dw[i]) <= bound(positions, dw_size[i]));
        for (size_t i = 0; i < l->bias_count; i++)
            assert_true(fabs((double)f.db[i] - db[i]) <= bound(1, db_size[i]));
        for (size_t i = 0; i < f.in; i++)
            assert_true(fabs((double)f.dx[i] - dx[i]) <= bound(taps, dx_size[i]));
        double *blocks[] = {dw, dw_size, dx, dx_size, db, db_size};
        for (int i = 0; i < 6; i++)
            free(blocks[i]);
        tear_down(&f);
    }
}

/* Without dx the weight gradients are the same bits. */
static void check_first_layer(void)
{
    fixture with = set_up(1), without = set_up(1);
    backward(&with, cnn_kernels_get(), with.dy, 1);
    backward(&without, cnn_kernels_get(), without.dy, 0);
    assert_memory_equal(with.dw, without.dw, with.weights * sizeof(float));
    tear_down(&with);
    tear_down(&without);
}

/* Where zeros are, which decides for each part of a large image what is picked. */
typedef enum zeros { EVERYWHERE, AT_FIRST, AT_LAST, ZEROS } zeros;

static int is_zero(const fixture *f, zeros where, size_t i)
{
    const size_t positions = (size_t)f->conv.positions;
    const int is_late = i % positions >= positions / 2;
    return (where == EVERYWHERE || is_late == (where == AT_LAST)) && reference_noise(3000, i) < 0.9f;
}

static void check_zeros_of(int index, zeros where)
{
    const cnn_kernels dense = dense_kernels();
    fixture picked = set_up(index), whole = set_up(index);
    for (size_t i = 0; i < picked.out; i++)
        picked.dy[i] = is_zero(&picked, where, i) ? 0 : picked.dy[i];
    zero_some(&picked, where == EVERYWHERE ? 0.8f : 0);
    memcpy(whole.x, picked.x, picked.in * sizeof *whole.x);
    backward(&picked, cnn_kernels_get(), picked.dy, 1);
    backward(&whole, &dense, picked.dy, 1);
    for (size_t i = 0; i < picked.weights; i++)
        if (!(picked.dw[i] == whole.dw[i]))
            fail_msg("%s, shape %d, zeros %d, weight %zu: %.9g, not %.9g", cnn_kernels_get()->name, index,
                     (int)where, i, (double)picked.dw[i], (double)whole.dw[i]);
    for (size_t i = 0; i < picked.in; i++)
        assert_true(picked.dx[i] == whole.dx[i]);
    tear_down(&picked);
    tear_down(&whole);
}

/* What is picked gives the bits that multiplying by the zeros gives. */
static void check_zeros(void)
{
    for (int index = 0; index < CONV_SHAPES; index++)
        for (zeros where = EVERYWHERE; where < ZEROS; where++)
            check_zeros_of(index, where);
}

/* Gradients of parts are added from the first on, value by value, and nothing else is in their sum. */
static void check_parts(void)
{
    enum { PARTS = 3 };
    for (int index = 0; index < CONV_SHAPES; index++) {
        fixture f = set_up(index);
        const size_t biases = f.layer->bias_count, part = f.weights + biases;
        float *values = floats(PARTS * part), *dw = floats(f.weights), *db = floats(biases);
        for (int i = 0; i < PARTS; i++) {
            float *one = floats(part);
            reference_fill(4000 + (uint64_t)i, one, part);
            memcpy(values + (size_t)i * part, one, part * sizeof *one);
            add_parts(&f, cnn_kernels_get(), one, 1);
            for (size_t w = 0; w < f.weights; w++)
                dw[w] = i ? dw[w] + f.dw[w] : f.dw[w];
            for (size_t k = 0; k < biases; k++)
                db[k] = i ? db[k] + f.db[k] : f.db[k];
            free(one);
        }
        add_parts(&f, cnn_kernels_get(), values, PARTS);
        assert_memory_equal(f.dw, dw, f.weights * sizeof *dw);
        assert_memory_equal(f.db, db, biases * sizeof *db);
        free(values);
        free(dw);
        free(db);
        tear_down(&f);
    }
}

static void test_parts(void **state)
{
    (void)state;
    for_each_kernels(check_parts);
}

static void test_zeros_change_no_bit(void **state)
{
    (void)state;
    for_each_kernels(check_zeros);
}

static void test_forward(void **state)
{
    (void)state;
    for_each_kernels(check_forward);
}

static void test_sparse_forward(void **state)
{
    (void)state;
    for_each_kernels(check_sparse_forward);
}

static void test_backward(void **state)
{
    (void)state;
    for_each_kernels(check_backward);
}

static void test_first_layer(void **state)
{
    (void)state;
    for_each_kernels(check_first_layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pooled_forward), cmocka_unit_test(test_sparse_forward),
        cmocka_unit_test(test_forward),        cmocka_unit_test(test_backward),
        cmocka_unit_test(test_first_layer),    cmocka_unit_test(test_zeros_change_no_bit),
        cmocka_unit_test(test_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
