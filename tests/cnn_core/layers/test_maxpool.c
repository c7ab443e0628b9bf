/* SPDX-License-Identifier: BSD-3-Clause */
#include "../reference.h"
#include "cmocka_headers.h"
#include "layers/layers.h"
#include "shapes.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static cnn_net *pool_net(const char *spec, cnn_shape in)
{
    char text[64];
    strcpy(text, spec);
    strcat(text, ", linear 2");
    cnn_net *net;
    assert_int_equal(cnn_net_create(text, in, 2, 1, &net), 0);
    return net;
}

/* Kernels work on channels last, the reference on channels first; they read beyond the end of what they take.
 */
static float *channels_last(cnn_shape shape, const float *first)
{
    float *last = calloc(cnn_shape_count(shape) + CNN_VECTOR_MOST, sizeof *last);
    cnn_channels_last(cnn_kernels_get(), shape, first, last);
    return last;
}

static float *room(cnn_shape shape)
{
    return calloc(cnn_shape_count(shape) + CNN_VECTOR_MOST, sizeof(float));
}

/* What is pooled, and the gradient of the input of sum(y * dy), channels first. If `relu`, of an input that a
 * relu gave. */
static void pool(const cnn_layer *layer, const float *x, const float *dy, int relu, float *y, float *dx)
{
    const cnn_kernels *kernels = cnn_kernels_get();
    cnn_pool pool = cnn_pool_of(layer);
    pool.after_relu = relu;
    float *x_last = channels_last(layer->in, x), *dy_last = channels_last(layer->out, dy);
    float *y_last = room(layer->out), *dx_last = room(layer->in);
    int32_t *chosen = calloc(cnn_shape_count(layer->out) + CNN_VECTOR_MOST, sizeof *chosen);
    kernels->pool(&pool, x_last, y_last, chosen);
    kernels->unpool(&pool, dy_last, chosen, dx_last);
    cnn_channels_first(cnn_kernels_get(), layer->out, y_last, y);
    cnn_channels_first(cnn_kernels_get(), layer->in, dx_last, dx);
    void *blocks[] = {x_last, dy_last, y_last, dx_last, chosen};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        free(blocks[i]);
}

/* Forward equals the reference exactly; the gradient of sum(y * dy) arrives where the largest value is, which
 * for values without equals is the derivative. */
static void check(const char *spec, cnn_shape in, int relu)
{
    cnn_net *net = pool_net(spec, in);
    const cnn_layer *layer = &net->layers[0];
    const size_t inputs = cnn_shape_count(in), outputs = cnn_shape_count(layer->out);
    float *x = malloc(inputs * sizeof *x), *y = malloc(outputs * sizeof *y),
          *dy = malloc(outputs * sizeof *dy);
    float *dx = malloc(inputs * sizeof *dx);
    double *image = malloc(inputs * sizeof *image), *expected = malloc(outputs * sizeof *expected);
    reference_fill(1, x, inputs);
    reference_fill(2, dy, outputs);
    for (size_t i = 0; i < inputs; i++) {
        x[i] = relu && x[i] < 0 ? 0 : x[i];
        image[i] = (double)x[i];
    }
    reference_maxpool(layer, image, expected);
    pool(layer, x, dy, relu, y, dx);
    for (size_t i = 0; i < outputs; i++)
        assert_true((double)y[i] == expected[i]);
    for (size_t i = 0; i < inputs; i++) {
        double slope = 0;
        image[i] = (double)x[i] + 1e-7;
        double *moved = malloc(outputs * sizeof *moved);
        reference_maxpool(layer, image, moved);
        for (size_t o = 0; o < outputs; o++)
            slope += (moved[o] - expected[o]) / 1e-7 * (double)dy[o];
        free(moved);
        image[i] = (double)x[i];
        assert_true(fabs((double)dx[i] - (relu && x[i] <= 0 ? 0 : slope)) <= 1e-6);
    }
    void *blocks[] = {x, y, dy, dx, image, expected};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        free(blocks[i]);
    cnn_net_free(net);
}

static void check_all(void)
{
    for (int relu = 0; relu < 2; relu++) {
        check("maxpool 2", (cnn_shape){3, 8, 6}, relu);
        check("maxpool 2", (cnn_shape){2, 7, 5}, relu);
        check("maxpool 2", (cnn_shape){17, 4, 4}, relu);
        check("maxpool 3 stride 1", (cnn_shape){2, 5, 6}, relu);
        check("maxpool 3 stride 2", (cnn_shape){9, 8, 9}, relu);
        check("maxpool 1", (cnn_shape){1, 3, 3}, relu);
        check("maxpool 2x3 stride 4", (cnn_shape){2, 9, 9}, relu);
        check("maxpool 5", (cnn_shape){1, 5, 5}, relu);
    }
}

static void test_against_the_reference(void **state)
{
    (void)state;
    for_each_kernels(check_all);
}

/* Pools four values into one; returns where the largest is said to be. */
static int32_t pool_four(const float values[4], int relu, float *y)
{
    cnn_net *net = pool_net("maxpool 2", (cnn_shape){1, 2, 2});
    const float dy[1] = {1};
    float dx[4];
    pool(&net->layers[0], values, dy, relu, y, dx);
    cnn_net_free(net);
    for (int32_t place = 0; place < 4; place++)
        if (dx[place] == 1)
            return place;
    return -1;
}

static void check_nan(void)
{
    for (int place = 0; place < 4; place++) {
        float x[4] = {1, 2, 3, 4}, y;
        x[place] = NAN;
        for (int relu = 0; relu < 2; relu++) {
            assert_int_equal(pool_four(x, relu, &y), place);
            assert_true(isnan(y));
        }
    }
}

static void test_nan_is_not_lost(void **state)
{
    (void)state;
    for_each_kernels(check_nan);
}

static void check_equals(void)
{
    const float x[4] = {0, 5, 5, 5};
    float y;
    assert_int_equal(pool_four(x, 0, &y), 1);
}

static void test_first_of_equals_is_chosen(void **state)
{
    (void)state;
    for_each_kernels(check_equals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_the_reference),
        cmocka_unit_test(test_nan_is_not_lost),
        cmocka_unit_test(test_first_of_equals_is_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
