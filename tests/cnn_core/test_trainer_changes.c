/* SPDX-License-Identifier: BSD-3-Clause */
/* What is changed in a trainer between two steps. */
#include "cmocka_headers.h"
#include "cnn/checkpoint.h"
#include "cnn/random.h"
#include "cnn/status.h"
#include "cnn/trainer.h"
#include "reference.h"
#include "scratch.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 11, SIDE = 6, PIXELS = SIDE * SIDE, CLASSES = 3 };

static const char *const with_dropout = "conv 2 3x3, relu, maxpool 2, dropout 0.4, linear 3";

/* Images of noise; the first pixel of each is its number. */
typedef struct fixture {
    uint8_t pixels[IMAGES * PIXELS], labels[IMAGES];
    cnn_dataset set;
    cnn_net *net;
    cnn_trainer *trainer;
} fixture;

static void set_up(fixture *f, const char *spec, cnn_optimizer_kind kind, uint32_t batch)
{
    for (int i = 0; i < IMAGES; i++) {
        f->labels[i] = (uint8_t)(i % CLASSES);
        for (int p = 0; p < PIXELS; p++)
            f->pixels[i * PIXELS + p] =
                p ? (uint8_t)cnn_random_word(3, CNN_STREAM_PROBE, (uint64_t)i, (uint64_t)p) : (uint8_t)i;
    }
    f->set = (cnn_dataset){.count = IMAGES,
                           .shape = {1, SIDE, SIDE},
                           .classes = CLASSES,
                           .pixels = f->pixels,
                           .labels = f->labels};
    const cnn_trainer_options options = {.optimizer = cnn_optimizer_defaults(kind),
                                         .schedule = {.kind = CNN_CONSTANT},
                                         .learning_rate = 0.01,
                                         .total_steps = 30,
                                         .batch = batch};
    assert_int_equal(cnn_net_create(spec, f->set.shape, CLASSES, 4, &f->net), CNN_OK);
    if (cnn_trainer_create(&options, f->net, &f->set, NULL, &f->trainer))
        fail_msg("%s", cnn_message());
}

static void tear_down(fixture *f)
{
    cnn_trainer_free(f->trainer);
    cnn_net_free(f->net);
}

static void good(int status)
{
    if (status)
        fail_msg("%s", cnn_message());
}

/* The changes of one training, at the steps after which they are made. */
typedef struct change {
    int after;
    uint32_t batch; /* 0: as it was; so for all below where negative */
    double rate, momentum, decay, dropout;
    const char *schedule; /* NULL: as it was */
} change;

static const change changes[] = {
    {.after = 2, .batch = 3, .rate = 0.006, .momentum = -1, .decay = 0.03, .dropout = -1},
    {.after = 5, .batch = 7, .rate = -1, .momentum = 0.5, .decay = -1, .dropout = 0.1},
    {.after = 6,
     .rate = -1,
     .momentum = -1,
     .decay = -1,
     .dropout = 0,
     .schedule = "step,every=3,factor=0.5"},
    {.after = 9, .batch = 11, .rate = 0.003, .momentum = 0, .decay = 0, .dropout = 0.3},
    {.after = 10,
     .batch = 2,
     .rate = 0.002,
     .momentum = 0.95,
     .decay = 0.01,
     .dropout = -1,
     .schedule = "constant"},
};

static const change *change_after(int step)
{
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        if (changes[i].after == step)
            return &changes[i];
    return NULL;
}

static void apply(cnn_trainer *trainer, const change *c)
{
    if (!c)
        return;
    if (c->batch)
        good(cnn_trainer_set_batch(trainer, c->batch));
    if (c->rate >= 0)
        good(cnn_trainer_set_learning_rate(trainer, c->rate));
    if (c->momentum >= 0)
        good(cnn_trainer_set_momentum(trainer, c->momentum));
    if (c->decay >= 0)
        good(cnn_trainer_set_weight_decay(trainer, c->decay));
    if (c->dropout >= 0)
        good(cnn_trainer_set_dropout(trainer, c->dropout));
    cnn_schedule schedule;
    if (c->schedule && !cnn_schedule_parse(c->schedule, &schedule))
        good(cnn_trainer_set_schedule(trainer, &schedule));
}

