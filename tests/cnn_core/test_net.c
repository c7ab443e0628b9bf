/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "cnn/net.h"
#include "cnn/status.h"
#include <limits.h>
#include <math.h>
#include <string.h>

static const cnn_shape mnist = {1, 28, 28};

static cnn_net *create(const char *spec, cnn_shape input, int classes, uint64_t seed)
{
    cnn_net *net;
    if (cnn_net_create(spec, input, classes, seed, &net))
        fail_msg("%s: %s", spec, cnn_message());
    return net;
}

static void assert_shape(cnn_shape shape, int c, int h, int w)
{
    assert_int_equal(shape.c, c);
    assert_int_equal(shape.h, h);
    assert_int_equal(shape.w, w);
}

static void test_default_is_the_posters(void **state)
{
    (void)state;
    cnn_net *net = create(CNN_DEFAULT_NET, mnist, 10, 1);
    assert_string_equal(net->spec, CNN_DEFAULT_NET);
    assert_int_equal(net->layer_count, 10);
    assert_shape(cnn_net_layer(net, "conv1")->out, 16, 28, 28);
    assert_shape(cnn_net_layer(net, "pool1")->out, 16, 14, 14);
    assert_shape(cnn_net_layer(net, "conv2")->out, 32, 14, 14);
    assert_shape(cnn_net_layer(net, "pool2")->out, 32, 7, 7);
    assert_shape(cnn_net_layer(net, "fc1")->out, 1024, 1, 1);
    assert_shape(cnn_net_layer(net, "fc2")->out, 10, 1, 1);
    assert_int_equal(net->parameter_count,
                     16 * 9 + 16 + 32 * 16 * 9 + 32 + 1024 * 1568 + 1024 + 10 * 1024 + 10);
    assert_null(cnn_net_layer(net, "conv3"));
    cnn_net_free(net);
}

