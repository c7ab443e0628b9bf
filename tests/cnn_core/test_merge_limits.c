/* SPDX-License-Identifier: BSD-3-Clause */
/* Layers that collapse, values that are not finite, options out of their limits: what may not go wrong. */
#include "cmocka_headers.h"
#include "cnn/merge.h"
#include "cnn/status.h"
#include "cnn/trainer.h"
#include "made_nets.h"
#include "reference.h"
#include "scratch.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char spec[] = "conv 6 3x3, relu, maxpool 2, conv 4 3x3, relu, linear 4";

static int plan_of(cnn_net *net, int layer, double threshold, int minimum, cnn_merge_plan *plan)
{
    const cnn_dataset probe = made_images(0, 48);
    cnn_merge_options options = cnn_merge_defaults();
    options.threshold = threshold;
    options.minimum = minimum;
    return cnn_merge_plan_make(net, layer, &options, &probe, NULL, plan);
}

/* Merges a layer; the number of units that are left. The result replaces *net and can be evaluated. */
static int merge(cnn_net **net, int layer, double threshold, int minimum)
{
    const cnn_dataset set = made_images(0, MADE_IMAGES);
    cnn_merge_plan plan;
    cnn_net *merged;
    if (plan_of(*net, layer, threshold, minimum, &plan) ||
        cnn_merge_apply(&plan, *net, NULL, 0, &merged, NULL))
        fail_msg("%s", cnn_message());
    cnn_evaluation evaluation;
    assert_int_equal(cnn_evaluate(merged, &set, 50, NULL, &evaluation), CNN_OK);
    assert_true(isfinite(evaluation.loss));
    const int left = plan.after;
    assert_int_equal(merged->layers[layer].out.c, left);
    cnn_merge_plan_free(&plan);
    cnn_net_free(*net);
    *net = merged;
    return left;
}

static void repeat_first_filter(cnn_layer *layer)
{
    const size_t taps = layer->weight_count / layer->bias_count;
    for (size_t k = 1; k < layer->bias_count; k++) {
        memcpy(layer->weight + k * taps, layer->weight, taps * sizeof(float));
        layer->bias[k] = layer->bias[0];
    }
}

static void test_of_equal_filters_one_stays_or_as_many_as_must(void **state)
{
    (void)state;
    static const double thresholds[] = {-1, 0, 0.9, 1};
    for (int i = 0; i < 4; i++)
        for (int minimum = 1; minimum < 8; minimum += 2) {
            cnn_net *net = made_net(spec, 3);
            repeat_first_filter(&net->layers[0]);
            assert_int_equal(merge(&net, 0, thresholds[i], minimum), minimum < 6 ? minimum : 6);
            cnn_net_free(net);
        }
}

static void test_of_filters_that_are_all_zero_one_stays(void **state)
{
    (void)state;
    for (int bias = -1; bias <= 1; bias++) {
        cnn_net *net = made_net(spec, 3);
        memset(net->layers[0].weight, 0, net->layers[0].weight_count * sizeof(float));
        for (int k = 0; k < 6; k++)
            net->layers[0].bias[k] = (float)bias;
        assert_int_equal(merge(&net, 0, 1, 1), 1);
        cnn_net_free(net);
    }
}

static void test_a_layer_with_one_filter_stays(void **state)
{
    (void)state;
    cnn_net *net = made_net("conv 1 3x3, relu, conv 4 3x3, relu, linear 4", 3);
    assert_int_equal(merge(&net, 0, -1, 1), 1);
    assert_int_equal(net->merge_count, 0);
    cnn_net_free(net);
}

static void assert_no_plan(cnn_net *net, int layer, double threshold, int minimum, int status,
                           const char *begin, const char *words)
{
    cnn_merge_plan plan = {.before = 77};
    assert_failed(plan_of(net, layer, threshold, minimum, &plan), status, begin, words);
    assert_int_equal(plan.before, 77);
}

static void test_options_and_layers_that_cannot_be(void **state)
{
    (void)state;
    cnn_net *net = made_net(spec, 3);
    assert_no_plan(net, 0, 1.1, 1, CNN_BAD_ARGUMENT, "merge: threshold: ", "1.1 is not in -1..1");
    assert_no_plan(net, 0, NAN, 1, CNN_BAD_ARGUMENT, "merge: threshold: ", "nan is not in -1..1");
    assert_no_plan(net, 0, 0.9, 0, CNN_BAD_ARGUMENT, "merge: minimum: ", "0 is not at least 1");
    assert_no_plan(net, 1, 0.9, 1, CNN_BAD_ARGUMENT, "merge: layer \"relu1\"", "no units");
    assert_no_plan(net, 5, 0.9, 1, CNN_BAD_ARGUMENT, "merge: ", "outputs of layer \"fc1\" are the classes");
    assert_no_plan(net, 6, 0.9, 1, CNN_BAD_ARGUMENT, "merge: ", "layer 6 is not in 0..5");
    cnn_merge_options options = {.method = CNN_MERGE_NORM, .minimum = 1};
    const cnn_dataset probe = made_images(0, 48), none = made_images(0, 0);
    cnn_merge_plan plan;
    assert_failed(cnn_merge_plan_make(net, 0, &options, &probe, NULL, &plan), CNN_BAD_ARGUMENT,
                  "merge: ", "method norm needs the number");
    options.keep = 3;
    assert_failed(cnn_merge_plan_make(net, 0, &options, &none, NULL, &plan), CNN_BAD_ARGUMENT,
                  "merge: ", "no images");
    int layer = 77;
    assert_int_equal(cnn_merge_find_layer(net, "conv2", &layer), CNN_OK);
    assert_int_equal(layer, 3);
    assert_failed(cnn_merge_find_layer(net, "conv3", &layer), CNN_BAD_ARGUMENT,
                  "merge: ", "no layer \"conv3\"");
    assert_failed(cnn_merge_find_layer(net, "fc1", &layer), CNN_BAD_ARGUMENT, "merge: ", "the classes");
    assert_int_equal(layer, 3);
    cnn_net_free(net);
}

