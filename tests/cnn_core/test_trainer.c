/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "cnn/random.h"
#include "cnn/status.h"
#include "cnn/trainer.h"
#include "reference.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 11, SIDE = 6, CLASSES = 3 };

/* Images whose brightest row tells the class: something to learn. */
typedef struct fixture {
    uint8_t pixels[IMAGES * SIDE * SIDE], labels[IMAGES];
    cnn_dataset set;
    cnn_net *net;
    cnn_trainer *trainer;
} fixture;

static cnn_trainer_options options_of(cnn_optimizer_kind kind, uint32_t batch)
{
    return (cnn_trainer_options){.optimizer = cnn_optimizer_defaults(kind),
                                 .schedule = {.kind = CNN_CONSTANT},
                                 .learning_rate = kind == CNN_ADAM ? 0.01 : 0.1,
                                 .total_steps = 100,
                                 .batch = batch};
}

static void set_up(fixture *f, const char *spec, const cnn_trainer_options *options, cnn_threads *threads)
{
    for (int i = 0; i < IMAGES; i++) {
        f->labels[i] = (uint8_t)(i % CLASSES);
        for (int p = 0; p < SIDE * SIDE; p++) {
            const int bright = p / SIDE == 2 * f->labels[i];
            f->pixels[i * SIDE * SIDE + p] =
                (uint8_t)(cnn_random_word(3, CNN_STREAM_PROBE, (uint64_t)i, (uint64_t)p) % 60 +
                          (bright ? 190 : 0));
        }
    }
    f->set = (cnn_dataset){.count = IMAGES,
                           .shape = {1, SIDE, SIDE},
                           .classes = CLASSES,
                           .pixels = f->pixels,
                           .labels = f->labels};
    assert_int_equal(cnn_net_create(spec, f->set.shape, CLASSES, 4, &f->net), CNN_OK);
    if (cnn_trainer_create(options, f->net, &f->set, threads, &f->trainer))
        fail_msg("%s", cnn_message());
}

static void tear_down(fixture *f)
{
    cnn_trainer_free(f->trainer);
    cnn_net_free(f->net);
}

static const char *const small_net = "conv 2 3x3, relu, maxpool 2, dropout 0.4, linear 3";

/* Several steps against a training that is written down independently: losses by nested loops in double,
 * gradients by difference quotients, the update by its formula. */
static void test_losses_of_several_steps(void **state)
{
    (void)state;
    for (cnn_optimizer_kind kind = CNN_SGD; kind <= CNN_ADAM; kind++) {
        const cnn_trainer_options options = options_of(kind, 4);
        fixture f;
        set_up(&f, small_net, &options, NULL);
        const size_t count = f.net->parameter_count;
        double *w = calloc(count, sizeof *w), *m = calloc(count, sizeof *m), *v = calloc(count, sizeof *v),
               *g = calloc(count, sizeof *g);
        for (size_t i = 0; i < count; i++)
            w[i] = (double)f.net->parameters[i];
        for (int t = 1; t <= 7; t++) {
            uint32_t order[IMAGES];
            float images[4 * SIDE * SIDE];
            uint8_t labels[4];
            cnn_random_order(f.net->seed, CNN_STREAM_SHUFFLE, (uint64_t)(t - 1) / 3, order, IMAGES);
            const int first = (t - 1) % 3 * 4, n = first + 4 <= IMAGES ? 4 : IMAGES - first;
            for (int i = 0; i < n; i++) {
                labels[i] = f.labels[order[first + i]];
                for (int p = 0; p < SIDE * SIDE; p++)
                    images[i * SIDE * SIDE + p] =
                        (float)f.pixels[order[first + i] * SIDE * SIDE + (uint32_t)p] / 255.0f;
            }
            const double loss = reference_loss(f.net, w, images, labels, n, (uint64_t)t);
            for (size_t i = 0; i < count; i++)
                g[i] = reference_slope(f.net, w, images, labels, n, (uint64_t)t, i);
            for (size_t i = 0; i < count; i++) {
                m[i] = kind == CNN_ADAM ? 0.9 * m[i] + 0.1 * g[i] : (kind == CNN_SGD ? 0 : 0.9) * m[i] + g[i];
                v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
                w[i] -= kind == CNN_ADAM
                            ? 0.01 * (m[i] / (1 - pow(0.9, t))) / (sqrt(v[i] / (1 - pow(0.999, t))) + 1e-8)
                            : 0.1 * m[i];
            }
            cnn_step step;
            assert_int_equal(cnn_trainer_step(f.trainer, NULL, &step), CNN_OK);
            assert_int_equal(step.step, t);
            assert_true(step.epoch == t / 3.0);
            if (!(fabs(step.loss - loss) <= 2e-6))
                fail_msg("%s, step %d: loss %.9g, reference %.9g", cnn_optimizer_name(kind), t, step.loss,
                         loss);
        }
        free(w);
        free(m);
        free(v);
        free(g);
        tear_down(&f);
    }
}

