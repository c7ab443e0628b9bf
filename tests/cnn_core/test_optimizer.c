/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "cnn/optimizer.h"
#include "cnn/status.h"
#include "layers/shapes.h"
#include "reference.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 20 };
static const double rate = 0.01, decay = 0.1;

static cnn_net *create_net(void)
{
    cnn_net *net;
    /* 20,000 and more parameters in one tensor: more than one stretch, and one that is not full. */
    assert_int_equal(cnn_net_create("conv 3 2x2, linear 70, linear 3", (cnn_shape){2, 10, 11}, 3, 5, &net),
                     CNN_OK);
    return net;
}

/* The methods from their papers, in double, for one parameter. */
typedef struct reference {
    double w, m, v;
} reference;

static void reference_step(cnn_optimizer_kind kind, reference *r, double g, int t)
{
    g += decay * r->w;
    switch (kind) {
    case CNN_SGD:
        r->w -= rate * g;
        break;
    case CNN_MOMENTUM:
        r->m = 0.9 * r->m + g;
        r->w -= rate * r->m;
        break;
    case CNN_ADAM:
        r->m = 0.9 * r->m + 0.1 * g;
        r->v = 0.999 * r->v + 0.001 * g * g;
        r->w -= rate * (r->m / (1 - pow(0.9, t))) / (sqrt(r->v / (1 - pow(0.999, t))) + 1e-8);
        break;
    }
}

static cnn_optimizer *create_optimizer(cnn_optimizer_kind kind, const cnn_net *net)
{
    cnn_optimizer_options options = cnn_optimizer_defaults(kind);
    options.weight_decay = decay;
    cnn_optimizer *optimizer;
    assert_int_equal(cnn_optimizer_create(&options, net, &optimizer), CNN_OK);
    return optimizer;
}

static void check_methods(void)
{
    for (cnn_optimizer_kind kind = CNN_SGD; kind <= CNN_ADAM; kind++) {
        cnn_net *net = create_net();
        cnn_optimizer *optimizer = create_optimizer(kind, net);
        reference *references = calloc(net->parameter_count, sizeof *references);
        for (size_t i = 0; i < net->parameter_count; i++)
            references[i].w = (double)net->parameters[i];
        cnn_layer_norms norms[3];
        for (int t = 1; t <= STEPS; t++) {
            reference_fill((uint64_t)t, net->gradients, net->parameter_count);
            for (size_t i = 0; i < net->parameter_count; i++)
                reference_step(kind, &references[i], (double)net->gradients[i], t);
            cnn_optimizer_step(optimizer, net, NULL, rate, (uint64_t)t, norms);
        }
        /* Every step rounds a weight of size below 1 by at most 2^-24, and the moments relatively as much. */
        for (size_t i = 0; i < net->parameter_count; i++)
            assert_true(fabs((double)net->parameters[i] - references[i].w) < STEPS * 4 * 0x1p-24);
        free(references);
        cnn_optimizer_free(optimizer);
        cnn_net_free(net);
    }
}

static void test_methods_follow_their_papers(void **state)
{
    (void)state;
    for_each_kernels(check_methods);
}

static double norm_of(const float *values, const float *minus, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        const double v = (double)values[i] - (minus ? (double)minus[i] : 0);
        sum += v * v;
    }
    return sqrt(sum);
}

static void check_norms(void)
{
    for (cnn_optimizer_kind kind = CNN_SGD; kind <= CNN_ADAM; kind++) {
        cnn_net *net = create_net();
        cnn_optimizer *optimizer = create_optimizer(kind, net);
        reference_fill(9, net->gradients, net->parameter_count);
        cnn_layer_norms norms[3];
        cnn_optimizer_step(optimizer, net, NULL, rate, 1, norms);
        for (int i = 0; i < 3; i++) {
            const cnn_layer *l = &net->layers[i];
            const double weight = norm_of(l->weight, NULL, l->weight_count);
            const double gradient = norm_of(l->weight_gradient, NULL, l->weight_count);
            const double distance = norm_of(l->weight, l->weight_initial, l->weight_count);
            assert_true(fabs(norms[i].weight - weight) <= 1e-13 * weight);
            assert_true(fabs(norms[i].gradient - gradient) <= 1e-13 * gradient);
            assert_true(fabs(norms[i].distance - distance) <= 1e-13 * distance);
        }
        cnn_optimizer_free(optimizer);
        cnn_net_free(net);
    }
}

static void test_norms_equal_an_independent_sum(void **state)
{
    (void)state;
    for_each_kernels(check_norms);
}

static void test_threads_change_no_bit(void **state)
{
    (void)state;
    cnn_net *nets[2] = {create_net(), create_net()};
    cnn_threads *threads;
    assert_int_equal(cnn_threads_create(3, &threads), CNN_OK);
    cnn_layer_norms norms[2][3];
    for (int i = 0; i < 2; i++) {
        cnn_optimizer *optimizer = create_optimizer(CNN_ADAM, nets[i]);
        reference_fill(9, nets[i]->gradients, nets[i]->parameter_count);
        cnn_optimizer_step(optimizer, nets[i], i ? threads : NULL, rate, 1, norms[i]);
        cnn_optimizer_free(optimizer);
    }
    assert_memory_equal(nets[0]->parameters, nets[1]->parameters, nets[0]->parameter_count * sizeof(float));
    assert_memory_equal(norms[0], norms[1], sizeof norms[0]);
    cnn_threads_free(threads);
    cnn_net_free(nets[0]);
    cnn_net_free(nets[1]);
}

static void test_bad_options_are_named(void **state)
{
    (void)state;
    cnn_net *net = create_net();
    const struct {
        size_t offset;
        double value;
        const char *words;
    } cases[] = {
        {offsetof(cnn_optimizer_options, momentum), 1, "momentum"},
        {offsetof(cnn_optimizer_options, beta1), -0.1, "beta1"},
        {offsetof(cnn_optimizer_options, beta2), NAN, "beta2"},
        {offsetof(cnn_optimizer_options, epsilon), 0, "epsilon"},
        {offsetof(cnn_optimizer_options, weight_decay), -1, "weight decay"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cnn_optimizer_options options = cnn_optimizer_defaults(CNN_ADAM);
        memcpy((char *)&options + cases[i].offset, &cases[i].value, sizeof(double));
        cnn_optimizer *untouched = (cnn_optimizer *)&options;
        assert_int_equal(cnn_optimizer_create(&options, net, &untouched), CNN_BAD_ARGUMENT);
        assert_non_null(strstr(cnn_message(), cases[i].words));
        assert_ptr_equal(untouched, &options);
    }
    cnn_net_free(net);
}

static void test_names(void **state)
{
    (void)state;
    for (cnn_optimizer_kind kind = CNN_SGD; kind <= CNN_ADAM; kind++) {
        cnn_optimizer_kind parsed;
        assert_int_equal(cnn_optimizer_parse(cnn_optimizer_name(kind), &parsed), CNN_OK);
        assert_int_equal(parsed, kind);
    }
    cnn_optimizer_kind untouched = CNN_ADAM;
    assert_int_equal(cnn_optimizer_parse("adamw", &untouched), CNN_BAD_ARGUMENT);
    assert_non_null(strstr(cnn_message(), "adamw"));
    assert_string_equal(cnn_optimizer_moment_name(CNN_ADAM, 1), "exp_avg_sq");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_methods_follow_their_papers),
        cmocka_unit_test(test_norms_equal_an_independent_sum),
        cmocka_unit_test(test_threads_change_no_bit),
        cmocka_unit_test(test_bad_options_are_named),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