static void test_what_is_not_finite_is_refused(void **state)
{
    (void)state;
    cnn_net *net = made_net(spec, 3);
    float *places[] = {&net->layers[0].weight[40], &net->layers[3].bias[2], &net->layers[5].weight[3]};
    static const char *const words[] = {"layer \"conv1\": weight 40", "layer \"conv2\": bias 2",
                                        "layer \"fc1\": weight 3"};
    static const float values[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        const float old = *places[i];
        *places[i] = values[i];
        assert_no_plan(net, 0, 0.9, 1, CNN_NOT_FINITE, "merge: ", words[i]);
        *places[i] = old;
    }
    net->layers[0].weight[40] = 3e38f;
    net->layers[0].weight[41] = 3e38f;
    assert_no_plan(net, 0, 0.9, 1, CNN_NOT_FINITE, "merge: ", "layer \"conv1\": activations of unit 2");
    cnn_net_free(net);
}

static void test_weights_and_moments_that_overflow_are_refused(void **state)
{
    (void)state;
    cnn_net *net = made_net(spec, 3), *merged = NULL;
    cnn_optimizer *made = NULL, *optimizer;
    make_copies(&net->layers[0], 1, 0);
    cnn_merge_plan plan;
    assert_int_equal(plan_of(net, 0, 1, 1, &plan), CNN_OK);
    const cnn_optimizer_options adam = cnn_optimizer_defaults(CNN_ADAM);
    assert_int_equal(cnn_optimizer_create(&adam, net, &optimizer), CNN_OK);
    optimizer->moments[1][0] = NAN;
    assert_failed(cnn_merge_apply(&plan, net, optimizer, 1, &merged, &made), CNN_NOT_FINITE,
                  "merge: ", "layer \"conv1\": value 0 of the merged exp_avg_sq");
    optimizer->moments[1][0] = 0;
    for (size_t i = 0; i < net->layers[3].weight_count; i++)
        net->layers[3].weight[i] = 3e38f;
    assert_failed(cnn_merge_apply(&plan, net, optimizer, 1, &merged, &made), CNN_NOT_FINITE,
                  "merge: ", "layer \"conv2\": value 0 of the merged weights");
    assert_null(merged);
    assert_null(made);
    cnn_optimizer_free(optimizer);
    cnn_merge_plan_free(&plan);
    cnn_net_free(net);
}

static void test_merging_twice_is_merging_once(void **state)
{
    (void)state;
    int fewer = 0;
    for (uint64_t seed = 0; seed < 10; seed++)
        for (int threshold = 0; threshold < 10; threshold += 3) {
            cnn_net *net = made_net("conv 16 3x3, relu, conv 12 3x3, relu, linear 20, relu, linear 4", seed);
            const int first = merge(&net, 0, threshold / 10.0, 1);
            const int second = merge(&net, 2, threshold / 10.0, 1);
            fewer += first < 16 && second < 12;
            assert_int_equal(merge(&net, 0, threshold / 10.0, 1), first);
            assert_int_equal(merge(&net, 2, threshold / 10.0, 1), second);
            cnn_net_free(net);
        }
    assert_true(fewer > 20);
}

static void test_widths_that_can_come_from_merging(void **state)
{
    (void)state;
    static const char whole[] = "conv 6 3x3 valid, relu, maxpool 2, linear 9, dropout 0.5, linear 4";
    assert_int_equal(cnn_net_check_merged(whole, whole), CNN_OK);
    assert_int_equal(
        cnn_net_check_merged(whole, "conv 1 3x3 valid,relu,maxpool 2,linear 8,dropout 0.5,linear 4"), CNN_OK);
    static const char *const others[] = {
        "conv 7 3x3 valid, relu, maxpool 2, linear 9, dropout 0.5, linear 4",
        "conv 6 3x4 valid, relu, maxpool 2, linear 9, dropout 0.5, linear 4",
        "conv 6 3x3, relu, maxpool 2, linear 9, dropout 0.5, linear 4",
        "conv 6 3x3 valid stride 2, relu, maxpool 2, linear 9, dropout 0.5, linear 4",
        "conv 6 3x3 valid, maxpool 2, relu, linear 9, dropout 0.5, linear 4",
        "conv 6 3x3 valid, relu, maxpool 2, linear 9, dropout 0.4, linear 4",
        "conv 6 3x3 valid, relu, maxpool 2, linear 9, dropout 0.5, linear 3",
        "conv 6 3x3 valid, relu, maxpool 2, linear 9, linear 4",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_failed(cnn_net_check_merged(whole, others[i]), CNN_BAD_ARGUMENT,
                      "net: ", i == 7 ? "has 5 layers" : "with units merged");
    assert_int_equal(cnn_net_check_merged(whole, "nonsense"), CNN_BAD_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_equal_filters_one_stays_or_as_many_as_must),
        cmocka_unit_test(test_of_filters_that_are_all_zero_one_stays),
        cmocka_unit_test(test_a_layer_with_one_filter_stays),
        cmocka_unit_test(test_options_and_layers_that_cannot_be),
        cmocka_unit_test(test_what_is_not_finite_is_refused),
        cmocka_unit_test(test_weights_and_moments_that_overflow_are_refused),
        cmocka_unit_test(test_merging_twice_is_merging_once),
        cmocka_unit_test(test_widths_that_can_come_from_merging),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
