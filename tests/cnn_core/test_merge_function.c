/* SPDX-License-Identifier: BSD-3-Clause */
/* What a merge does to the function of a network: nothing, where units are copies; else what was predicted.
 */
#include "cmocka_headers.h"
#include "cnn/merge.h"
#include "cnn/pass.h"
#include "cnn/status.h"
#include "cnn/trainer.h"
#include "made_nets.h"
#include "reference.h"
#include "scratch.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const cnn_merge_options copies = {.method = CNN_MERGE_SIMILAR, .threshold = 1, .minimum = 1};

/* Plans and applies; the probe has half of the images. */
static cnn_net *merged_from(cnn_net *net, int layer, const cnn_merge_options *options, cnn_merge_plan *plan)
{
    const cnn_dataset probe = made_images(0, 48);
    cnn_net *merged;
    if (cnn_merge_plan_make(net, layer, options, &probe, NULL, plan) ||
        cnn_merge_apply(plan, net, NULL, 0, &merged, NULL))
        fail_msg("%s", cnn_message());
    return merged;
}

/* Terms of the longest sum of a network. */
static size_t longest_sum(const cnn_net *net)
{
    size_t longest = 1;
    for (int i = 0; i < net->layer_count; i++) {
        const cnn_layer *layer = &net->layers[i];
        if (layer->bias_count && layer->weight_count / layer->bias_count > longest)
            longest = layer->weight_count / layer->bias_count;
    }
    return longest;
}

/* All outputs of a layer for all images agree within the rounding of float32: half a unit in the last place
 * for each term, as a random walk, of either network, in either of the layers that the merge changed. */
static void assert_same_outputs(cnn_net *net, cnn_net *other, int layer)
{
    const cnn_dataset set = made_images(0, MADE_IMAGES);
    float *a = made_outputs(net, layer, &set), *b = made_outputs(other, layer, &set);
    const size_t count = set.count * cnn_shape_count(net->layers[layer].out);
    const double rounding = 4 * 0.5 * FLT_EPSILON * sqrt((double)longest_sum(net));
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)a[i]));
    assert_true(largest > 0.01);
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)a[i] - (double)b[i]) < rounding * largest))
            fail_msg("%s, layer %d, output %zu: %.9g was %.9g", net->spec, layer, i, (double)b[i],
                     (double)a[i]);
    free(a);
    free(b);
}

/* `shift`: nothing clips or pads between the layers, so that copies may have an offset, too. */
typedef struct successor {
    const char *spec;
    int layer, consumer;
    int shift;
} successor;

static const successor successors[] = {
    {"conv 6 3x3, relu, conv 5 3x3, relu, linear 4", 0, 2, 0},
    {"conv 6 3x3, conv 5 3x3, relu, linear 4", 0, 1, 0},
    {"conv 6 3x3, relu, maxpool 2, conv 5 4x3, relu, maxpool 2, linear 4", 0, 3, 0},
    {"conv 6 3x3, maxpool 2, relu, conv 5 3x3 stride 2, linear 4", 0, 3, 0},
    {"conv 6 4x4 stride 2, relu, conv 5 2x2 stride 2, linear 4", 0, 2, 0},
    {"conv 6 3x3 valid, relu, conv 5 3x3 valid, linear 4", 0, 2, 0},
    {"conv 6 3x3 valid, conv 5 3x3 valid, relu, linear 4", 0, 1, 1},
    {"conv 6 3x3 stride 2, maxpool 3 stride 1, conv 5 2x3 stride 2 valid, linear 4", 0, 2, 1},
    {"conv 3 3x3, relu, conv 6 3x3, relu, maxpool 2, linear 7, relu, linear 4", 2, 5, 0},
    {"conv 6 3x3, relu, dropout 0.5, linear 7, linear 4", 0, 3, 0},
    {"conv 6 3x3, maxpool 2, linear 7, relu, linear 4", 0, 2, 1},
    {"conv 6 3x3, relu, linear 4", 0, 2, 0},
    {"linear 6, relu, linear 5, relu, linear 4", 0, 2, 0},
    {"linear 6, relu, dropout 0.5, linear 4", 0, 3, 0},
    {"linear 8, relu, linear 6, linear 4", 2, 3, 1},
};
enum { SUCCESSORS = sizeof successors / sizeof successors[0] };

static void check_copies(const successor *s, float factor, float offset)
{
    cnn_net *net = made_net(s->spec, 11);
    make_copies(&net->layers[s->layer], factor, offset);
    cnn_merge_plan plan;
    cnn_net *merged = merged_from(net, s->layer, &copies, &plan);
    assert_int_equal(plan.consumer, s->consumer);
    assert_int_equal(plan.after, 3);
    for (int j = 0; j < 6; j++)
        assert_int_equal(plan.group[j], j / 2);
    for (int layer = s->consumer; layer < net->layer_count; layer++)
        assert_same_outputs(net, merged, layer);
    assert_true(fabs(cnn_merge_predicted(&plan)) < 1e-6);
    cnn_merge_plan_free(&plan);
    cnn_net_free(merged);
    cnn_net_free(net);
}