static void train(fixture *f, int steps)
{
    for (int i = 0; i < steps; i++)
        assert_int_equal(cnn_trainer_step(f->trainer, NULL, NULL), CNN_OK);
}

static void test_a_run_repeats_to_the_bit_with_any_threads(void **state)
{
    (void)state;
    const cnn_trainer_options options = options_of(CNN_ADAM, 4);
    fixture first;
    set_up(&first, small_net, &options, NULL);
    train(&first, 40);
    for (int count = 1; count <= 3; count++) {
        cnn_threads *threads;
        assert_int_equal(cnn_threads_create(count, &threads), CNN_OK);
        fixture again;
        set_up(&again, small_net, &options, threads);
        train(&again, 40);
        assert_memory_equal(first.net->parameters, again.net->parameters,
                            first.net->parameter_count * sizeof(float));
        tear_down(&again);
        cnn_threads_free(threads);
    }
    tear_down(&first);
}

static void test_it_learns(void **state)
{
    (void)state;
    const cnn_trainer_options options = options_of(CNN_ADAM, 4);
    fixture f;
    set_up(&f, small_net, &options, NULL);
    train(&f, 300);
    cnn_evaluation evaluation;
    assert_int_equal(cnn_evaluate(f.net, &f.set, 4, NULL, &evaluation), CNN_OK);
    assert_int_equal(evaluation.correct, IMAGES);
    tear_down(&f);
}

/* What is evaluated does not depend on the batch: every image counts once. */
static void test_evaluation_of_any_batch(void **state)
{
    (void)state;
    const cnn_trainer_options options = options_of(CNN_SGD, 4);
    fixture f;
    set_up(&f, small_net, &options, NULL);
    cnn_evaluation whole;
    assert_int_equal(cnn_evaluate(f.net, &f.set, IMAGES, NULL, &whole), CNN_OK);
    const uint32_t batches[] = {1, 3, 7, 10, 12, 4000000000u};
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        cnn_evaluation part;
        assert_int_equal(cnn_evaluate(f.net, &f.set, batches[i], NULL, &part), CNN_OK);
        assert_int_equal(part.count, IMAGES);
        assert_int_equal(part.correct, whole.correct);
        assert_true(fabs(part.loss - whole.loss) < 1e-12);
    }
    cnn_dataset empty = f.set;
    empty.count = 0;
    cnn_evaluation nothing;
    assert_int_equal(cnn_evaluate(f.net, &empty, 4, NULL, &nothing), CNN_OK);
    assert_int_equal(nothing.count, 0);
    assert_true(isnan(nothing.loss) && isnan(nothing.accuracy));
    assert_int_equal(cnn_evaluate(f.net, &f.set, 0, NULL, &nothing), CNN_BAD_ARGUMENT);
    tear_down(&f);
}

static void test_every_image_is_seen_once_an_epoch(void **state)
{
    (void)state;
    const uint32_t batches[] = {1, 4, 11, 64};
    const uint64_t steps[] = {11, 3, 1, 1};
    for (int i = 0; i < 4; i++) {
        const cnn_trainer_options options = options_of(CNN_SGD, batches[i]);
        fixture f;
        set_up(&f, small_net, &options, NULL);
        assert_int_equal(cnn_course_steps_per_epoch(&f.trainer->course), steps[i]);
        tear_down(&f);
    }
}