static void test_windows(void **state)
{
    (void)state;
    const struct {
        const char *spec;
        int c, h, w, pad_top, pad_left;
    } cases[] = {
        {"conv 5 3x3", 5, 11, 8, 1, 1},
        {"conv 5 3x3 valid", 5, 9, 6, 0, 0},
        {"conv 5 4x2", 5, 11, 8, 1, 0},
        {"conv 5 3x3 stride 2", 5, 6, 4, 1, 0},
        {"conv 5 3x3 stride 2 valid", 5, 5, 3, 0, 0},
        {"conv 5 11x8 valid", 5, 1, 1, 0, 0},
        {"conv 5 1x1 stride 3", 5, 4, 3, 0, 0},
        {"maxpool 3", 2, 3, 2, 0, 0},
        {"maxpool 3 stride 1", 2, 9, 6, 0, 0},
        {"maxpool 2x4 stride 2", 2, 5, 3, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char spec[80];
        strcpy(spec, cases[i].spec);
        strcat(spec, ", linear 3");
        cnn_net *net = create(spec, (cnn_shape){2, 11, 8}, 3, 1);
        assert_shape(net->layers[0].out, cases[i].c, cases[i].h, cases[i].w);
        assert_int_equal(net->layers[0].pad_top, cases[i].pad_top);
        assert_int_equal(net->layers[0].pad_left, cases[i].pad_left);
        cnn_net_free(net);
    }
}

/* Parsing what was written gives the same text. */
static void test_text_forms(void **state)
{
    (void)state;
    cnn_net *net =
        create("# the first layer\n conv  16 3x3 same ,\n\nrelu  # clip\nmaxpool 2x2 stride 2,dropout .25\n"
               "conv 4 3x3 stride 2 valid\nlinear 10,\n",
               mnist, 10, 1);
    assert_string_equal(net->spec,
                        "conv 16 3x3, relu, maxpool 2, dropout 0.25, conv 4 3x3 stride 2 valid, linear 10");
    cnn_net *again = create(net->spec, mnist, 10, 1);
    assert_string_equal(again->spec, net->spec);
    cnn_net_free(again);
    cnn_net_free(net);
}

static void test_initial_values(void **state)
{
    (void)state;
    cnn_net *net = create(CNN_DEFAULT_NET, mnist, 10, 42);
    cnn_net *again = create(CNN_DEFAULT_NET, mnist, 10, 42);
    cnn_net *other = create(CNN_DEFAULT_NET, mnist, 10, 43);
    const size_t bytes = net->parameter_count * sizeof(float);
    assert_memory_equal(net->parameters, again->parameters, bytes);
    assert_memory_equal(net->parameters, net->initial, bytes);
    assert_memory_not_equal(net->parameters, other->parameters, bytes);
    for (int i = 0; i < net->layer_count; i++) {
        const cnn_layer *layer = &net->layers[i];
        if (!cnn_layer_has_parameters(layer))
            continue;
        const double bound = 1 / sqrt((double)(layer->weight_count / layer->bias_count));
        double sum = 0, squares = 0;
        for (size_t w = 0; w < layer->weight_count; w++) {
            assert_true(fabs((double)layer->weight[w]) <= bound * (1 + 1e-6));
            sum += (double)layer->weight[w];
            squares += (double)layer->weight[w] * (double)layer->weight[w];
        }
        /* A uniform variable has variance bound^2 / 3; its mean and mean square over n values lie within 5
         * standard errors: bound / sqrt(3 n) and 2 bound^2 / sqrt(45 n). */
        const double n = (double)layer->weight_count;
        assert_true(fabs(sum / n) < 5 * bound / sqrt(3 * n));
        assert_true(fabs(squares / n - bound * bound / 3) < 5 * 2 * bound * bound / sqrt(45 * n));
    }
    cnn_net_free(net);
    cnn_net_free(again);
    cnn_net_free(other);
}

static void test_bad_specifications_are_named(void **state)
{
    (void)state;
    const struct {
        const char *spec, *words;
    } cases[] = {
        {"", "no layers"},
        {"  # nothing", "no layers"},
        {"conv 16 3x3, gelu, linear 10", "layer 2: unknown layer \"gelu\""},
        {"conv, linear 10", "layer 1 (conv): number of filters is missing"},
        {"conv 16, linear 10", "kernel"},
        {"conv 16 3, linear 10", "ROWSxCOLUMNS"},
        {"conv 0 3x3, linear 10", "number of filters"},
        {"conv 16 3x0, linear 10", "kernel"},
        {"conv 1e3 3x3, linear 10", "1e3"},
        {"conv 16 3x3 stride 0, linear 10", "stride"},
        {"conv 16 3x3 strid 2, linear 10", "unexpected \"strid\""},
        {"conv 16 99x99, linear 10", "conv1\": kernel 99x99 exceeds its input 28x28"},
        {"maxpool 29, linear 10", "pool1\": kernel 29x29 exceeds its input 28x28"},
        {"maxpool 2x3, linear 10", "needs a stride"},
        {"dropout 1, linear 10", "dropout"},
        {"dropout nan, linear 10", "dropout"},
        {"dropout, linear 10", "missing"},
        {"linear 9", "9 outputs, but there are 10 classes"},
        {"linear 10, relu", "must be linear 10"},
        {"conv 10 3x3", "must be linear 10"},
        {"conv 16 3x3,, linear 10", "layer 2 is empty"},
        {"linear 1048577", "1048577"},
        {"linear 1048576, linear 1048576, linear 10", "at most 2147483648"},
        {"conv 16 3x3 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, linear 10", "layer 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cnn_net *untouched = (cnn_net *)&state;
        assert_int_equal(cnn_net_create(cases[i].spec, mnist, 10, 1, &untouched), CNN_BAD_ARGUMENT);
        if (!strstr(cnn_message(), cases[i].words))
            fail_msg("\"%s\" gave: %s", cases[i].spec, cnn_message());
        assert_null(strchr(cnn_message(), '\n'));
        assert_ptr_equal(untouched, &state);
    }
}

/* As a foreign file may tell them: none may overflow. */
static void test_bad_inputs_are_named(void **state)
{
    (void)state;
    const cnn_shape inputs[] = {{0, 28, 28},      {1, -1, 28},           {1, INT_MAX, INT_MAX},
                                {1, 1048577, 28}, {1, 1 << 20, 1 << 20}, {1 << 20, 1 << 20, 1 << 20}};
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        cnn_net *untouched = (cnn_net *)&state;
        size_t count = 7;
        assert_int_equal(cnn_net_create("linear 10", inputs[i], 10, 1, &untouched), CNN_BAD_ARGUMENT);
        assert_non_null(strstr(cnn_message(), "net: input "));
        assert_int_equal(cnn_net_measure("linear 10", inputs[i], 10, &count), CNN_BAD_ARGUMENT);
        assert_ptr_equal(untouched, &state);
        assert_int_equal(count, 7);
    }
}

static void test_a_network_is_measured_before_it_is_made(void **state)
{
    (void)state;
    size_t count;
    assert_int_equal(cnn_net_measure("conv 4 3x3 valid, relu, linear 10", mnist, 10, &count), CNN_OK);
    assert_int_equal(count, 4 * 9 + 4 + 10 * 4 * 26 * 26 + 10);
    assert_int_equal(cnn_net_measure("linear 1048576, linear 2046, linear 10", mnist, 10, &count),
                     CNN_BAD_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_is_the_posters),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_text_forms),
        cmocka_unit_test(test_initial_values),
        cmocka_unit_test(test_bad_specifications_are_named),
        cmocka_unit_test(test_bad_inputs_are_named),
        cmocka_unit_test(test_a_network_is_measured_before_it_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