static void test_copies_merge_without_a_trace(void **state)
{
    (void)state;
    for (int i = 0; i < SUCCESSORS; i++) {
        check_copies(&successors[i], 1, 0);
        check_copies(&successors[i], 0.7f, 0);
        check_copies(&successors[i], 2.5f, 0);
        if (successors[i].shift) {
            check_copies(&successors[i], 1, 5);
            check_copies(&successors[i], 0.7f, -5);
        }
    }
}

/* The gradients that a training pass gives, without dropout, over the first images. */
static void fill_gradients(cnn_net *net)
{
    const cnn_dataset set = made_images(0, 48);
    cnn_pass *pass;
    assert_int_equal(cnn_pass_create(net, 48, CNN_PASS_TRAIN, NULL, &pass), CNN_OK);
    for (uint32_t i = 0; i < 48; i++)
        cnn_dataset_gather(&set, &i, 1, cnn_pass_images(pass) + i * cnn_shape_count(net->input),
                           cnn_pass_labels(pass) + i);
    cnn_pass_train(pass, 48, 1);
    cnn_pass_free(pass);
}

/* The formula for moments is right if it takes gradients of the old network to those of the new one. */
static void test_gradients_follow_the_chain_rule(void **state)
{
    (void)state;
    for (int i = 0; i < SUCCESSORS; i++) {
        const successor *s = &successors[i];
        if (strstr(s->spec, "dropout"))
            continue;
        cnn_net *net = made_net(s->spec, 11);
        make_copies(&net->layers[s->layer], 0.7f, 0);
        fill_gradients(net);
        cnn_merge_plan plan;
        cnn_net *merged = merged_from(net, s->layer, &copies, &plan);
        float *mapped = malloc(merged->parameter_count * sizeof *mapped);
        memcpy(mapped, merged->gradients, merged->parameter_count * sizeof *mapped);
        fill_gradients(merged);
        double largest = 0;
        for (size_t j = 0; j < merged->parameter_count; j++)
            largest = fmax(largest, fabs((double)mapped[j]));
        for (size_t j = 0; j < merged->parameter_count; j++)
            if (!(fabs((double)mapped[j] - (double)merged->gradients[j]) < 1e-5 * largest))
                fail_msg("%s: gradient %zu is %.9g, mapped %.9g", s->spec, j, (double)merged->gradients[j],
                         (double)mapped[j]);
        free(mapped);
        cnn_merge_plan_free(&plan);
        cnn_net_free(merged);
        cnn_net_free(net);
    }
}

/* E2: same weights, other bias; with a padded border no bias makes up for it, and the prediction says so. */
static void test_an_offset_before_a_padded_border_costs_what_is_predicted(void **state)
{
    (void)state;
    const cnn_dataset probe = made_images(0, 48);
    static const float offsets[] = {5, -5};
    for (int i = 0; i < 2; i++) {
        cnn_net *net = made_net("conv 6 3x3, conv 5 5x5, relu, linear 4", 11);
        make_copies(&net->layers[0], 1, offsets[i]);
        cnn_merge_plan plan;
        cnn_net *merged = merged_from(net, 0, &copies, &plan);
        assert_int_equal(plan.after, 3);
        cnn_evaluation old, new;
        assert_int_equal(cnn_evaluate(net, &probe, 7, NULL, &old), CNN_OK);
        assert_int_equal(cnn_evaluate(merged, &probe, 7, NULL, &new), CNN_OK);
        assert_true(fabs(new.loss - old.loss - cnn_merge_predicted(&plan)) < 1e-9);
        assert_true(fabs(new.loss - old.loss) > 1e-4);
        cnn_merge_plan_free(&plan);
        cnn_net_free(merged);
        cnn_net_free(net);
    }
}

/* E2: behind relu a filter and its negative are not alike; all zero with different biases are constants. */
static void test_a_negative_is_no_copy_and_constants_are_multiples(void **state)
{
    (void)state;
    cnn_net *net = made_net("conv 6 3x3, relu, conv 5 3x3, relu, linear 4", 11);
    make_copies(&net->layers[0], -1, 0);
    cnn_merge_plan plan;
    cnn_net *merged = merged_from(net, 0, &copies, &plan);
    for (int j = 0; j < 6; j += 2)
        assert_true(plan.into[j] != plan.into[j + 1]);
    cnn_merge_plan_free(&plan);
    cnn_net_free(merged);
    memset(net->layers[0].weight, 0, net->layers[0].weight_count * sizeof(float));
    for (int k = 0; k < 6; k++)
        net->layers[0].bias[k] = 0.25f * (float)(k - 1);
    merged = merged_from(net, 0, &copies, &plan);
    assert_int_equal(plan.after, 1);
    for (int layer = 2; layer < net->layer_count; layer++)
        assert_same_outputs(net, merged, layer);
    cnn_merge_plan_free(&plan);
    cnn_net_free(merged);
    cnn_net_free(net);
}

