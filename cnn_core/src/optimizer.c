/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/optimizer.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include "float_arena.h"
#include "kernels.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Parameters per task; norms are summed within a stretch, then over stretches in order. */
enum { STRETCH = 1 << 14 };

static const struct {
    const char *name;
    int moments;
    const char *moment_names[2];
} kinds[] = {
    [CNN_SGD] = {"sgd", 0, {NULL, NULL}},
    [CNN_MOMENTUM] = {"momentum", 1, {"momentum_buffer", NULL}},
    [CNN_ADAM] = {"adam", 2, {"exp_avg", "exp_avg_sq"}},
};

cnn_optimizer_options cnn_optimizer_defaults(cnn_optimizer_kind kind)
{
    return (cnn_optimizer_options){
        .kind = kind, .momentum = 0.9, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
}

int cnn_optimizer_parse(const char *name, cnn_optimizer_kind *out)
{
    for (int i = 0; i < 3; i++)
        if (!strcmp(name, kinds[i].name)) {
            *out = (cnn_optimizer_kind)i;
            return CNN_OK;
        }
    return cnn_fail(CNN_BAD_ARGUMENT, "optimizer: \"%s\" is not one of sgd, momentum, adam", name);
}

const char *cnn_optimizer_name(cnn_optimizer_kind kind)
{
    return kinds[kind].name;
}

const char *cnn_optimizer_moment_name(cnn_optimizer_kind kind, int moment)
{
    return kinds[kind].moment_names[moment];
}

static int check(const char *name, double value, double low, double below)
{
    if (value >= low && value < below)
        return CNN_OK;
    char text[3][CNN_NUMBER_SIZE];
    return cnn_fail(CNN_BAD_ARGUMENT, "optimizer: %s: %s is not in [%s, %s)", name,
                    cnn_format_real(value, text[0]), cnn_format_real(low, text[1]),
                    cnn_format_real(below, text[2]));
}

static int check_weight_decay(double value)
{
    return check("weight decay", value, 0, 1e6);
}

int cnn_optimizer_create(const cnn_optimizer_options *options, const cnn_net *net, cnn_optimizer **out)
{
    int status = check("momentum", options->momentum, 0, 1);
    if (!status)
        status = check("beta1", options->beta1, 0, 1);
    if (!status)
        status = check("beta2", options->beta2, 0, 1);
    if (!status)
        status = check("epsilon", options->epsilon, 1e-38, 1);
    if (!status)
        status = check_weight_decay(options->weight_decay);
    if (status)
        return status;

    cnn_optimizer *optimizer = calloc(1, sizeof *optimizer);
    if (!optimizer)
        return cnn_fail(CNN_NO_MEMORY, "optimizer: no memory");
    *optimizer = (cnn_optimizer){
        .options = *options, .count = net->parameter_count, .moment_count = kinds[options->kind].moments};
    optimizer->squares = calloc(net->parameter_count / STRETCH + 1, sizeof *optimizer->squares);
    int missing = !optimizer->squares;
    for (int i = 0; i < optimizer->moment_count; i++)
        missing |= !(optimizer->moments[i] = cnn_float_arena(net->parameter_count));
    if (missing) {
        cnn_optimizer_free(optimizer);
        return cnn_fail(CNN_NO_MEMORY, "optimizer: no memory for %zu parameters", net->parameter_count);
    }
    *out = optimizer;
    return CNN_OK;
}

void cnn_optimizer_free(cnn_optimizer *optimizer)
{
    if (!optimizer)
        return;
    free(optimizer->squares);
    free(optimizer->moments[0]);
    free(optimizer->moments[1]);
    free(optimizer);
}

/* The option that holds what is called momentum here. */
static double *momentum_of(cnn_optimizer *optimizer)
{
    cnn_optimizer_options *options = &optimizer->options;
    return options->kind == CNN_ADAM ? &options->beta1 : &options->momentum;
}

int cnn_optimizer_set_momentum(cnn_optimizer *optimizer, double momentum)
{
    const cnn_optimizer_kind kind = optimizer->options.kind;
    if (kind == CNN_SGD)
        return cnn_fail(CNN_BAD_ARGUMENT, "optimizer: momentum: sgd has none");
    const int status = check(kind == CNN_ADAM ? "beta1" : "momentum", momentum, 0, 1);
    if (status)
        return status;
    if ((float)momentum >= 1)
        return check("momentum as float32", (double)(float)momentum, 0, 1);
    *momentum_of(optimizer) = momentum;
    return CNN_OK;
}

int cnn_optimizer_set_weight_decay(cnn_optimizer *optimizer, double weight_decay)
{
    const int status = check_weight_decay(weight_decay);
    if (!status)
        optimizer->options.weight_decay = weight_decay;
    return status;
}

double cnn_optimizer_momentum(const cnn_optimizer *optimizer)
{
    const cnn_optimizer_options *options = &optimizer->options;
    return options->kind == CNN_ADAM ? options->beta1 : options->kind == CNN_MOMENTUM ? options->momentum : 0;
}

/* One tensor's update, shared out in stretches. */
typedef struct tensor_update {
    void (*update)(cnn_update *update);
    cnn_update whole;
    cnn_squares *squares; /* per stretch */
} tensor_update;

static void update_stretch(void *context, int index, int thread)
{
    (void)thread;
    const tensor_update *tensor = context;
    const size_t first = (size_t)index * STRETCH;
    cnn_update part = tensor->whole;
    part.count = part.count - first < STRETCH ? part.count - first : STRETCH;
    part.weight += first;
    part.gradient += first;
    part.initial += first;
    for (int i = 0; i < 2; i++)
        if (part.moment[i])
            part.moment[i] += first;
    tensor->update(&part);
    tensor->squares[index] = (cnn_squares){part.weight_square, part.gradient_square, part.distance_square};
}

/* Updates the `count` parameters that begin at `at` of the arena and returns their sums of squares. */
static cnn_squares update_tensor(const cnn_optimizer *optimizer, const cnn_net *net, cnn_threads *threads,
                                 tensor_update *tensor, size_t at, size_t count)
{
    tensor->squares = optimizer->squares;
    tensor->whole.count = count;
    tensor->whole.weight = net->parameters + at;
    tensor->whole.gradient = net->gradients + at;
    tensor->whole.initial = net->initial + at;
    for (int i = 0; i < optimizer->moment_count; i++)
        tensor->whole.moment[i] = optimizer->moments[i] + at;
    const int stretches = (int)((count + STRETCH - 1) / STRETCH);
    cnn_threads_run(threads, stretches, update_stretch, tensor);
    cnn_squares sum = {0, 0, 0};
    for (int i = 0; i < stretches; i++) {
        sum.weight += tensor->squares[i].weight;
        sum.gradient += tensor->squares[i].gradient;
        sum.distance += tensor->squares[i].distance;
    }
    return sum;
}

void cnn_optimizer_step(cnn_optimizer *optimizer, cnn_net *net, cnn_threads *threads, double learning_rate,
                        uint64_t step, cnn_layer_norms *norms)
{
    const cnn_optimizer_options *options = &optimizer->options;
    const cnn_kernels *kernels = cnn_kernels_get();
    const int is_adam = options->kind == CNN_ADAM;
    tensor_update tensor = {
        .update = is_adam                         ? kernels->update_adam
                  : options->kind == CNN_MOMENTUM ? kernels->update_momentum
                                                  : kernels->update_sgd,
        .whole = {.rate = (float)(is_adam ? learning_rate / (1 - pow(options->beta1, (double)step))
                                          : learning_rate),
                  .decay = (float)options->weight_decay,
                  .beta1 = (float)(is_adam ? options->beta1 : options->momentum),
                  .beta2 = (float)options->beta2,
                  .correction = (float)(1 / sqrt(1 - pow(options->beta2, (double)step))),
                  .epsilon = (float)options->epsilon}};
    for (int i = 0; i < net->layer_count; i++) {
        const cnn_layer *layer = &net->layers[i];
        norms[i] = (cnn_layer_norms){0, 0, 0};
        if (!cnn_layer_has_parameters(layer))
            continue;
        const cnn_squares sum = update_tensor(optimizer, net, threads, &tensor,
                                              (size_t)(layer->weight - net->parameters), layer->weight_count);
        norms[i] = (cnn_layer_norms){sqrt(sum.weight), sqrt(sum.gradient), sqrt(sum.distance)};
        update_tensor(optimizer, net, threads, &tensor, (size_t)(layer->bias - net->parameters),
                      layer->bias_count);
    }
}