/* A training that is written down independently: it deals the images of an epoch out until there are none
 * left; losses by nested loops in double, gradients by difference quotients, the update by its formula. */
static void test_changes_against_a_naive_training(void **state)
{
    (void)state;
    const cnn_optimizer_kind kinds[] = {CNN_MOMENTUM, CNN_ADAM};
    for (size_t k = 0; k < 2; k++) {
        const int adam = kinds[k] == CNN_ADAM;
        fixture f;
        set_up(&f, with_dropout, kinds[k], 4);
        const size_t count = f.net->parameter_count;
        double *w = calloc(count, sizeof *w), *m = calloc(count, sizeof *m), *v = calloc(count, sizeof *v),
               *g = calloc(count, sizeof *g);
        for (size_t i = 0; i < count; i++)
            w[i] = (double)f.net->parameters[i];
        double rate = 0.01, mu = 0.9, decay = 0, halved = 0;
        int batch = 4, dealt = IMAGES, epoch = -1;
        uint32_t order[IMAGES];
        for (int t = 1; t <= 16; t++) {
            const change *c = change_after(t - 1);
            apply(f.trainer, c);
            if (c && c->batch)
                batch = (int)c->batch;
            if (c && c->rate >= 0)
                rate = c->rate;
            if (c && c->momentum >= 0)
                mu = c->momentum;
            if (c && c->decay >= 0)
                decay = c->decay;
            if (c && c->schedule)
                halved = c->schedule[0] == 's';
            if (dealt == IMAGES) {
                dealt = 0;
                cnn_random_order(f.net->seed, CNN_STREAM_SHUFFLE, (uint64_t)++epoch, order, IMAGES);
            }
            float images[IMAGES * PIXELS];
            uint8_t labels[IMAGES], dealt_before = (uint8_t)dealt;
            int n = 0;
            for (; n < batch && dealt < IMAGES; n++, dealt++) {
                labels[n] = f.labels[order[dealt]];
                for (int p = 0; p < PIXELS; p++)
                    images[n * PIXELS + p] = (float)f.pixels[order[dealt] * PIXELS + (uint32_t)p] / 255.0f;
            }
            /* The reference's dropout reads the rate of the layer: the trainer's setter has set it. */
            const double loss = reference_loss(f.net, w, images, labels, n, (uint64_t)t);
            for (size_t i = 0; i < count; i++)
                g[i] = reference_slope(f.net, w, images, labels, n, (uint64_t)t, i) + decay * w[i];
            const double lr = rate * (halved ? pow(0.5, (t - 1) / 3) : 1);
            for (size_t i = 0; i < count; i++) {
                m[i] = adam ? mu * m[i] + (1 - mu) * g[i] : mu * m[i] + g[i];
                v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
                w[i] -= adam ? lr * (m[i] / (1 - pow(mu, t))) / (sqrt(v[i] / (1 - pow(0.999, t))) + 1e-8)
                             : lr * m[i];
            }
            cnn_step step;
            good(cnn_trainer_step(f.trainer, NULL, &step));
            for (int i = 0; i < n; i++)
                assert_int_equal((int)lrintf(cnn_pass_images(f.trainer->pass)[i * PIXELS] * 255),
                                 order[dealt_before + i]);
            assert_true(step.learning_rate == lr);
            assert_int_equal(step.epoch == floor(step.epoch), dealt == IMAGES);
            if (dealt == IMAGES)
                assert_true(step.epoch == epoch + 1);
            if (!(fabs(step.loss - loss) <= 1e-5))
                fail_msg("%s, step %d: loss %.9g, reference %.9g", cnn_optimizer_name(kinds[k]), t, step.loss,
                         loss);
        }
        assert_true(epoch >= 3);
        free(w);
        free(m);
        free(v);
        free(g);
        tear_down(&f);
    }
}

