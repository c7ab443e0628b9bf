/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole networks against the reference in double: losses, and gradients against finite differences. */
#include "cmocka_headers.h"
#include "cnn/pass.h"
#include "cnn/status.h"
#include "layers/shapes.h"
#include "reference.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 5, STEP = 3 };

static const struct {
    const char *spec;
    cnn_shape input;
} networks[] = {
    {"linear 4", {2, 3, 3}},
    {"conv 3 3x3, relu, maxpool 2, conv 5 2x3, relu, maxpool 2, linear 9, relu, dropout 0.5, linear 4",
     {2, 8, 9}},
    {"conv 3 3x3 stride 2, dropout 0.3, conv 4 3x3 valid, relu, linear 4", {3, 9, 9}},
    {"dropout 0.2, conv 2 1x1, maxpool 2 stride 1, relu, relu, linear 6, dropout 0, linear 4", {1, 5, 4}},
    {"relu, maxpool 2, linear 7, linear 4", {1, 6, 6}},
    {"conv 3 3x3, dropout 0.3, relu, maxpool 2, dropout 0.2, relu, linear 5, linear 4", {2, 6, 7}},
    {"conv 2 3x3, maxpool 2, relu, maxpool 2, dropout 0.4, linear 4", {2, 8, 8}},
    {"conv 16 2x2, conv 3 3x3, dropout 0.1, relu, linear 4", {1, 5, 6}},
    {"relu, conv 16 3x3, relu, dropout 0.6, conv 16 3x3 valid, relu, linear 4", {1, 4, 5}},
};
enum { NETWORKS = sizeof networks / sizeof networks[0] };

typedef struct fixture {
    cnn_net *net;
    cnn_pass *pass;
    double *parameters;
} fixture;

static fixture set_up(int index, cnn_threads *threads)
{
    fixture f;
    assert_int_equal(cnn_net_create(networks[index].spec, networks[index].input, 4, 11, &f.net), CNN_OK);
    assert_int_equal(cnn_pass_create(f.net, IMAGES, CNN_PASS_TRAIN, threads, &f.pass), CNN_OK);
    reference_fill(21, cnn_pass_images(f.pass), IMAGES * cnn_shape_count(f.net->input));
    for (int i = 0; i < IMAGES; i++)
        cnn_pass_labels(f.pass)[i] = (uint8_t)(i % 4);
    f.parameters = malloc(f.net->parameter_count * sizeof *f.parameters);
    for (size_t i = 0; i < f.net->parameter_count; i++)
        f.parameters[i] = (double)f.net->parameters[i];
    return f;
}

static void tear_down(fixture *f)
{
    cnn_pass_free(f->pass);
    cnn_net_free(f->net);
    free(f->parameters);
}

/* relu and dropout may work in place on the images themselves, so the reference gets a copy. */
static float *images_of(const fixture *f)
{
    const size_t bytes = IMAGES * cnn_shape_count(f->net->input) * sizeof(float);
    float *copy = malloc(bytes);
    memcpy(copy, cnn_pass_images(f->pass), bytes);
    return copy;
}

static void check_losses(void)
{
    for (int index = 0; index < NETWORKS; index++) {
        fixture f = set_up(index, NULL);
        float *images = images_of(&f);
        const double inference =
            reference_loss(f.net, f.parameters, images, cnn_pass_labels(f.pass), IMAGES, 0);
        const double training =
            reference_loss(f.net, f.parameters, images, cnn_pass_labels(f.pass), IMAGES, STEP);
        assert_true(fabs(cnn_pass_forward(f.pass, IMAGES).loss_sum / IMAGES - inference) < 1e-6);
        memcpy(cnn_pass_images(f.pass), images, IMAGES * cnn_shape_count(f.net->input) * sizeof(float));
        assert_true(fabs(cnn_pass_train(f.pass, IMAGES, STEP).loss_sum / IMAGES - training) < 1e-6);
        free(images);
        tear_down(&f);
    }
}

/* Central differences with h = 1e-6 are exact to about 1e-9 here; float32 gradients of these sizes to about
 * 1e-6. */
