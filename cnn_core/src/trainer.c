/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/trainer.h"
#include "cnn/number.h"
#include "cnn/random.h"
#include "cnn/status.h"
#include "sharing.h"
#include "update.h"
#include <limits.h>
#include <math.h>
#include <stdlib.h>

static int check_learning_rate(double learning_rate)
{
    char rate[CNN_NUMBER_SIZE];
    if (learning_rate > 0 && isfinite(learning_rate))
        return CNN_OK;
    return cnn_fail(CNN_BAD_ARGUMENT, "learning rate: %s is not a finite number above 0",
                    cnn_format_real(learning_rate, rate));
}

static int check_options(const cnn_trainer_options *options, const cnn_net *net, const cnn_dataset *set)
{
    const int status = check_learning_rate(options->learning_rate);
    if (status)
        return status;
    if (options->batch < 1)
        return cnn_fail(CNN_BAD_ARGUMENT, "batch: 0 is not at least 1");
    if (set->count < 1)
        return cnn_fail(CNN_BAD_ARGUMENT, "training set: 0 images, at least 1 is needed");
    if (set->shape.c != net->input.c || set->shape.h != net->input.h || set->shape.w != net->input.w)
        return cnn_fail(CNN_BAD_ARGUMENT, "training set: images of %dx%dx%d, the network takes %dx%dx%d",
                        set->shape.c, set->shape.h, set->shape.w, net->input.c, net->input.h, net->input.w);
    if (set->classes > net->classes)
        return cnn_fail(CNN_BAD_ARGUMENT, "training set: %d classes, the network has %d", set->classes,
                        net->classes);
    return CNN_OK;
}

/* The images of a batch that this process does at most. */
static uint32_t room_for(const cnn_trainer *trainer, uint32_t batch)
{
    const cnn_ranks *ranks = trainer->options.ranks;
    return ranks ? cnn_share_most(batch, ranks->count) : batch;
}

int cnn_trainer_create(const cnn_trainer_options *options, cnn_net *net, const cnn_dataset *set,
                       cnn_threads *threads, cnn_trainer **out)
{
    int status = check_options(options, net, set);
    if (status)
        return status;
    cnn_trainer *trainer = calloc(1, sizeof *trainer);
    if (!trainer)
        return cnn_fail(CNN_NO_MEMORY, "trainer: no memory");
    const cnn_course course = cnn_course_begin(set->count, options->batch);
    *trainer =
        (cnn_trainer){.options = *options, .net = net, .set = set, .threads = threads, .course = course};
    trainer->options.batch = course.batch;
    trainer->order = malloc(set->count * sizeof *trainer->order);
    trainer->norms = calloc((size_t)net->layer_count, sizeof *trainer->norms);
    if (!trainer->order || !trainer->norms)
        status = cnn_fail(CNN_NO_MEMORY, "trainer: no memory for the order of %u images", set->count);
    if (!status)
        status = cnn_optimizer_create(&options->optimizer, net, &trainer->optimizer);
    if (!status && options->ranks)
        status = cnn_sharing_create(options->ranks, net, &trainer->sharing);
    trainer->room = room_for(trainer, course.batch);
    if (!status)
        status = cnn_pass_create(net, (int)trainer->room, CNN_PASS_TRAIN, threads, &trainer->pass);
    if (status) {
        cnn_trainer_free(trainer);
        return status;
    }
    trainer->order_epoch = UINT64_MAX;
    *out = trainer;
    return CNN_OK;
}

void cnn_trainer_free(cnn_trainer *trainer)
{
    if (!trainer)
        return;
    cnn_optimizer_free(trainer->optimizer);
    cnn_pass_free(trainer->pass);
    cnn_sharing_free(trainer->sharing);
    free(trainer->norms);
    free(trainer->order);
    free(trainer);
}

/* The images of a batch, in the order of their numbers. */
typedef struct batch_images {
    const cnn_trainer *trainer;
    const uint32_t *numbers;
} batch_images;

static void gather_image(void *context, int index, int thread)
{
    (void)thread;
    const batch_images *batch = context;
    const cnn_trainer *trainer = batch->trainer;
    cnn_dataset_gather(trainer->set, batch->numbers + index, 1,
                       cnn_pass_images(trainer->pass) + (size_t)index * cnn_shape_count(trainer->net->input),
                       cnn_pass_labels(trainer->pass) + index);
}