static void test_permuted_units_give_the_same_function(void **state)
{
    (void)state;
    static const int order[] = {7, 2, 5, 0, 3, 6, 1, 4};
    static const char spec[] = "conv 8 3x3, relu, maxpool 2, conv 5 3x3, relu, linear 4";
    const cnn_merge_options options = {.method = CNN_MERGE_SIMILAR, .threshold = 0.4, .minimum = 1};
    int fewer = 0;
    for (uint64_t seed = 1; seed < 6; seed++) {
        cnn_net *net = made_net(spec, seed), *other = made_net(spec, 99);
        permute_units(net, 0, 3, order, other);
        cnn_merge_plan a, b;
        cnn_net *merged = merged_from(net, 0, &options, &a), *permuted = merged_from(other, 0, &options, &b);
        for (int j = 0; j < 8; j++)
            assert_int_equal(order[b.into[j]], a.into[order[j]]);
        assert_same_outputs(merged, permuted, 5);
        fewer += a.after < 8;
        cnn_merge_plan_free(&a);
        cnn_merge_plan_free(&b);
        cnn_net_free(merged);
        cnn_net_free(permuted);
        cnn_net_free(net);
        cnn_net_free(other);
    }
    assert_true(fewer > 2);
}

static void train(cnn_net *net, int steps)
{
    const cnn_dataset set = made_images(0, MADE_IMAGES);
    const cnn_trainer_options options = {.optimizer = cnn_optimizer_defaults(CNN_ADAM),
                                         .learning_rate = 0.003,
                                         .total_steps = 100,
                                         .batch = 32};
    cnn_trainer *trainer;
    assert_int_equal(cnn_trainer_create(&options, net, &set, NULL, &trainer), CNN_OK);
    for (int i = 0; i < steps; i++)
        assert_int_equal(cnn_trainer_step(trainer, NULL, NULL), CNN_OK);
    cnn_trainer_free(trainer);
}

static double pearson(const double *x, const double *y, int count)
{
    double sums[5] = {0};
    for (int i = 0; i < count; i++) {
        sums[0] += x[i] / count;
        sums[1] += y[i] / count;
    }
    for (int i = 0; i < count; i++) {
        sums[2] += (x[i] - sums[0]) * (x[i] - sums[0]);
        sums[3] += (y[i] - sums[1]) * (y[i] - sums[1]);
        sums[4] += (x[i] - sums[0]) * (y[i] - sums[1]);
    }
    return sums[4] / sqrt(sums[2] * sums[3]);
}

/* Trained a little from many seeds, merged by each method: predicted on one half of the images, measured on
 * the other. */
static void test_predicted_and_measured_changes_agree(void **state)
{
    (void)state;
    enum { SEEDS = 8, METHODS = 3, COUNT = SEEDS * METHODS };
    const cnn_dataset others = made_images(48, 48);
    double predicted[COUNT], changed[COUNT];
    int at = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        cnn_net *net = made_net("conv 8 3x3, relu, maxpool 2, conv 6 3x3, relu, linear 4", seed);
        train(net, 25);
        cnn_evaluation old, new;
        assert_int_equal(cnn_evaluate(net, &others, 48, NULL, &old), CNN_OK);
        for (int method = 0; method < METHODS; method++, at++) {
            const cnn_merge_options options = {
                .method = (cnn_merge_method)method, .threshold = -1, .keep = 5, .minimum = 1, .seed = seed};
            cnn_merge_plan plan;
            cnn_net *merged = merged_from(net, 0, &options, &plan);
            assert_int_equal(plan.after, 5);
            assert_int_equal(cnn_evaluate(merged, &others, 48, NULL, &new), CNN_OK);
            predicted[at] = cnn_merge_predicted(&plan);
            changed[at] = new.loss - old.loss;
            cnn_merge_plan_free(&plan);
            cnn_net_free(merged);
        }
        cnn_net_free(net);
    }
    const double r = pearson(predicted, changed, COUNT);
    print_message("predicted against measured loss change of %d merges: correlation %.3f\n", COUNT, r);
    assert_true(r > 0.9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copies_merge_without_a_trace),
        cmocka_unit_test(test_gradients_follow_the_chain_rule),
        cmocka_unit_test(test_an_offset_before_a_padded_border_costs_what_is_predicted),
        cmocka_unit_test(test_a_negative_is_no_copy_and_constants_are_multiples),
        cmocka_unit_test(test_permuted_units_give_the_same_function),
        cmocka_unit_test(test_predicted_and_measured_changes_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
