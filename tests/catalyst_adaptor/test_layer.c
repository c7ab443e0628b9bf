/* SPDX-License-Identifier: BSD-3-Clause */
#include "weights.h"
#include <math.h>

static void test_norms_of_strided_arrays(void **state)
{
    (void)state;
    ws_layers layers = {0};
    const ws_layer layer = describe_layer("conv1");
    assert_int_equal(ws_layers_add(&layers, &layer), 0);
    assert_int_equal(ws_layers_begin(&layers), WS_OK);
    double square = 0, distance = 0;
    for (int i = 0; i < COUNT; i++) {
        square += (double)weight[i] * weight[i];
        distance += ((double)weight[i] - 0.5) * ((double)weight[i] - 0.5);
    }
    const ws_norms norms = ws_layers_norms(&layers, &layers.at[0]);
    assert_float_equal(norms.weight, sqrt(square), 1e-9);
    assert_float_equal(norms.gradient, sqrt(square), 1e-9);
    assert_float_equal(norms.distance, sqrt(distance), 1e-9);
    assert_true(layers.at[0].weight_range == 0.5);
    ws_layers_free(&layers);
}

static void test_without_initial_weights_they_are_copied_at_the_start(void **state)
{
    (void)state;
    ws_layers layers = {0};
    ws_layer layer = describe_layer("conv1");
    layer.initial = NULL;
    layer.gradient = NULL;
    assert_int_equal(ws_layers_add(&layers, &layer), 0);
    assert_int_equal(ws_layers_begin(&layers), WS_OK);
    weight[0] += 3;
    const ws_norms norms = ws_layers_norms(&layers, &layers.at[0]);
    assert_true(norms.distance == 3.0);
    assert_true(isnan(norms.gradient));
    ws_layers_free(&layers);
}

/* Memory that moves keeps the copied initial weights; filters that are merged begin anew, with the old range.
 */
static void test_a_change_of_arrays_and_of_shape(void **state)
{
    (void)state;
    ws_layers layers = {0};
    ws_layer layer = describe_layer("conv1");
    layer.initial = NULL;
    assert_int_equal(ws_layers_add(&layers, &layer), 0);
    assert_int_equal(ws_layers_begin(&layers), WS_OK);
    const double range = layers.at[0].weight_range;
    static float moved[COUNT];
    memcpy(moved, weight, sizeof moved);
    moved[0] += 2;
    layer.weight = moved;
    int reshaped = -1;
    assert_int_equal(ws_layers_change(&layers, 0, &layer, &reshaped), WS_OK);
    assert_int_equal(reshaped, 0);
    assert_true(ws_layers_norms(&layers, &layers.at[0]).distance == 2.0);
    layer.shape[0] = K - 1;
    assert_int_equal(ws_layers_change(&layers, 0, &layer, &reshaped), WS_OK);
    assert_int_equal(reshaped, 1);
    assert_true(ws_layers_norms(&layers, &layers.at[0]).distance == 0.0);
    assert_true(layers.at[0].weight_range == range);
    layer.name = "conv2";
    assert_int_equal(ws_layers_change(&layers, 0, &layer, &reshaped), WS_BAD_ARGUMENT);
    assert_int_equal(ws_layers_change(&layers, 1, &layer, &reshaped), WS_BAD_ARGUMENT);
    ws_layers_free(&layers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_norms_of_strided_arrays),
        cmocka_unit_test(test_without_initial_weights_they_are_copied_at_the_start),
        cmocka_unit_test(test_a_change_of_arrays_and_of_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