static void train(cnn_trainer *trainer, int until, int with_changes)
{
    while (trainer->step < (uint64_t)until) {
        if (with_changes)
            apply(trainer, change_after((int)trainer->step));
        good(cnn_trainer_step(trainer, NULL, NULL));
    }
}

/* A training that is begun again at some step by another trainer, which learns of the changes before by
 * making them at their steps, ends with the same bits. */
static void test_trainers_glued_together(void **state)
{
    (void)state;
    fixture whole;
    set_up(&whole, with_dropout, CNN_ADAM, 4);
    train(whole.trainer, 20, 1);
    for (int at = 1; at < 20; at++) {
        fixture first, second;
        set_up(&first, with_dropout, CNN_ADAM, 4);
        train(first.trainer, at, 1);
        const char *path = scratch_path("glued.safetensors");
        good(cnn_checkpoint_save(path, first.net, first.trainer->optimizer, first.trainer->step));
        tear_down(&first);

        set_up(&second, with_dropout, CNN_ADAM, 4);
        cnn_safetensors *file;
        good(cnn_safetensors_open(path, &file));
        good(cnn_checkpoint_load(file, second.net, NULL, NULL));
        good(cnn_checkpoint_load_optimizer(file, second.net, second.trainer->optimizer));
        cnn_safetensors_close(file);
        for (int step = 0; step < at; step++) {
            second.trainer->step = (uint64_t)step;
            apply(second.trainer, change_after(step));
        }
        second.trainer->step = (uint64_t)at;
        train(second.trainer, 20, 1);
        assert_memory_equal(whole.net->parameters, second.net->parameters,
                            whole.net->parameter_count * sizeof(float));
        tear_down(&second);
    }
    tear_down(&whole);
}

/* Memory for more images than a batch has changes no bit, and a batch that was changed before the first step
 * is one that it began with. */
static void test_a_batch_from_the_start(void **state)
{
    (void)state;
    fixture made, turned;
    set_up(&made, with_dropout, CNN_MOMENTUM, 3);
    set_up(&turned, with_dropout, CNN_MOMENTUM, 11);
    good(cnn_trainer_set_batch(turned.trainer, 3));
    train(made.trainer, 15, 0);
    for (int i = 0; i < 15; i++) {
        cnn_step step;
        good(cnn_trainer_step(turned.trainer, NULL, &step));
        assert_true(step.epoch == step.step / 4.0);
    }
    assert_memory_equal(made.net->parameters, turned.net->parameters,
                        made.net->parameter_count * sizeof(float));
    tear_down(&made);
    tear_down(&turned);
}

/* What a refused change must leave as it was. */
typedef struct kept {
    cnn_trainer trainer;
    cnn_optimizer_options optimizer;
    float dropout;
} kept;

static kept keep(const fixture *f)
{
    const cnn_layer *dropout = cnn_net_layer(f->net, "drop1");
    return (kept){*f->trainer, f->trainer->optimizer->options, dropout ? dropout->rate : 0};
}

static void assert_refused(const fixture *f, const kept *before, int status, const char *words)
{
    assert_int_equal(status, CNN_BAD_ARGUMENT);
    if (!strstr(cnn_message(), words) || strchr(cnn_message(), '\n'))
        fail_msg("\"%s\" is no line with \"%s\"", cnn_message(), words);
    const kept now = keep(f);
    assert_memory_equal(&now.trainer, &before->trainer, sizeof now.trainer);
    assert_memory_equal(&now.optimizer, &before->optimizer, sizeof now.optimizer);
    assert_true(now.dropout == before->dropout);
}