/* Puts this process's part of the next step's batch in place. */
static cnn_batch_part gather_batch(cnn_trainer *trainer)
{
    const cnn_dataset *set = trainer->set;
    const cnn_place place = cnn_course_at(&trainer->course, trainer->step);
    if (place.epoch != trainer->order_epoch) {
        cnn_random_order(trainer->net->seed, CNN_STREAM_SHUFFLE, place.epoch, trainer->order, set->count);
        trainer->order_epoch = place.epoch;
    }
    const uint32_t left = set->count - place.image;
    const uint32_t whole = left < trainer->options.batch ? left : trainer->options.batch;
    const cnn_ranks *ranks = trainer->options.ranks;
    const cnn_share share = ranks ? cnn_share_of(whole, ranks->rank, ranks->count) : (cnn_share){.n = whole};
    batch_images batch = {trainer, trainer->order + place.image + share.first};
    const double values = (double)share.n * (double)cnn_shape_count(set->shape);
    cnn_threads_run(cnn_threads_for(trainer->threads, CNN_WORK_MOVE * values), (int)share.n, gather_image,
                    &batch);
    return (cnn_batch_part){.whole = whole, .share = share};
}

/* ---- what can be changed between two steps ---- */

int cnn_trainer_set_learning_rate(cnn_trainer *trainer, double learning_rate)
{
    const int status = check_learning_rate(learning_rate);
    if (!status)
        trainer->options.learning_rate = learning_rate;
    return status;
}

int cnn_trainer_set_schedule(cnn_trainer *trainer, const cnn_schedule *schedule)
{
    const int status = cnn_schedule_check(schedule);
    if (!status)
        trainer->options.schedule = *schedule;
    return status;
}

int cnn_trainer_set_momentum(cnn_trainer *trainer, double momentum)
{
    return cnn_optimizer_set_momentum(trainer->optimizer, momentum);
}

int cnn_trainer_set_weight_decay(cnn_trainer *trainer, double weight_decay)
{
    return cnn_optimizer_set_weight_decay(trainer->optimizer, weight_decay);
}

int cnn_trainer_set_dropout(cnn_trainer *trainer, double rate)
{
    cnn_net *net = trainer->net;
    char text[CNN_NUMBER_SIZE];
    if (!(rate >= 0 && rate < 1 && (float)rate < 1))
        return cnn_fail(CNN_BAD_ARGUMENT, "dropout: %s is not in [0, 1)", cnn_format_real(rate, text));
    int found = 0;
    for (int i = 0; i < net->layer_count; i++)
        if (net->layers[i].kind == CNN_DROPOUT) {
            net->layers[i].rate = (float)rate;
            found = 1;
        }
    return found ? CNN_OK : cnn_fail(CNN_BAD_ARGUMENT, "dropout: the network has no such layer");
}

/* Gets memory for larger batches; the old one goes when the new one is there. */
static int make_room(cnn_trainer *trainer, uint32_t batch)
{
    cnn_pass *pass;
    const uint32_t room = room_for(trainer, batch);
    if (room <= trainer->room)
        return CNN_OK;
    const int status = cnn_pass_create(trainer->net, (int)room, CNN_PASS_TRAIN, trainer->threads, &pass);
    if (status)
        return status;
    cnn_pass_free(trainer->pass);
    trainer->pass = pass;
    trainer->room = room;
    return CNN_OK;
}

int cnn_trainer_set_batch(cnn_trainer *trainer, uint32_t batch)
{
    const uint32_t most = trainer->set->count < INT_MAX ? trainer->set->count : INT_MAX;
    if (batch < 1 || batch > most)
        return cnn_fail(CNN_BAD_ARGUMENT, "batch: %u is not in 1..%u", batch, most);
    const int status = make_room(trainer, batch);
    if (status)
        return status;
    cnn_course_turn(&trainer->course, trainer->step, batch);
    trainer->options.batch = batch;
    return CNN_OK;
}

static int check_replacement(const cnn_trainer *trainer, const cnn_net *net, const cnn_optimizer *optimizer)
{
    const cnn_net *old = trainer->net;
    int status = check_options(&trainer->options, net, trainer->set);
    if (!status && net->layer_count != old->layer_count)
        status = cnn_fail(CNN_BAD_ARGUMENT, "network: has %d layers, the one before has %d", net->layer_count,
                          old->layer_count);
    for (int i = 0; i < old->layer_count && !status; i++)
        if (net->layers[i].kind != old->layers[i].kind)
            status = cnn_fail(CNN_BAD_ARGUMENT, "network: layer %d is \"%s\", it was \"%s\"", i + 1,
                              net->layers[i].name, old->layers[i].name);
    if (!status && optimizer->options.kind != trainer->optimizer->options.kind)
        status = cnn_fail(CNN_BAD_ARGUMENT, "optimizer: is %s, it was %s",
                          cnn_optimizer_name(optimizer->options.kind),
                          cnn_optimizer_name(trainer->optimizer->options.kind));
    if (!status && optimizer->count != net->parameter_count)
        status = cnn_fail(CNN_BAD_ARGUMENT, "optimizer: is of %zu parameters, the network has %zu",
                          optimizer->count, net->parameter_count);
    return status;
}

