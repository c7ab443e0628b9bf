/* SPDX-License-Identifier: BSD-3-Clause */
/* The network as this project computes it: steps of its trainer, passes of its own. */
#include "clock.h"
#include "cnn/status.h"
#include "cnn/trainer.h"
#include "pass_watch.h"
#include "rate.h"
#include <stdio.h>
#include <stdlib.h>

/* What was told for a thread, or for all of them. */
typedef struct watched {
    rate_layer *layers; /* [net->layer_count + 1] */
    double mark;
} watched;

typedef struct weightscape_way {
    cnn_net *net;
    cnn_dataset set;
    cnn_threads *threads;
    cnn_trainer *trainer; /* training */
    cnn_pass *pass;       /* inference; with a trainer: its own */
    int batch;
    int thread_count;
    watched *watched; /* where layers were asked for, else NULL: for all threads, and for each */
    double update;
} weightscape_way;

static void end_watch(weightscape_way *w)
{
    for (int i = 0; w->watched && i <= w->thread_count; i++)
        free(w->watched[i].layers);
    free(w->watched);
    w->watched = NULL;
    if (w->pass)
        cnn_pass_set_watch(w->pass, NULL, NULL);
}

static void destroy(void *self)
{
    weightscape_way *w = self;
    end_watch(w);
    if (w->trainer)
        cnn_trainer_free(w->trainer);
    else
        cnn_pass_free(w->pass);
    cnn_threads_free(w->threads);
    free(w);
}

static int create_parts(weightscape_way *w, const rate_task *task)
{
    cnn_trainer_options options = {.optimizer = cnn_optimizer_defaults(CNN_ADAM),
                                   .learning_rate = RATE_LEARNING_RATE,
                                   .total_steps = UINT32_MAX,
                                   .batch = (uint32_t)task->batch};
    int status = cnn_schedule_parse("constant", &options.schedule);
    if (!status)
        status = cnn_threads_create(task->threads, &w->threads);
    if (status)
        return status;
    if (!task->training)
        return cnn_pass_create(task->net, task->batch, CNN_PASS_LOGITS, w->threads, &w->pass);
    status = cnn_trainer_create(&options, task->net, &w->set, w->threads, &w->trainer);
    if (!status)
        w->pass = w->trainer->pass;
    return status;
}

static void gather_first(weightscape_way *w)
{
    for (uint32_t i = 0; i < (uint32_t)w->batch; i++)
        cnn_dataset_gather(&w->set, &i, 1, cnn_pass_images(w->pass) + i * cnn_shape_count(w->net->input),
                           cnn_pass_labels(w->pass) + i);
}

static void *create(const rate_task *task)
{
    weightscape_way *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->net = task->net;
    w->set = task->set;
    w->batch = task->batch;
    w->thread_count = task->threads;
    if (create_parts(w, task) != CNN_OK) {
        fprintf(stderr, "rate: %s\n", cnn_message());
        destroy(w);
        return NULL;
    }
    gather_first(w);
    return w;
}

/* Where layers are told, a pass is set going by itself, so that nothing else is counted for its first layer.
 */
static double train_fixed(weightscape_way *w)
{
    const uint64_t number = ++w->trainer->step;
    gather_first(w);
    const double loss = cnn_pass_train(w->pass, w->batch, number).loss_sum / w->batch;
    const double start = clock_seconds();
    cnn_optimizer_step(w->trainer->optimizer, w->net, w->threads, RATE_LEARNING_RATE, number,
                       w->trainer->norms);
    w->update += clock_seconds() - start;
    return loss;
}

/* The trainer chooses its images itself. */
static double train(void *self, int fixed)
{
    weightscape_way *w = self;
    cnn_step step;
    if (fixed || w->watched)
        return train_fixed(w);
    cnn_trainer_step(w->trainer, NULL, &step);
    return step.loss;
}

static void infer(void *self)
{
    weightscape_way *w = self;
    cnn_pass_forward(w->pass, w->batch);
}

static void add(rate_layer *layer, cnn_pass_direction direction, double seconds)
{
    if (direction == CNN_PASS_FORWARD)
        layer->forward += seconds;
    else
        layer->backward += seconds;
}

/* Each thread that tells has its own mark and sums. */
static void note(void *context, int thread, int layer, cnn_pass_direction direction)
{
    weightscape_way *w = context;
    watched *mine = &w->watched[thread + 1];
    const double now = clock_seconds();
    if (layer != CNN_PASS_NO_LAYER)
        add(&mine->layers[layer], direction, now - mine->mark);
    mine->mark = now;
}

static void begin_watch(weightscape_way *w)
{
    w->update = 0;
    w->watched = calloc((size_t)w->thread_count + 1, sizeof *w->watched);
    if (!w->watched)
        return;
    for (int i = 0; i <= w->thread_count; i++)
        if (!(w->watched[i].layers = calloc((size_t)w->net->layer_count + 1, sizeof(rate_layer)))) {
            end_watch(w);
            return;
        }
    cnn_pass_set_watch(w->pass, note, w);
}

/* Begins at the first call, ends at the second. What threads tell each for itself they do at the same time.
 */
static int layers(void *self, rate_layer *out, double *update)
{
    weightscape_way *w = self;
    if (!w->watched) {
        begin_watch(w);
        return w->watched ? 0 : -1;
    }
    for (int layer = 0; layer <= w->net->layer_count; layer++)
        for (int i = 0; i <= w->thread_count; i++) {
            const double share = i ? 1.0 / w->thread_count : 1;
            out[layer].forward += share * w->watched[i].layers[layer].forward;
            out[layer].backward += share * w->watched[i].layers[layer].backward;
        }
    *update = w->update;
    end_watch(w);
    return 0;
}

int main(int argc, char **argv)
{
    static const rate_way way = {create, destroy, train, infer, layers};
    return rate_main(argc, argv, &way);
}
