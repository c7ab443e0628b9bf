/* SPDX-License-Identifier: BSD-3-Clause */
/* That a merge does what merge.h says: who goes, the fit, and the map of every arena. */
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

static cnn_merge_plan planned(cnn_net *net, int layer, const cnn_merge_options *options)
{
    const cnn_dataset probe = made_images(0, 48);
    cnn_merge_plan plan;
    if (cnn_merge_plan_make(net, layer, options, &probe, NULL, &plan))
        fail_msg("%s", cnn_message());
    return plan;
}

static cnn_net *applied(const cnn_merge_plan *plan, const cnn_net *net)
{
    cnn_net *merged;
    if (cnn_merge_apply(plan, net, NULL, 5, &merged, NULL))
        fail_msg("%s", cnn_message());
    return merged;
}

static cnn_merge_options from(double threshold)
{
    cnn_merge_options options = cnn_merge_defaults();
    options.threshold = threshold;
    return options;
}

/* A plan made by hand: unit 1 goes into 0, 4 into 2, 3 to nobody. */
static const int32_t into_by_hand[] = {0, 0, 2, -1, 2, 5};
static const double alpha_by_hand[] = {1, 0.5, 1, 0, 3, 1}, beta_by_hand[] = {0, 0.25, 0, 0, -2, 0};
enum { BEFORE = 6, AFTER = 3 };
static const int stay_by_hand[] = {0, 2, 5};

static cnn_merge_plan plan_by_hand(int layer, int consumer)
{
    static int32_t group[BEFORE], into[BEFORE];
    static double alpha[BEFORE], beta[BEFORE];
    memcpy(into, into_by_hand, sizeof into);
    memcpy(alpha, alpha_by_hand, sizeof alpha);
    memcpy(beta, beta_by_hand, sizeof beta);
    return (cnn_merge_plan){.options = cnn_merge_defaults(),
                            .layer = layer,
                            .consumer = consumer,
                            .before = BEFORE,
                            .after = AFTER,
                            .group = group,
                            .into = into,
                            .alpha = alpha,
                            .beta = beta};
}

/* m_i + sum alpha_j m_j, or (sqrt v_i + sum alpha_j sqrt v_j)^2, of values that are `step` apart. */
static double sum_of(const float *values, size_t step, int unit, int roots)
{
    double sum = 0;
    for (int j = 0; j < BEFORE; j++) {
        const double value = (double)values[(size_t)j * step];
        sum += into_by_hand[j] == unit ? alpha_by_hand[j] * (roots ? sqrt(value) : value) : 0;
    }
    return roots ? sum * sum : sum;
}

static void assert_near(float got, double expected, const char *what, size_t at)
{
    if (!(fabs((double)got - expected) <= 1e-6 * (fabs(expected) + 1e-3)))
        fail_msg("%s %zu: %.9g, expected %.9g", what, at, (double)got, expected);
}

typedef enum arena_kind { WEIGHTS, GRADIENTS, SQUARES, INITIAL } arena_kind;

static void check_layer(const cnn_layer *layer, const float *old, const float *new, arena_kind kind,
                        const char *what)
{
    const size_t taps = layer->weight_count / layer->bias_count;
    for (size_t k = 0; k < AFTER; k++) {
        const int unit = stay_by_hand[k];
        for (size_t i = 0; i <= taps; i++) {
            const size_t base = i < taps ? i : layer->weight_count, step = i < taps ? taps : 1;
            const double own = (double)old[base + (size_t)unit * step];
            const double expected =
                kind == WEIGHTS || kind == INITIAL ? own : sum_of(old + base, step, unit, kind == SQUARES);
            assert_near(new[i < taps ? k * taps + i : AFTER * taps + k], expected, what, k);
        }
    }
}