int cnn_trainer_replace(cnn_trainer *trainer, cnn_net *net, cnn_optimizer *optimizer)
{
    cnn_pass *pass;
    int status = check_replacement(trainer, net, optimizer);
    if (!status)
        status = cnn_pass_create(net, (int)trainer->room, CNN_PASS_TRAIN, trainer->threads, &pass);
    if (status)
        return status;
    for (int i = 0; i < net->layer_count; i++)
        net->layers[i].rate = trainer->net->layers[i].rate;
    cnn_pass_free(trainer->pass);
    cnn_optimizer_free(trainer->optimizer);
    trainer->pass = pass;
    trainer->optimizer = optimizer;
    trainer->net = net;
    cnn_sharing_forget(trainer->sharing);
    return CNN_OK;
}

/* Names the first thing of a step that is not finite. */
static int check_finite(const cnn_trainer *trainer, const cnn_step *step)
{
    for (int i = 0; i < trainer->net->layer_count; i++) {
        const cnn_layer_norms *norms = &trainer->norms[i];
        const char *what = !isfinite(norms->gradient) ? "gradient"
                           : !isfinite(norms->weight) ? "weights"
                                                      : NULL;
        if (what)
            return cnn_fail(CNN_NOT_FINITE, "step %llu: the %s of layer \"%s\" %s not finite",
                            (unsigned long long)step->step, what, trainer->net->layers[i].name,
                            what[0] == 'w' ? "are" : "is");
    }
    if (!isfinite(step->loss))
        return cnn_fail(CNN_NOT_FINITE, "step %llu: the loss is not finite", (unsigned long long)step->step);
    return CNN_OK;
}

static cnn_step state_of(const cnn_trainer *trainer)
{
    return (cnn_step){.step = trainer->step,
                      .epoch = cnn_course_epochs(&trainer->course, trainer->step),
                      .loss = NAN,
                      .accuracy = NAN,
                      .learning_rate = NAN,
                      .norms = trainer->norms,
                      .rank_count = trainer->options.ranks ? trainer->options.ranks->count : 1};
}

static void show(const cnn_trainer *trainer, const cnn_observer *observer, const cnn_step *step)
{
    if (observer && observer->frame && observer->next_frame && step->step >= *observer->next_frame)
        observer->frame(observer->context, step, trainer->net, trainer->pass);
}

int cnn_trainer_step(cnn_trainer *trainer, const cnn_observer *observer, cnn_step *out)
{
    const uint64_t number = trainer->step + 1;
    int status = cnn_sharing_begin(trainer);
    if (status)
        return status;
    cnn_batch_part part = gather_batch(trainer);
    const double rate = cnn_schedule_rate(&trainer->options.schedule, trainer->options.learning_rate, number,
                                          trainer->options.total_steps);
    cnn_update_step update;
    cnn_update_begin(&update, trainer->optimizer, trainer->net, rate, number);
    if (!trainer->sharing)
        cnn_update_beside(&update, &part);
    cnn_batch_result batch;
    status = cnn_sharing_train(trainer, &part, number, &batch);
    if (status)
        return status;
    cnn_update_finish(&update, trainer->threads, trainer->norms);
    trainer->step = number;

    cnn_step step = state_of(trainer);
    step.loss = batch.loss_sum / part.whole;
    step.accuracy = (double)batch.correct / part.whole;
    step.learning_rate = rate;
    step.batch = part.whole;
    step.ranks = cnn_sharing_rows(trainer->sharing);
    status = check_finite(trainer, &step);
    if (observer && observer->row)
        observer->row(observer->context, &step);
    show(trainer, observer, &step);
    if (out)
        *out = step;
    return status;
}

void cnn_trainer_show(cnn_trainer *trainer, const cnn_observer *observer)
{
    const cnn_step step = state_of(trainer);
    show(trainer, observer, &step);
}
