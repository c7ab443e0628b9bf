/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "cnn/random.h"
#include "cnn/status.h"
#include "update.h"
#include <stdlib.h>
#include <string.h>

enum { BATCH = 6, STEPS = 4, CLASSES = 4 };

static const cnn_shape image = {1, 12, 12};

/* A run of layers before two linear ones, of which the first takes several stretches. */
static const char *const spec = "conv 8 3x3, relu, maxpool 2, linear 150, relu, linear 4";

typedef struct training {
    cnn_net *net;
    cnn_optimizer *optimizer;
    cnn_pass *pass;
    cnn_layer_norms norms[8];
} training;

static void set_up(training *t, cnn_optimizer_kind kind, cnn_threads *threads)
{
    const cnn_optimizer_options options = cnn_optimizer_defaults(kind);
    assert_int_equal(cnn_net_create(spec, image, CLASSES, 5, &t->net), CNN_OK);
    assert_int_equal(cnn_optimizer_create(&options, t->net, &t->optimizer), CNN_OK);
    assert_int_equal(cnn_pass_create(t->net, BATCH, CNN_PASS_TRAIN, threads, &t->pass), CNN_OK);
    for (size_t i = 0; i < BATCH * cnn_shape_count(image); i++)
        cnn_pass_images(t->pass)[i] = cnn_random_unit(cnn_random_word(8, CNN_STREAM_PROBE, 0, i));
    for (int i = 0; i < BATCH; i++)
        cnn_pass_labels(t->pass)[i] = (uint8_t)(i % CLASSES);
}

static void tear_down(training *t)
{
    cnn_pass_free(t->pass);
    cnn_optimizer_free(t->optimizer);
    cnn_net_free(t->net);
}

/* Steps in which the pass does what it can of the update beside, and leaves `left` stretches at most. */
static void train_beside(training *t, cnn_threads *threads, int left)
{
    for (uint64_t step = 1; step <= STEPS; step++) {
        cnn_update_step update;
        cnn_batch_part batch = {.whole = BATCH, .share = {0, BATCH}};
        cnn_update_begin(&update, t->optimizer, t->net, 0.01, step);
        cnn_update_beside(&update, &batch);
        cnn_pass_train_part(t->pass, &batch, step);
        assert_int_equal(update.beside.from, 0);
        assert_int_equal(update.beside.to, left);
        cnn_update_finish(&update, threads, t->norms);
    }
}

/* One after the other. */
static void train_apart(training *t)
{
    for (uint64_t step = 1; step <= STEPS; step++) {
        cnn_pass_train(t->pass, BATCH, step);
        cnn_optimizer_step(t->optimizer, t->net, NULL, 0.01, step, t->norms);
    }
}

static void test_stretches_of_layers(void **state)
{
    (void)state;
    cnn_net *net;
    assert_int_equal(cnn_net_create(spec, image, CLASSES, 5, &net), CNN_OK);
    /* 8 * 9 weights; 8 * 6 * 6 * 150 = 43,200 of stretches of 16,384; 150 * 4; and a stretch for each bias.
     */
    const int before[] = {0, 2, 2, 2, 6, 6, 8};
    assert_int_equal(net->layer_count, 6);
    for (int layer = 0; layer <= net->layer_count; layer++)
        assert_int_equal(cnn_update_stretches(net, layer), before[layer]);
    cnn_net_free(net);
}

/* What is updated beside the pass becomes what it would become after it, for any number of threads. */
static void test_beside_or_after_is_the_same(void **state)
{
    (void)state;
    for (cnn_optimizer_kind kind = CNN_SGD; kind <= CNN_ADAM; kind++) {
        training apart;
        set_up(&apart, kind, NULL);
        train_apart(&apart);
        for (int count = 1; count <= 3; count++) {
            training beside;
            cnn_threads *threads;
            assert_int_equal(cnn_threads_create(count, &threads), CNN_OK);
            set_up(&beside, kind, threads);
            /* Those of the convolution are left; by a thread alone all are. */
            train_beside(&beside, threads, count > 1 ? 2 : 8);
            const size_t bytes = apart.net->parameter_count * sizeof(float);
            assert_memory_equal(beside.net->parameters, apart.net->parameters, bytes);
            for (int i = 0; i < apart.optimizer->moment_count; i++)
                assert_memory_equal(beside.optimizer->moments[i], apart.optimizer->moments[i], bytes);
            assert_memory_equal(beside.norms, apart.norms,
                                (size_t)apart.net->layer_count * sizeof *apart.norms);
            tear_down(&beside);
            cnn_threads_free(threads);
        }
        tear_down(&apart);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stretches_of_layers),
        cmocka_unit_test(test_beside_or_after_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