static void check_consumer(const cnn_layer *layer, const float *old, const float *new, arena_kind kind,
                           const char *what)
{
    const size_t taps = layer->weight_count / layer->bias_count / BEFORE;
    const float *bias = old + layer->weight_count, *new_bias = new + layer->bias_count *AFTER *taps;
    for (size_t output = 0; output < layer->bias_count; output++, old += BEFORE * taps, new += AFTER *taps) {
        for (size_t k = 0; k < AFTER; k++)
            for (size_t i = 0; i < taps; i++)
                assert_near(new[k * taps + i],
                            kind == WEIGHTS ? sum_of(old + i, taps, stay_by_hand[k], 0)
                                            : (double)old[(size_t)stay_by_hand[k] * taps + i],
                            what, output);
        double expected = (double)bias[output];
        for (size_t j = 0; j < BEFORE; j++)
            for (size_t i = 0; i < taps && kind == WEIGHTS; i++)
                expected += beta_by_hand[j] * (double)old[j * taps + i];
        assert_near(new_bias[output], expected, what, output);
    }
}

/* One arena of a network, and the same of the merged one. */
static void check_arena(const cnn_net *net, int layer, int consumer, const float *old, const cnn_net *merged,
                        const float *new, arena_kind kind, const char *what)
{
    for (int i = 0; i < net->layer_count; i++) {
        const cnn_layer *l = &net->layers[i];
        if (!l->weight_count)
            continue;
        const float *a = old + (l->weight - net->parameters),
                    *b = new + (merged->layers[i].weight - merged->parameters);
        if (i == layer)
            check_layer(l, a, b, kind, what);
        else if (i == consumer)
            check_consumer(l, a, b, kind, what);
        else
            assert_memory_equal(a, b, (l->weight_count + l->bias_count) * sizeof(float));
    }
}

static cnn_optimizer *filled_optimizer(const cnn_net *net, cnn_optimizer_kind kind)
{
    const cnn_optimizer_options options = cnn_optimizer_defaults(kind);
    cnn_optimizer *optimizer;
    assert_int_equal(cnn_optimizer_create(&options, net, &optimizer), CNN_OK);
    for (int i = 0; i < optimizer->moment_count; i++) {
        reference_fill(90 + (uint64_t)i, optimizer->moments[i], optimizer->count);
        for (size_t j = 0; j < optimizer->count && i == 1; j++)
            optimizer->moments[i][j] *= optimizer->moments[i][j];
    }
    return optimizer;
}

static void test_every_arena_follows_its_formula(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        int layer, consumer;
    } cases[] = {
        {"conv 3 3x3, relu, conv 6 3x3, relu, maxpool 2, conv 4 3x3 stride 2, linear 5, relu, linear 4", 2,
         5},
        {"conv 6 3x3 valid, maxpool 2, linear 5, linear 4", 0, 2},
        {"linear 6, relu, dropout 0.25, linear 5, linear 4", 0, 3},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++)
        for (int kind = CNN_SGD; kind <= CNN_ADAM; kind++) {
            cnn_net *net = made_net(cases[c].spec, c + 1), *merged;
            reference_fill(50, net->gradients, net->parameter_count);
            cnn_optimizer *optimizer = filled_optimizer(net, (cnn_optimizer_kind)kind), *made = NULL;
            const cnn_merge_plan plan = plan_by_hand(cases[c].layer, cases[c].consumer);
            assert_int_equal(cnn_merge_apply(&plan, net, optimizer, 9, &merged, &made), CNN_OK);
            const int l = cases[c].layer, n = cases[c].consumer;
            check_arena(net, l, n, net->parameters, merged, merged->parameters, WEIGHTS, "parameter");
            check_arena(net, l, n, net->gradients, merged, merged->gradients, GRADIENTS, "gradient");
            check_arena(net, l, n, net->initial, merged, merged->initial, INITIAL, "initial value");
            assert_int_equal(made->moment_count, optimizer->moment_count);
            for (int i = 0; i < made->moment_count; i++)
                check_arena(net, l, n, optimizer->moments[i], merged, made->moments[i],
                            i ? SQUARES : GRADIENTS, "moment");
            assert_memory_equal(merged->layers[l].source, ((int32_t[]){0, 2, 5}), 3 * sizeof(int32_t));
            cnn_optimizer_free(optimizer);
            cnn_optimizer_free(made);
            cnn_net_free(merged);
            cnn_net_free(net);
        }
}

