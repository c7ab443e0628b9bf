/* SPDX-License-Identifier: BSD-3-Clause */
#include "update.h"
#include <math.h>

/* Parameters per task; norms are summed within a stretch, then over stretches in order. */
enum { STRETCH = 1 << 14 };

static int stretches(size_t count)
{
    return (int)((count + STRETCH - 1) / STRETCH);
}

/* Stretches of weights and biases of a layer; none straddles the two. */
static int stretches_of(const cnn_layer *layer)
{
    return stretches(layer->weight_count) + stretches(layer->bias_count);
}

int cnn_update_stretches(const cnn_net *net, int layer)
{
    int count = 0;
    for (int i = 0; i < layer; i++)
        count += stretches_of(&net->layers[i]);
    return count;
}

/* What the update of whole layers takes, up to the one that stretch `end` begins. */
static double work_before(const cnn_net *net, int end)
{
    size_t parameters = 0;
    for (int i = 0, count = 0; i < net->layer_count; i++) {
        count += stretches_of(&net->layers[i]);
        if (count <= end)
            parameters += net->layers[i].weight_count + net->layers[i].bias_count;
    }
    return CNN_WORK_UPDATE * (double)parameters;
}

/* Where stretch `index` of a layer begins in the arena, and how long it is. */
static size_t begin_of(const cnn_net *net, const cnn_layer *layer, int index, size_t *count)
{
    const int weights = stretches(layer->weight_count), is_bias = index >= weights;
    const size_t within = (size_t)(is_bias ? index - weights : index) * STRETCH;
    const size_t left = (is_bias ? layer->bias_count : layer->weight_count) - within;
    *count = left < STRETCH ? left : STRETCH;
    return (size_t)((is_bias ? layer->bias : layer->weight) - net->parameters) + within;
}

static void update_stretch(void *context, int index, int thread)
{
    (void)thread;
    const cnn_update_step *whole = context;
    const cnn_layer *layer = whole->net->layers;
    int within = index;
    for (; within >= stretches_of(layer); layer++)
        within -= stretches_of(layer);
    cnn_update part = whole->common;
    const size_t at = begin_of(whole->net, layer, within, &part.count);
    part.weight = whole->net->parameters + at;
    part.gradient = whole->net->gradients + at;
    part.initial = whole->net->initial + at;
    for (int i = 0; i < whole->optimizer->moment_count; i++)
        part.moment[i] = whole->optimizer->moments[i] + at;
    whole->kernel(&part);
    whole->optimizer->squares[index] =
        (cnn_squares){part.weight_square, part.gradient_square, part.distance_square};
}

/* Of the weights whose sums of squares, stretch by stretch, are given. */
static cnn_layer_norms norms_of(const cnn_squares *squares, int count)
{
    cnn_squares sum = {0, 0, 0};
    for (int i = 0; i < count; i++) {
        sum.weight += squares[i].weight;
        sum.gradient += squares[i].gradient;
        sum.distance += squares[i].distance;
    }
    return (cnn_layer_norms){sqrt(sum.weight), sqrt(sum.gradient), sqrt(sum.distance)};
}

void cnn_update_begin(cnn_update_step *update, cnn_optimizer *optimizer, cnn_net *net, double learning_rate,
                      uint64_t step)
{
    const cnn_optimizer_options *options = &optimizer->options;
    const cnn_kernels *kernels = cnn_kernels_get();
    const int is_adam = options->kind == CNN_ADAM, all = cnn_update_stretches(net, net->layer_count);
    *update = (cnn_update_step){
        .optimizer = optimizer,
        .net = net,
        .kernel = is_adam                         ? kernels->update_adam
                  : options->kind == CNN_MOMENTUM ? kernels->update_momentum
                                                  : kernels->update_sgd,
        .common = {.rate = (float)(is_adam ? learning_rate / (1 - pow(options->beta1, (double)step))
                                           : learning_rate),
                   .decay = (float)options->weight_decay,
                   .beta1 = (float)(is_adam ? options->beta1 : options->momentum),
                   .beta2 = (float)options->beta2,
                   .correction = (float)(1 / sqrt(1 - pow(options->beta2, (double)step))),
                   .epsilon = (float)options->epsilon},
        .beside = {.from = all,
                   .to = all,
                   .task = update_stretch,
                   .context = update,
                   .work = work_before(net, all) / all}};
}

static void gradients_are_there(void *context, int layer)
{
    cnn_update_step *update = context;
    update->beside.from = cnn_update_stretches(update->net, layer);
}

void cnn_update_beside(cnn_update_step *update, cnn_batch_part *batch)
{
    batch->ready = gradients_are_there;
    batch->context = update;
    batch->beside = &update->beside;
}

void cnn_update_finish(cnn_update_step *update, cnn_threads *threads, cnn_layer_norms *norms)
{
    const cnn_net *net = update->net;
    const cnn_squares *squares = update->optimizer->squares;
    cnn_threads_run(cnn_threads_for(threads, work_before(net, update->beside.to)), update->beside.to,
                    update_stretch, update);
    for (int i = 0; i < net->layer_count; squares += stretches_of(&net->layers[i]), i++)
        norms[i] = norms_of(squares, stretches(net->layers[i].weight_count));
}
