/* SPDX-License-Identifier: BSD-3-Clause */
#include "../reference.h"
#include "cmocka_headers.h"
#include "layers/layers.h"
#include "shapes.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

/* A sum of n float terms, added in any order, differs from the exact one by less than (n + 1) * FLT_EPSILON /
 * 2 times the sum of their absolute values (Higham, Accuracy and Stability of Numerical Algorithms,
 * section 4.2). */
static double bound(double terms, double size)
{
    return (terms + 1) * (double)FLT_EPSILON / 2 * size;
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

static float *floats(size_t count)
{
    float *values = malloc((count + CNN_VECTOR_MOST) * sizeof *values);
    assert_non_null(values);
    /* Memory that nobody wrote must not leak into results. */
    for (size_t i = 0; i < count + CNN_VECTOR_MOST; i++)
        values[i] = NAN;
    return values;
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
    assert_int_equal(cnn_conv_create(f.layer, &f.conv), 0);
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

static void check_forward(void)
{
    for (int index = 0; index < CONV_SHAPES; index++) {
        fixture f = set_up(index);
        cnn_conv_forward(cnn_kernels_get(), &f.conv, f.x, f.layer->weight, f.layer->bias, f.y, f.scratch);
        double *y = doubles(NULL, f.out), *size = doubles(NULL, f.out);
        reference_conv(f.layer, f.weight, f.bias, f.image, y, size);
        for (size_t i = 0; i < f.out; i++)
            if (!(fabs((double)f.y[i] - y[i]) <= bound(f.conv.taps + 1, size[i])))
                fail_msg("%s, shape %d, output %zu: %.9g, not %.9g", cnn_kernels_get()->name, index, i,
                         (double)f.y[i], y[i]);
        free(y);
        free(size);
        tear_down(&f);
    }
}

/* The gradient of sum(y * dy) by a weight, a bias or an input is the sum of dy times what multiplies it:
 * computed from the definition, one term after the other. */
static void check_backward(void)
{
    for (int index = 0; index < CONV_SHAPES; index++) {
        fixture f = set_up(index);
        const cnn_layer *l = f.layer;
        for (size_t i = 0; i < f.weights; i++)
            f.dw[i] = 0;
        for (size_t i = 0; i < l->bias_count; i++)
            f.db[i] = 0;
        cnn_conv_backward(cnn_kernels_get(), &f.conv, f.x, l->weight, f.dy, f.dw, f.db, f.dx, f.scratch);

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
    fixture *both[] = {&with, &without};
    for (int i = 0; i < 2; i++) {
        fixture *f = both[i];
        for (size_t w = 0; w < f->weights; w++)
            f->dw[w] = 0;
        for (size_t b = 0; b < f->layer->bias_count; b++)
            f->db[b] = 0;
        cnn_conv_backward(cnn_kernels_get(), &f->conv, f->x, f->layer->weight, f->dy, f->dw, f->db,
                          i ? NULL : f->dx, f->scratch);
    }
    assert_memory_equal(with.dw, without.dw, with.weights * sizeof(float));
    tear_down(&with);
    tear_down(&without);
}

static void test_forward(void **state)
{
    (void)state;
    for_each_kernels(check_forward);
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
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_backward),
        cmocka_unit_test(test_first_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