static void test_spec_rates_sources_and_history_follow(void **state)
{
    (void)state;
    cnn_net *net = made_net("conv 6 3x3, relu, linear 9, relu, dropout 0.5, linear 4", 1);
    net->layers[4].rate = 0.125f; /* as a knob does */
    cnn_merge_options options = cnn_merge_defaults();
    options.method = CNN_MERGE_RANDOM;
    options.keep = 4;
    cnn_merge_plan plan = planned(net, 0, &options);
    cnn_net *once = applied(&plan, net);
    cnn_merge_plan_free(&plan);
    assert_string_equal(once->spec, "conv 4 3x3, relu, linear 9, relu, dropout 0.5, linear 4");
    assert_true(once->layers[4].rate == 0.125f);
    options.keep = 2;
    options.seed = 5;
    plan = planned(once, 0, &options);
    cnn_net *twice = applied(&plan, once);
    int at = 0;
    for (int unit = 0; unit < 4; unit++)
        if (plan.into[unit] == unit)
            assert_int_equal(twice->layers[0].source[at++], once->layers[0].source[unit]);
    assert_int_equal(at, 2);
    assert_null(twice->layers[2].source);
    assert_int_equal(twice->merge_count, 2);
    assert_int_equal(twice->merges[0].before, 6);
    assert_int_equal(twice->merges[0].after, 4);
    assert_int_equal(twice->merges[1].before, 4);
    assert_int_equal(twice->merges[1].after, 2);
    assert_int_equal(twice->merges[1].step, 5);
    assert_int_equal(twice->merges[1].method, CNN_MERGE_RANDOM);
    assert_true(isnan(twice->merges[1].threshold));
    assert_true(isnan(twice->merges[1].measured));
    assert_true(twice->merges[1].predicted == plan.loss_after - plan.loss_before);
    assert_int_equal(net->merge_count, 0);
    cnn_merge_plan_free(&plan);
    cnn_net_free(twice);
    cnn_net_free(once);
    cnn_net_free(net);
}

static void test_the_old_network_stays_and_a_plan_without_merges_copies_it(void **state)
{
    (void)state;
    cnn_net *net = made_net("conv 6 3x3, relu, conv 3 3x3, linear 4", 1);
    make_copies(&net->layers[0], 0.5f, 0);
    net->layers[2].weight[5] = -0.0f;
    const size_t size = net->parameter_count * sizeof(float);
    float *before = malloc(size);
    memcpy(before, net->parameters, size);
    cnn_merge_options options = from(0.999);
    cnn_merge_plan plan = planned(net, 0, &options);
    assert_int_equal(plan.after, 3);
    cnn_net *merged = applied(&plan, net);
    assert_memory_equal(net->parameters, before, size);
    cnn_net_free(merged);
    cnn_merge_plan_free(&plan);
    options.minimum = 6;
    plan = planned(net, 0, &options);
    assert_int_equal(plan.after, 6);
    assert_true(plan.loss_after == plan.loss_before);
    cnn_net *copy = applied(&plan, net);
    assert_memory_equal(copy->parameters, before, size);
    assert_int_equal(copy->merge_count, 0);
    assert_null(copy->layers[0].source);
    assert_string_equal(copy->spec, net->spec);
    cnn_net_free(copy);
    cnn_merge_plan_free(&plan);
    free(before);
    cnn_net_free(net);
}

/* Adds a sample (x, y) to sums of 1, x, y, xx, xy. */
static void add_sample(double sums[5], double x, double y)
{
    const double terms[] = {1, x, y, x * x, x * y};
    for (int i = 0; i < 5; i++)
        sums[i] += terms[i];
}

