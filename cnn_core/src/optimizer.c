/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/optimizer.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include "float_arena.h"
#include "update.h"
#include <stdlib.h>
#include <string.h>

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
    optimizer->squares =
        calloc((size_t)cnn_update_stretches(net, net->layer_count), sizeof *optimizer->squares);
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

void cnn_optimizer_step(cnn_optimizer *optimizer, cnn_net *net, cnn_threads *threads, double learning_rate,
                        uint64_t step, cnn_layer_norms *norms)
{
    cnn_update_step update;
    cnn_update_begin(&update, optimizer, net, learning_rate, step);
    cnn_update_finish(&update, threads, norms);
}
