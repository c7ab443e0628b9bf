/* SPDX-License-Identifier: BSD-3-Clause */
#include "../reference.h"
#include "cmocka_headers.h"
#include "layers/layers.h"
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

/* Forward equals the reference exactly; the gradient of sum(y * dy) arrives where the largest value is, which
 * for values without equals is the derivative. */
static void check(const char *spec, cnn_shape in)
{
    cnn_net *net = pool_net(spec, in);
    const cnn_layer *layer = &net->layers[0];
    const size_t inputs = cnn_shape_count(in), outputs = cnn_shape_count(layer->out);
    float *x = malloc(inputs * sizeof *x), *y = malloc(outputs * sizeof *y),
          *dy = malloc(outputs * sizeof *dy);
    float *dx = malloc(inputs * sizeof *dx);
    int32_t *chosen = malloc(outputs * sizeof *chosen);
    double *image = malloc(inputs * sizeof *image), *expected = malloc(outputs * sizeof *expected);
    reference_fill(1, x, inputs);
    reference_fill(2, dy, outputs);
    for (size_t i = 0; i < inputs; i++)
        image[i] = (double)x[i];
    reference_maxpool(layer, image, expected);
    cnn_maxpool_forward(layer, x, y, chosen);
    for (size_t i = 0; i < outputs; i++)
        assert_true((double)y[i] == expected[i]);
    cnn_maxpool_backward(layer, chosen, dy, dx);
    for (size_t i = 0; i < inputs; i++) {
        double slope = 0;
        image[i] = (double)x[i] + 1e-7;
        double *moved = malloc(outputs * sizeof *moved);
        reference_maxpool(layer, image, moved);
        for (size_t o = 0; o < outputs; o++)
            slope += (moved[o] - expected[o]) / 1e-7 * (double)dy[o];
        free(moved);
        image[i] = (double)x[i];
        assert_true(fabs((double)dx[i] - slope) <= 1e-6);
    }
    void *blocks[] = {x, y, dy, dx, chosen, image, expected};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        free(blocks[i]);
    cnn_net_free(net);
}

static void test_against_the_reference(void **state)
{
    (void)state;
    check("maxpool 2", (cnn_shape){3, 8, 6});
    check("maxpool 2", (cnn_shape){2, 7, 5});
    check("maxpool 3 stride 1", (cnn_shape){2, 5, 6});
    check("maxpool 3 stride 2", (cnn_shape){1, 8, 9});
    check("maxpool 1", (cnn_shape){1, 3, 3});
    check("maxpool 2x3 stride 4", (cnn_shape){2, 9, 9});
    check("maxpool 5", (cnn_shape){1, 5, 5});
}

static void test_nan_is_not_lost(void **state)
{
    (void)state;
    cnn_net *net = pool_net("maxpool 2", (cnn_shape){1, 2, 2});
    for (int place = 0; place < 4; place++) {
        float x[4] = {1, 2, 3, 4}, y;
        int32_t chosen;
        x[place] = NAN;
        cnn_maxpool_forward(&net->layers[0], x, &y, &chosen);
        assert_true(isnan(y));
        assert_int_equal(chosen, place);
    }
    cnn_net_free(net);
}

static void test_first_of_equals_is_chosen(void **state)
{
    (void)state;
    cnn_net *net = pool_net("maxpool 2", (cnn_shape){1, 2, 2});
    const float x[4] = {0, 5, 5, 5};
    float y;
    int32_t chosen;
    cnn_maxpool_forward(&net->layers[0], x, &y, &chosen);
    assert_int_equal(chosen, 1);
    cnn_net_free(net);
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
