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

static void test_a_change_of_what_can_be_shown(void **state)
{
    (void)state;
    ws_layers layers = {0};
    ws_layer layer = describe_layer("conv1");
    assert_int_equal(ws_layers_add(&layers, &layer), 0);
    assert_int_equal(ws_layers_begin(&layers), WS_OK);
    int reshaped;
    memcpy(layer.activation_shape, (int64_t[]){20, K, 6, 7}, sizeof layer.activation_shape);
    layer.offers = WS_WANTS_ACTIVATIONS;
    assert_int_equal(ws_layers_change(&layers, 0, &layer, &reshaped), WS_OK);
    assert_int_equal(reshaped, 1);
    static float activation[20 * K * 6 * 7];
    layer.activation = activation;
    assert_int_equal(ws_layers_change(&layers, 0, &layer, &reshaped), WS_OK);
    assert_int_equal(reshaped, 0);
    layer.activation_shape[0] = WS_PROBE_SHOWN; /* as many as are shown */
    assert_int_equal(ws_layers_change(&layers, 0, &layer, &reshaped), WS_OK);
    assert_int_equal(reshaped, 0);
    layer.activation_shape[3] = 8;
    assert_int_equal(ws_layers_change(&layers, 0, &layer, &reshaped), WS_OK);
    assert_int_equal(reshaped, 1);
    ws_layers_free(&layers);
}

static void test_what_a_run_began_with(void **state)
{
    (void)state;
    ws_layers layers = {0};
    int reshaped;
    ws_layer layer = describe_layer("conv1");
    layer.weight_range = 7;
    assert_int_equal(ws_layers_add(&layers, &layer), 0);
    assert_int_equal(ws_layers_begin(&layers), WS_OK);
    assert_true(layers.at[0].weight_range == 7);
    assert_true(layers.at[0].whole[0] == K && layers.at[0].whole[1] == C);
    layer.shape[0] = K - 1;
    layer.shape[1] = C - 1;
    assert_int_equal(ws_layers_change(&layers, 0, &layer, &reshaped), WS_OK);
    assert_true(layers.at[0].weight_range == 7);
    assert_true(layers.at[0].whole[0] == K && layers.at[0].whole[1] == C);
    layer.source = (const int32_t[]){0, K + 3};
    assert_int_equal(ws_layers_change(&layers, 0, &layer, &reshaped), WS_OK);
    assert_true(layers.at[0].whole[0] == K + 4);
    ws_layers_free(&layers);
}

static void refuse(const ws_layer *layer, const char *words)
{
    ws_layers layers = {0};
    assert_int_equal(ws_layers_add(&layers, layer), WS_BAD_ARGUMENT);
    if (!strstr(ws_message(), words))
        fail_msg("\"%s\" has no \"%s\"", ws_message(), words);
}

static void test_bad_views_are_named(void **state)
{
    (void)state;
    const ws_layer good = describe_layer("conv1");
    ws_layer bad = good;
    bad.offers = WS_WANTS_WEIGHTS;
    refuse(&bad, "offers is 1");
    bad = good;
    bad.activation = weight;
    refuse(&bad, "activation without activation_shape");
    bad = good;
    memcpy(bad.activation_shape, (int64_t[]){1, K + 1, 2, 2}, sizeof bad.activation_shape);
    refuse(&bad, "activations of 4 filters, but there are 3");
    memcpy(bad.activation_shape, (int64_t[]){1, K, 0, 2}, sizeof bad.activation_shape);
    refuse(&bad, "activation_shape[2] is 0");
    memcpy(bad.activation_shape, (int64_t[]){INT64_MAX, K, 2, 2}, sizeof bad.activation_shape);
    refuse(&bad, "activation_shape[0]");
    bad = good;
    bad.source = (const int32_t[]){0, -1, 2};
    refuse(&bad, "source[1] is -1");
    bad.source = (const int32_t[]){0, 2, 5};
    bad.whole[0] = 5;
    refuse(&bad, "source[2] is 5, but there were 5");
    bad = good;
    bad.whole[0] = K - 1;
    refuse(&bad, "source[2] is 2, but there were 2");
    bad = good;
    bad.source_channel = (const int32_t[]){3, -1};
    refuse(&bad, "source_channel[1] is -1");
    bad = good;
    bad.source_channel = (const int32_t[]){0, INT32_MAX};
    refuse(&bad, "more than");
    bad = good;
    bad.weight_range = NAN;
    refuse(&bad, "weight_range is");
    bad = good;
    bad.merged_count = 1;
    bad.merged = (const double[]){4, 0, 10};
    bad.merged_weight = weight;
    refuse(&bad, "whole must be there");
    memcpy(bad.whole, (int32_t[]){K + 1, C}, sizeof bad.whole);
    refuse(&bad, "merged[0] is 4 into 0");
    bad.merged = (const double[]){3, -2, 10};
    refuse(&bad, "merged[0] is 3 into -2");
    bad = good;
    bad.group = (const int32_t[]){0, -1, -2};
    refuse(&bad, "group[2] is -2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_norms_of_strided_arrays),
        cmocka_unit_test(test_without_initial_weights_they_are_copied_at_the_start),
        cmocka_unit_test(test_a_change_of_arrays_and_of_shape),
        cmocka_unit_test(test_a_change_of_what_can_be_shown),
        cmocka_unit_test(test_what_a_run_began_with),
        cmocka_unit_test(test_bad_views_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