typedef struct watched {
    uint64_t next;
    int rows, frames;
    uint64_t last_row, last_frame;
} watched;

static void watch_row(void *context, const cnn_step *step)
{
    watched *w = context;
    w->rows++;
    w->last_row = step->step;
}

static void watch_frame(void *context, const cnn_step *step, const cnn_net *net, const cnn_pass *pass)
{
    watched *w = context;
    w->frames++;
    w->last_frame = step->step;
    w->next = step->step + 5;
    assert_non_null(net->layers[0].weight_gradient);
    assert_non_null(cnn_pass_output(pass, 2));
}

static void test_observer_is_called_when_it_wants(void **state)
{
    (void)state;
    const cnn_trainer_options options = options_of(CNN_SGD, 4);
    fixture f;
    set_up(&f, small_net, &options, NULL);
    watched w = {0};
    const cnn_observer observer = {
        .context = &w, .row = watch_row, .next_frame = &w.next, .frame = watch_frame};
    cnn_trainer_show(f.trainer, &observer);
    assert_int_equal(w.frames, 1);
    for (int i = 0; i < 12; i++)
        cnn_trainer_step(f.trainer, &observer, NULL);
    assert_int_equal(w.rows, 12);
    assert_int_equal(w.last_row, 12);
    assert_int_equal(w.frames, 3);
    assert_int_equal(w.last_frame, 10);
    tear_down(&f);
}

static void test_not_finite_names_step_and_layer(void **state)
{
    (void)state;
    const cnn_trainer_options options = options_of(CNN_SGD, 4);
    fixture f;
    set_up(&f, small_net, &options, NULL);
    train(&f, 2);
    cnn_net_layer(f.net, "fc1")->weight[0] = INFINITY;
    assert_int_equal(cnn_trainer_step(f.trainer, NULL, NULL), CNN_NOT_FINITE);
    assert_non_null(strstr(cnn_message(), "step 3"));
    assert_non_null(strstr(cnn_message(), "\"conv1\""));
    tear_down(&f);
}

static void test_bad_options_are_named(void **state)
{
    (void)state;
    const cnn_trainer_options good = options_of(CNN_SGD, 4);
    fixture f;
    set_up(&f, small_net, &good, NULL);
    cnn_trainer *untouched = (cnn_trainer *)&f;
    const double rates[] = {0, -1, NAN, INFINITY};
    for (int i = 0; i < 4; i++) {
        cnn_trainer_options bad = good;
        bad.learning_rate = rates[i];
        assert_int_equal(cnn_trainer_create(&bad, f.net, &f.set, NULL, &untouched), CNN_BAD_ARGUMENT);
        assert_non_null(strstr(cnn_message(), "learning rate"));
    }
    cnn_trainer_options bad = good;
    bad.batch = 0;
    assert_int_equal(cnn_trainer_create(&bad, f.net, &f.set, NULL, &untouched), CNN_BAD_ARGUMENT);
    cnn_dataset other = f.set;
    other.count = 0;
    assert_int_equal(cnn_trainer_create(&good, f.net, &other, NULL, &untouched), CNN_BAD_ARGUMENT);
    other = f.set;
    other.shape.h = 5;
    assert_int_equal(cnn_trainer_create(&good, f.net, &other, NULL, &untouched), CNN_BAD_ARGUMENT);
    assert_non_null(strstr(cnn_message(), "1x5x6"));
    assert_ptr_equal(untouched, &f);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_losses_of_several_steps),
        cmocka_unit_test(test_a_run_repeats_to_the_bit_with_any_threads),
        cmocka_unit_test(test_it_learns),
        cmocka_unit_test(test_evaluation_of_any_batch),
        cmocka_unit_test(test_every_image_is_seen_once_an_epoch),
        cmocka_unit_test(test_observer_is_called_when_it_wants),
        cmocka_unit_test(test_not_finite_names_step_and_layer),
        cmocka_unit_test(test_bad_options_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