static void check_gradients(void)
{
    for (int index = 0; index < NETWORKS; index++) {
        fixture f = set_up(index, NULL);
        float *images = images_of(&f);
        cnn_pass_train(f.pass, IMAGES, STEP);
        for (size_t i = 0; i < f.net->parameter_count; i++) {
            const double slope =
                reference_slope(f.net, f.parameters, images, cnn_pass_labels(f.pass), IMAGES, STEP, i);
            if (!(fabs((double)f.net->gradients[i] - slope) <= 2e-6))
                fail_msg("network %d, parameter %zu: gradient %.9g, difference quotient %.9g", index, i,
                         (double)f.net->gradients[i], slope);
        }
        free(images);
        tear_down(&f);
    }
}

static void test_losses(void **state)
{
    (void)state;
    for_each_kernels(check_losses);
}

static void test_gradients(void **state)
{
    (void)state;
    for_each_kernels(check_gradients);
}

static void check_threads(int index, int images)
{
    fixture one = set_up(index, NULL);
    const double loss = cnn_pass_train(one.pass, images, STEP).loss_sum;
    for (int count = 2; count <= 4; count++) {
        cnn_threads *threads;
        assert_int_equal(cnn_threads_create(count, &threads), CNN_OK);
        fixture many = set_up(index, threads);
        assert_true(cnn_pass_train(many.pass, images, STEP).loss_sum == loss);
        assert_memory_equal(many.net->gradients, one.net->gradients,
                            one.net->parameter_count * sizeof(float));
        tear_down(&many);
        cnn_threads_free(threads);
    }
    tear_down(&one);
}

/* Same bits with any number of threads, which share out the images, or each of few. */
static void test_threads_change_no_bit(void **state)
{
    (void)state;
    setenv("CNN_SHARE", "all", 1);
    for (int index = 0; index < NETWORKS; index++) {
        check_threads(index, IMAGES);
        check_threads(index, 1);
    }
}

/* An image's output does not depend on its batch, which one thread takes whole; of one image four take a
 * part. */
static void test_batches_change_no_bit(void **state)
{
    (void)state;
    cnn_threads *threads;
    setenv("CNN_SHARE", "all", 1);
    assert_int_equal(cnn_threads_create(4, &threads), CNN_OK);
    for (int index = 0; index < NETWORKS; index++) {
        fixture whole = set_up(index, NULL), f = set_up(index, threads);
        float *images = images_of(&whole);
        const size_t pixels = cnn_shape_count(f.net->input);
        cnn_pass_forward(whole.pass, IMAGES);
        for (size_t i = 0; i < IMAGES; i++) {
            memcpy(cnn_pass_images(f.pass), images + i * pixels, pixels * sizeof(float));
            cnn_pass_forward(f.pass, 1);
            assert_memory_equal(cnn_pass_logits(f.pass), cnn_pass_logits(whole.pass) + 4 * i,
                                4 * sizeof(float));
        }
        free(images);
        tear_down(&whole);
        tear_down(&f);
    }
    cnn_threads_free(threads);
}

/* A pass for logits keeps less, and comes to the same bits. */
static void test_logits_alone(void **state)
{
    (void)state;
    for (int index = 0; index < NETWORKS; index++) {
        cnn_threads *threads;
        cnn_pass *pass, *with_outputs;
        fixture f = set_up(index, NULL);
        assert_int_equal(cnn_threads_create(3, &threads), CNN_OK);
        assert_int_equal(cnn_pass_create(f.net, IMAGES, CNN_PASS_LOGITS, threads, &pass), CNN_OK);
        assert_int_equal(cnn_pass_create(f.net, IMAGES, CNN_PASS_OUTPUTS, threads, &with_outputs), CNN_OK);
        memcpy(cnn_pass_images(pass), cnn_pass_images(f.pass),
               IMAGES * cnn_shape_count(f.net->input) * sizeof(float));
        memcpy(cnn_pass_labels(pass), cnn_pass_labels(f.pass), IMAGES);
        const double loss = cnn_pass_forward(f.pass, IMAGES).loss_sum;
        assert_true(cnn_pass_forward(pass, IMAGES).loss_sum == loss);
        assert_memory_equal(cnn_pass_logits(pass), cnn_pass_logits(f.pass),
                            IMAGES * (size_t)f.net->classes * sizeof(float));
        assert_true(cnn_pass_bytes(pass) <= cnn_pass_bytes(with_outputs));
        for (int layer = 0; layer < f.net->layer_count; layer++)
            if (f.net->layers[layer].kind == CNN_LINEAR)
                assert_non_null(cnn_pass_output(pass, layer));
        cnn_pass_free(with_outputs);
        cnn_pass_free(pass);
        cnn_threads_free(threads);
        tear_down(&f);
    }
}