/* Least squares of unit j by unit i as the convolution `reader` sees them, tap by tap. */
static void plain_fit(const cnn_layer *reader, const float *maps, size_t images, int j, int i, double *alpha,
                      double *beta)
{
    double sums[5] = {0};
    const cnn_shape in = reader->in;
    for (size_t n = 0; n < images; n++)
        for (int p = 0; p < reader->out.h * reader->out.w; p++)
            for (int t = 0; t < reader->kernel_h * reader->kernel_w; t++) {
                const int y = p / reader->out.w * reader->stride + t / reader->kernel_w - reader->pad_top;
                const int x = p % reader->out.w * reader->stride + t % reader->kernel_w - reader->pad_left;
                const int inside = y >= 0 && y < in.h && x >= 0 && x < in.w;
                const float *map = maps + n * cnn_shape_count(in) + (inside ? y * in.w + x : 0);
                const size_t size = (size_t)in.h * (size_t)in.w;
                add_sample(sums, inside ? (double)map[(size_t)i * size] : 0,
                           inside ? (double)map[(size_t)j * size] : 0);
            }
    const double mean_x = sums[1] / sums[0], mean_y = sums[2] / sums[0];
    *alpha = (sums[4] / sums[0] - mean_x * mean_y) / (sums[3] / sums[0] - mean_x * mean_x);
    *beta = mean_y - *alpha * mean_x;
}

static void test_the_fit_is_least_squares_of_what_the_next_layer_sees(void **state)
{
    (void)state;
    static const char *const specs[] = {"conv 8 3x3, relu, maxpool 2, conv 3 3x3, relu, linear 4",
                                        "conv 8 3x3, relu, conv 3 3x3 stride 2, linear 4",
                                        "conv 8 3x3, relu, conv 3 4x3 valid, linear 4"};
    const cnn_dataset probe = made_images(0, 48);
    for (int c = 0; c < 3; c++) {
        cnn_net *net = made_net(specs[c], 3);
        cnn_merge_options options = from(-1);
        options.keep = 3;
        cnn_merge_plan plan = planned(net, 0, &options);
        float *maps = made_outputs(net, plan.consumer - 1, &probe);
        assert_int_equal(plan.after, 3);
        for (int j = 0; j < 8; j++) {
            double alpha = 1, beta = 0;
            if (plan.into[j] != j)
                plain_fit(&net->layers[plan.consumer], maps, probe.count, j, plan.into[j], &alpha, &beta);
            if (alpha < 0)
                continue; /* the other test looks at these */
            assert_true(fabs(plan.alpha[j] - alpha) < 1e-6);
            assert_true(fabs(plan.beta[j] - beta) < 1e-6);
        }
        free(maps);
        cnn_merge_plan_free(&plan);
        cnn_net_free(net);
    }
}

static void test_a_factor_is_never_negative(void **state)
{
    (void)state;
    cnn_net *net = made_net("conv 2 3x3 valid, conv 3 3x3 valid, linear 4", 3);
    make_copies(&net->layers[0], -1, 0);
    cnn_merge_options options = from(-1);
    cnn_merge_plan plan = planned(net, 0, &options);
    assert_int_equal(plan.after, 1);
    const int gone = plan.into[0] == 0;
    assert_true(plan.alpha[gone] == 0);
    assert_true(plan.beta[gone] != 0); /* its mean */
    cnn_merge_plan_free(&plan);
    cnn_net_free(net);
}

/* The units that a method leaves out, as bits. */
static unsigned gone_units(const cnn_merge_plan *plan)
{
    unsigned bits = 0;
    for (int j = 0; j < plan->before; j++) {
        bits |= plan->into[j] == j ? 0u : 1u << j;
        assert_true(plan->into[j] == j || (plan->into[j] == -1 && plan->alpha[j] == 0 && plan->beta[j] == 0));
        assert_int_equal(plan->group[j], -1);
    }
    return bits;
}

