/* SPDX-License-Identifier: BSD-3-Clause */
/* A trainer that goes on with another network between two steps. */
#include "cmocka_headers.h"
#include "cnn/random.h"
#include "cnn/status.h"
#include "cnn/trainer.h"
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 11, SIDE = 6, PIXELS = SIDE * SIDE, CLASSES = 3, HALF = 7, ALL = 16 };

static const char *const wide = "conv 3 3x3, relu, maxpool 2, dropout 0.4, linear 3",
                         *const narrow = "conv 2 3x3, relu, maxpool 2, dropout 0.4, linear 3";

typedef struct fixture {
    uint8_t pixels[IMAGES * PIXELS], labels[IMAGES];
    cnn_dataset set;
    cnn_net *net;
    cnn_trainer *trainer;
} fixture;

static void good(int status)
{
    if (status)
        fail_msg("%s", cnn_message());
}

static void set_up(fixture *f, const char *spec, cnn_optimizer_kind kind)
{
    for (int i = 0; i < IMAGES; i++) {
        f->labels[i] = (uint8_t)(i % CLASSES);
        for (int p = 0; p < PIXELS; p++)
            f->pixels[i * PIXELS + p] =
                (uint8_t)cnn_random_word(3, CNN_STREAM_PROBE, (uint64_t)i, (uint64_t)p);
    }
    f->set = (cnn_dataset){.count = IMAGES,
                           .shape = {1, SIDE, SIDE},
                           .classes = CLASSES,
                           .pixels = f->pixels,
                           .labels = f->labels};
    const cnn_trainer_options options = {.optimizer = cnn_optimizer_defaults(kind),
                                         .schedule = {.kind = CNN_CONSTANT},
                                         .learning_rate = 0.01,
                                         .total_steps = ALL,
                                         .batch = 4};
    good(cnn_net_create(spec, f->set.shape, CLASSES, 4, &f->net));
    good(cnn_trainer_create(&options, f->net, &f->set, NULL, &f->trainer));
}

static void tear_down(fixture *f)
{
    cnn_trainer_free(f->trainer);
    cnn_net_free(f->net);
}

static void train(cnn_trainer *trainer, uint64_t until)
{
    while (trainer->step < until)
        good(cnn_trainer_step(trainer, NULL, NULL));
}

/* A network and an optimiser with values of their own: number `salt` of them. */
static void make(const fixture *f, const char *spec, cnn_optimizer_kind kind, uint64_t salt, cnn_net **net,
                 cnn_optimizer **optimizer)
{
    const cnn_optimizer_options options = cnn_optimizer_defaults(kind);
    good(cnn_net_create(spec, f->set.shape, CLASSES, 4, net));
    good(cnn_optimizer_create(&options, *net, optimizer));
    for (size_t i = 0; i < (*net)->parameter_count; i++) {
        for (int m = 0; m < (*optimizer)->moment_count; m++)
            (*optimizer)->moments[m][i] =
                0.001f * (float)(cnn_random_word(salt, CNN_STREAM_PROBE, 1 + (uint64_t)m, i) % 100);
        (*net)->parameters[i] += 0.001f * (float)(cnn_random_word(salt, CNN_STREAM_PROBE, 0, i) % 100);
    }
}

static void assert_same(const fixture *a, const fixture *b)
{
    const size_t size = a->net->parameter_count * sizeof(float);
    assert_int_equal(a->net->parameter_count, b->net->parameter_count);
    assert_memory_equal(a->net->parameters, b->net->parameters, size);
    for (int m = 0; m < a->trainer->optimizer->moment_count; m++)
        assert_memory_equal(a->trainer->optimizer->moments[m], b->trainer->optimizer->moments[m], size);
}

/* Goes on after step HALF with narrower layers: the same bits as a trainer that never had wider ones and is
 * put at that step with the same values. The knobs that were turned before it stay. */