/* What nobody asks for afterwards is there for the image at hand only. */
static void test_logits_keep_little(void **state)
{
    (void)state;
    cnn_net *net;
    cnn_pass *pass, *with_outputs;
    assert_int_equal(cnn_net_create(networks[1].spec, networks[1].input, 4, 11, &net), CNN_OK);
    assert_int_equal(cnn_pass_create(net, 500, CNN_PASS_LOGITS, NULL, &pass), CNN_OK);
    assert_int_equal(cnn_pass_create(net, 500, CNN_PASS_OUTPUTS, NULL, &with_outputs), CNN_OK);
    /* At least the outputs of the first convolution, in both layouts. */
    const size_t first = 500 * cnn_shape_count(net->layers[0].out) * sizeof(float);
    assert_true(cnn_pass_bytes(pass) + 2 * first < cnn_pass_bytes(with_outputs));
    assert_null(cnn_pass_output(pass, 0));
    assert_non_null(cnn_pass_output(with_outputs, 0));
    cnn_pass_free(with_outputs);
    cnn_pass_free(pass);
    cnn_net_free(net);
}

/* More threads than images, of one channel or one pixel: the two layouts are one only where both are kept. */
static void test_few_images_of_one_channel(void **state)
{
    (void)state;
    cnn_net *net;
    cnn_threads *threads;
    assert_int_equal(cnn_net_create("conv 1 3x3, relu, maxpool 2, conv 1 2x2, maxpool 2, conv 3 2x2 valid, "
                                    "maxpool 1, linear 4",
                                    (cnn_shape){1, 8, 8}, 4, 11, &net),
                     CNN_OK);
    assert_int_equal(cnn_threads_create(3, &threads), CNN_OK);
    float expected[4];
    for (cnn_pass_use use = CNN_PASS_OUTPUTS; use <= CNN_PASS_LOGITS; use++)
        for (int batch = 1; batch <= 4; batch++) {
            cnn_pass *pass;
            assert_int_equal(cnn_pass_create(net, batch, use, threads, &pass), CNN_OK);
            reference_fill(21, cnn_pass_images(pass), cnn_shape_count(net->input));
            cnn_pass_labels(pass)[0] = 1;
            cnn_pass_forward(pass, 1);
            if (use == CNN_PASS_OUTPUTS && batch == 1)
                memcpy(expected, cnn_pass_logits(pass), sizeof expected);
            assert_memory_equal(cnn_pass_logits(pass), expected, sizeof expected);
            cnn_pass_free(pass);
        }
    cnn_threads_free(threads);
    cnn_net_free(net);
}

static void test_limits(void **state)
{
    (void)state;
    fixture f = set_up(0, NULL);
    cnn_pass *untouched = (cnn_pass *)&f;
    assert_int_equal(cnn_pass_create(f.net, 0, CNN_PASS_TRAIN, NULL, &untouched), CNN_BAD_ARGUMENT);
    assert_non_null(strstr(cnn_message(), "batch"));
    assert_ptr_equal(untouched, &f);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_threads_change_no_bit),
        cmocka_unit_test(test_batches_change_no_bit),
        cmocka_unit_test(test_logits_alone),
        cmocka_unit_test(test_logits_keep_little),
        cmocka_unit_test(test_few_images_of_one_channel),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