static void test_pruning_by_norm_takes_the_smallest(void **state)
{
    (void)state;
    cnn_net *net = made_net("conv 6 3x3, relu, linear 4", 3);
    static const float scale[] = {3, 0.5f, 2, 0.1f, 1, 5};
    for (size_t i = 0; i < net->layers[0].weight_count; i++)
        net->layers[0].weight[i] = scale[i / 18];
    net->layers[0].bias[3] = 1000; /* does not count */
    cnn_merge_options options = {.method = CNN_MERGE_NORM, .keep = 4, .minimum = 1};
    cnn_merge_plan plan = planned(net, 0, &options);
    assert_int_equal(gone_units(&plan), 1u << 1 | 1u << 3);
    cnn_merge_plan_free(&plan);
    options = (cnn_merge_options){.method = CNN_MERGE_NORM, .most = 3, .minimum = 1};
    plan = planned(net, 0, &options);
    assert_int_equal(gone_units(&plan), 1u << 1 | 1u << 3 | 1u << 4);
    cnn_merge_plan_free(&plan);
    options = (cnn_merge_options){.method = CNN_MERGE_NORM, .keep = 1, .minimum = 5};
    plan = planned(net, 0, &options);
    assert_int_equal(gone_units(&plan), 1u << 3);
    cnn_merge_plan_free(&plan);
    cnn_net_free(net);
}

static void test_a_random_choice_is_that_of_its_seed(void **state)
{
    (void)state;
    cnn_net *net = made_net("conv 16 3x3, relu, linear 4", 3);
    unsigned first = 0;
    int others = 0, seen[16] = {0};
    for (uint64_t seed = 0; seed < 20; seed++) {
        cnn_merge_options options = {.method = CNN_MERGE_RANDOM, .keep = 12, .minimum = 1, .seed = seed};
        cnn_merge_plan plan = planned(net, 0, &options), again = planned(net, 0, &options);
        assert_int_equal(plan.after, 12);
        assert_int_equal(gone_units(&plan), gone_units(&again));
        first = seed ? first : gone_units(&plan);
        others += gone_units(&plan) != first;
        for (int j = 0; j < 16; j++)
            seen[j] += plan.into[j] < 0;
        cnn_merge_plan_free(&plan);
        cnn_merge_plan_free(&again);
    }
    assert_true(others > 15);
    for (int j = 0; j < 16; j++)
        assert_true(seen[j] > 0);
    cnn_net_free(net);
}

static void test_any_number_of_threads_gives_the_same_bits(void **state)
{
    (void)state;
    const cnn_dataset probe = made_images(0, 48);
    cnn_net *net = made_net("conv 20 3x3, relu, conv 6 3x3, relu, linear 4", 3);
    const cnn_merge_options options = from(0.5);
    cnn_merge_plan alone = planned(net, 0, &options), several;
    assert_in_range(alone.after, 1, 19);
    cnn_threads *threads;
    assert_int_equal(cnn_threads_create(2, &threads), CNN_OK);
    assert_int_equal(cnn_merge_plan_make(net, 0, &options, &probe, threads, &several), CNN_OK);
    assert_memory_equal(alone.into, several.into, 20 * sizeof *alone.into);
    assert_memory_equal(alone.alpha, several.alpha, 20 * sizeof *alone.alpha);
    assert_memory_equal(alone.beta, several.beta, 20 * sizeof *alone.beta);
    assert_true(alone.loss_after == several.loss_after);
    cnn_threads_free(threads);
    cnn_merge_plan_free(&alone);
    cnn_merge_plan_free(&several);
    cnn_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_arena_follows_its_formula),
        cmocka_unit_test(test_spec_rates_sources_and_history_follow),
        cmocka_unit_test(test_the_old_network_stays_and_a_plan_without_merges_copies_it),
        cmocka_unit_test(test_the_fit_is_least_squares_of_what_the_next_layer_sees),
        cmocka_unit_test(test_a_factor_is_never_negative),
        cmocka_unit_test(test_pruning_by_norm_takes_the_smallest),
        cmocka_unit_test(test_a_random_choice_is_that_of_its_seed),
        cmocka_unit_test(test_any_number_of_threads_gives_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