static void test_what_is_out_of_range_is_refused(void **state)
{
    (void)state;
    const double bad[] = {-1, -1e-300, NAN, INFINITY, -INFINITY, 1e308};
    fixture f;
    set_up(&f, with_dropout, CNN_ADAM, 4);
    train(f.trainer, 2, 0);
    const kept before = keep(&f);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (bad[i] < 1e308 || !isfinite(bad[i]))
            assert_refused(&f, &before, cnn_trainer_set_learning_rate(f.trainer, bad[i]), "learning rate");
        assert_refused(&f, &before, cnn_trainer_set_momentum(f.trainer, bad[i]), "beta1");
        assert_refused(&f, &before, cnn_trainer_set_weight_decay(f.trainer, bad[i]), "weight decay");
        assert_refused(&f, &before, cnn_trainer_set_dropout(f.trainer, bad[i]), "dropout");
    }
    assert_refused(&f, &before, cnn_trainer_set_learning_rate(f.trainer, 0), "0 is not");
    /* Nearly 1 is 1 in float32. */
    assert_refused(&f, &before, cnn_trainer_set_momentum(f.trainer, 1 - 1e-12), "float32");
    assert_refused(&f, &before, cnn_trainer_set_dropout(f.trainer, 1 - 1e-12), "dropout");
    assert_refused(&f, &before, cnn_trainer_set_batch(f.trainer, 0), "0 is not in 1..11");
    assert_refused(&f, &before, cnn_trainer_set_batch(f.trainer, 12), "12 is not in 1..11");
    const cnn_schedule schedules[] = {{.kind = CNN_STEPWISE, .every = 0, .factor = 0.5},
                                      {.kind = CNN_STEPWISE, .every = 1, .factor = NAN},
                                      {.kind = CNN_COSINE, .floor = 1.5},
                                      {.kind = (cnn_schedule_kind)7}};
    for (size_t i = 0; i < sizeof schedules / sizeof *schedules; i++)
        assert_refused(&f, &before, cnn_trainer_set_schedule(f.trainer, &schedules[i]), "schedule: ");
    tear_down(&f);
}

static void test_what_is_not_there_is_refused(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, "conv 2 3x3, relu, linear 3", CNN_SGD, 4);
    const kept before = keep(&f);
    assert_refused(&f, &before, cnn_trainer_set_momentum(f.trainer, 0.5), "sgd has none");
    assert_refused(&f, &before, cnn_trainer_set_dropout(f.trainer, 0.5), "no such layer");
    tear_down(&f);
}

/* A batch for which there can be no memory: 2^40 values are the most of a pass. */
static void test_a_batch_without_memory_is_refused(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, "conv 512 3x3, relu, linear 3", CNN_SGD, 4);
    cnn_dataset vast = f.set;
    vast.count = 60 * 1000 * 1000;
    const cnn_trainer_options options = f.trainer->options;
    cnn_trainer_free(f.trainer);
    good(cnn_trainer_create(&options, f.net, &vast, NULL, &f.trainer));
    const kept before = keep(&f);
    assert_refused(&f, &before, cnn_trainer_set_batch(f.trainer, vast.count), "2^40");
    tear_down(&f);
}

static void test_every_dropout_layer_gets_the_rate(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, "dropout 0.1, conv 2 3x3, relu, dropout 0.6, linear 3", CNN_SGD, 4);
    good(cnn_trainer_set_dropout(f.trainer, 0.25));
    assert_true(cnn_net_layer(f.net, "drop1")->rate == 0.25f && cnn_net_layer(f.net, "drop2")->rate == 0.25f);
    assert_string_equal(f.net->spec, "dropout 0.1, conv 2 3x3, relu, dropout 0.6, linear 3");
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes_against_a_naive_training),
        cmocka_unit_test(test_trainers_glued_together),
        cmocka_unit_test(test_a_batch_from_the_start),
        cmocka_unit_test(test_what_is_out_of_range_is_refused),
        cmocka_unit_test(test_what_is_not_there_is_refused),
        cmocka_unit_test(test_a_batch_without_memory_is_refused),
        cmocka_unit_test(test_every_dropout_layer_gets_the_rate),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