static void test_the_rest_is_that_of_the_other_network(void **state)
{
    (void)state;
    const cnn_optimizer_kind kinds[] = {CNN_SGD, CNN_MOMENTUM, CNN_ADAM};
    for (size_t k = 0; k < 3; k++) {
        fixture replaced, fresh;
        cnn_net *net;
        cnn_optimizer *optimizer;
        set_up(&replaced, wide, kinds[k]);
        train(replaced.trainer, 2);
        good(cnn_trainer_set_batch(replaced.trainer, 5));
        good(cnn_trainer_set_learning_rate(replaced.trainer, 0.02));
        good(cnn_trainer_set_dropout(replaced.trainer, 0.1));
        train(replaced.trainer, HALF);
        make(&replaced, narrow, kinds[k], 9, &net, &optimizer);
        cnn_net *before = replaced.net;
        good(cnn_trainer_replace(replaced.trainer, net, optimizer));
        cnn_net_free(before);
        replaced.net = net;
        assert_int_equal(replaced.trainer->step, HALF);

        set_up(&fresh, narrow, kinds[k]);
        const cnn_trainer_options options = fresh.trainer->options;
        tear_down(&fresh);
        make(&fresh, narrow, kinds[k], 9, &fresh.net, &optimizer);
        good(cnn_trainer_create(&options, fresh.net, &fresh.set, NULL, &fresh.trainer));
        cnn_optimizer_free(fresh.trainer->optimizer);
        fresh.trainer->optimizer = optimizer;
        fresh.trainer->step = 2;
        good(cnn_trainer_set_batch(fresh.trainer, 5));
        good(cnn_trainer_set_learning_rate(fresh.trainer, 0.02));
        good(cnn_trainer_set_dropout(fresh.trainer, 0.1));
        fresh.trainer->step = HALF;

        train(replaced.trainer, ALL);
        train(fresh.trainer, ALL);
        assert_same(&replaced, &fresh);
        assert_memory_equal(replaced.trainer->norms, fresh.trainer->norms,
                            (size_t)net->layer_count * sizeof *fresh.trainer->norms);
        tear_down(&replaced);
        tear_down(&fresh);
    }
}

/* The norms of the last step can still be told. */
static void test_norms_stay_those_of_the_last_step(void **state)
{
    (void)state;
    fixture f;
    cnn_net *net;
    cnn_optimizer *optimizer;
    set_up(&f, wide, CNN_ADAM);
    train(f.trainer, HALF);
    const double weight = f.trainer->norms[0].weight;
    make(&f, narrow, CNN_ADAM, 1, &net, &optimizer);
    good(cnn_trainer_replace(f.trainer, net, optimizer));
    assert_true(weight > 0 && f.trainer->norms[0].weight == weight);
    cnn_net_free(f.net);
    f.net = net;
    tear_down(&f);
}

static void test_what_does_not_fit_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *spec;
        cnn_optimizer_kind kind;
        const char *words;
    } bad[] = {
        {"conv 2 3x3, relu, dropout 0.4, linear 3", CNN_ADAM, "4 layers, the one before has 5"},
        {"conv 2 3x3, maxpool 2, relu, dropout 0.4, linear 3", CNN_ADAM, "\"pool1\", it was \"relu1\""},
        {"conv 2 3x3, relu, maxpool 2, dropout 0.4, linear 3", CNN_MOMENTUM, "is momentum, it was adam"},
    };
    fixture f;
    set_up(&f, wide, CNN_ADAM);
    train(f.trainer, 3);
    const cnn_trainer before = *f.trainer;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cnn_net *net;
        cnn_optimizer *optimizer;
        make(&f, bad[i].spec, bad[i].kind, 1, &net, &optimizer);
        assert_int_equal(cnn_trainer_replace(f.trainer, net, optimizer), CNN_BAD_ARGUMENT);
        if (!strstr(cnn_message(), bad[i].words))
            fail_msg("\"%s\" does not tell \"%s\"", cnn_message(), bad[i].words);
        assert_memory_equal(f.trainer, &before, sizeof before);
        cnn_optimizer_free(optimizer);
        cnn_net_free(net);
    }
    cnn_net *net;
    cnn_optimizer *optimizer;
    make(&f, wide, CNN_ADAM, 1, &net, &optimizer);
    cnn_net_free(net);
    good(cnn_net_create(narrow, f.set.shape, CLASSES, 4, &net));
    assert_int_equal(cnn_trainer_replace(f.trainer, net, optimizer), CNN_BAD_ARGUMENT);
    assert_non_null(strstr(cnn_message(), "parameters, the network has"));
    cnn_net_free(net);
    good(cnn_net_create(narrow, (cnn_shape){1, SIDE, SIDE + 1}, CLASSES, 4, &net));
    assert_int_equal(cnn_trainer_replace(f.trainer, net, optimizer), CNN_BAD_ARGUMENT);
    assert_memory_equal(f.trainer, &before, sizeof before);
    cnn_net_free(net);
    cnn_optimizer_free(optimizer);
    train(f.trainer, ALL);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_rest_is_that_of_the_other_network),
        cmocka_unit_test(test_norms_stay_those_of_the_last_step),
        cmocka_unit_test(test_what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
