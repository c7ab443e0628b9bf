/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/trainer.h"
#include "cnn/number.h"
#include "cnn/random.h"
#include "cnn/status.h"
#include <math.h>
#include <stdlib.h>

static int check_options(const cnn_trainer_options *options, const cnn_net *net, const cnn_dataset *set)
{
    char rate[CNN_NUMBER_SIZE];
    if (!(options->learning_rate > 0) || !isfinite(options->learning_rate))
        return cnn_fail(CNN_BAD_ARGUMENT, "learning rate: %s is not a finite number above 0",
                        cnn_format_real(options->learning_rate, rate));
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

int cnn_trainer_create(const cnn_trainer_options *options, cnn_net *net, const cnn_dataset *set,
                       cnn_threads *threads, cnn_trainer **out)
{
    int status = check_options(options, net, set);
    if (status)
        return status;
    cnn_trainer *trainer = calloc(1, sizeof *trainer);
    if (!trainer)
        return cnn_fail(CNN_NO_MEMORY, "trainer: no memory");
    const uint32_t batch = options->batch < set->count ? options->batch : set->count;
    *trainer = (cnn_trainer){.options = *options,
                             .net = net,
                             .set = set,
                             .threads = threads,
                             .steps_per_epoch = (set->count + (uint64_t)batch - 1) / batch};
    trainer->options.batch = batch;
    trainer->order = malloc(set->count * sizeof *trainer->order);
    trainer->norms = calloc((size_t)net->layer_count, sizeof *trainer->norms);
    if (!trainer->order || !trainer->norms)
        status = cnn_fail(CNN_NO_MEMORY, "trainer: no memory for the order of %u images", set->count);
    if (!status)
        status = cnn_optimizer_create(&options->optimizer, net, &trainer->optimizer);
    if (!status)
        status = cnn_pass_create(net, (int)batch, 1, threads, &trainer->pass);
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
    free(trainer->norms);
    free(trainer->order);
    free(trainer);
}

/* Puts the batch of step `step` (from 1) in place and returns its size. */
static int gather_batch(cnn_trainer *trainer, uint64_t step)
{
    const cnn_dataset *set = trainer->set;
    const uint64_t epoch = (step - 1) / trainer->steps_per_epoch;
    if (epoch != trainer->order_epoch) {
        cnn_random_order(trainer->net->seed, CNN_STREAM_SHUFFLE, epoch, trainer->order, set->count);
        trainer->order_epoch = epoch;
    }
    const uint64_t first = (step - 1) % trainer->steps_per_epoch * trainer->options.batch;
    const uint64_t left = set->count - first;
    const int n = (int)(left < trainer->options.batch ? left : trainer->options.batch);
    cnn_dataset_gather(set, trainer->order + first, n, cnn_pass_images(trainer->pass),
                       cnn_pass_labels(trainer->pass));
    return n;
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
                      .epoch = (double)trainer->step / (double)trainer->steps_per_epoch,
                      .loss = NAN,
                      .accuracy = NAN,
                      .learning_rate = NAN,
                      .norms = trainer->norms};
}

static void show(const cnn_trainer *trainer, const cnn_observer *observer, const cnn_step *step)
{
    if (observer && observer->frame && observer->next_frame && step->step >= *observer->next_frame)
        observer->frame(observer->context, step, trainer->net, trainer->pass);
}

int cnn_trainer_step(cnn_trainer *trainer, const cnn_observer *observer, cnn_step *out)
{
    const uint64_t number = trainer->step + 1;
    const int n = gather_batch(trainer, number);
    const double rate = cnn_schedule_rate(&trainer->options.schedule, trainer->options.learning_rate, number,
                                          trainer->options.total_steps);
    const cnn_batch_result batch = cnn_pass_train(trainer->pass, n, number);
    cnn_optimizer_step(trainer->optimizer, trainer->net, trainer->threads, rate, number, trainer->norms);
    trainer->step = number;

    cnn_step step = state_of(trainer);
    step.loss = batch.loss_sum / n;
    step.accuracy = (double)batch.correct / n;
    step.learning_rate = rate;
    const int status = check_finite(trainer, &step);
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
