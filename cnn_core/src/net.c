/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/net.h"
#include "cnn/random.h"
#include "cnn/status.h"
#include "float_arena.h"
#include "spec.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 2^31 floats of parameters are 8 GiB, and as much again for each of gradients, initial values and moments.
 */
static const size_t most_values = (size_t)1 << 31;

enum { LARGEST_INPUT = 1 << 20 }; /* rows, columns and channels, as in a data set */

static const char *const prefixes[] = {
    [CNN_CONV] = "conv", [CNN_RELU] = "relu",    [CNN_MAXPOOL] = "pool",
    [CNN_LINEAR] = "fc", [CNN_DROPOUT] = "drop",
};

/* Output extent of a window, and for `same` the zeros before the first value. */
static int window_extent(int in, int kernel, int stride, int same, int *pad)
{
    if (!same)
        return (in - kernel) / stride + 1;
    const int out = (in + stride - 1) / stride;
    const int zeros = (out - 1) * stride + kernel - in;
    *pad = zeros > 0 ? zeros / 2 : 0;
    return out;
}

/* A kernel larger than its input is refused under `same` too: it would see more padding than values. */
static int shape_window(cnn_layer *layer, int channels, int same)
{
    if (layer->kernel_h > layer->in.h || layer->kernel_w > layer->in.w)
        return cnn_fail(CNN_BAD_ARGUMENT, "layer \"%s\": kernel %dx%d exceeds its input %dx%d", layer->name,
                        layer->kernel_h, layer->kernel_w, layer->in.h, layer->in.w);
    layer->out.c = channels;
    layer->out.h = window_extent(layer->in.h, layer->kernel_h, layer->stride, same, &layer->pad_top);
    layer->out.w = window_extent(layer->in.w, layer->kernel_w, layer->stride, same, &layer->pad_left);
    return CNN_OK;
}

static int shape_layer(const cnn_spec_layer *written, cnn_layer *layer)
{
    int status = CNN_OK;
    layer->kernel_h = written->kernel_h;
    layer->kernel_w = written->kernel_w;
    layer->stride = written->stride;
    layer->rate = written->rate;
    layer->out = layer->in;
    switch (layer->kind) {
    case CNN_CONV:
        status = shape_window(layer, written->outputs, written->same);
        layer->weight_count = (size_t)written->outputs * (size_t)layer->in.c * (size_t)layer->kernel_h *
                              (size_t)layer->kernel_w;
        layer->bias_count = (size_t)written->outputs;
        break;
    case CNN_MAXPOOL:
        status = shape_window(layer, layer->in.c, 0);
        break;
    case CNN_LINEAR:
        layer->out = (cnn_shape){written->outputs, 1, 1};
        layer->weight_count = (size_t)written->outputs * cnn_shape_count(layer->in);
        layer->bias_count = (size_t)written->outputs;
        break;
    case CNN_RELU:
    case CNN_DROPOUT:
        break;
    }
    if (!status && (layer->weight_count > most_values || cnn_shape_count(layer->out) > most_values))
        status = cnn_fail(CNN_BAD_ARGUMENT, "layer \"%s\": %zu weights and %zu outputs, at most %zu",
                          layer->name, layer->weight_count, cnn_shape_count(layer->out), most_values);
    return status;
}

static int shape_layers(const cnn_spec *spec, cnn_net *net)
{
    int numbers[sizeof prefixes / sizeof prefixes[0]] = {0};
    cnn_shape shape = net->input;
    uint64_t random = 0;
    for (int i = 0; i < spec->count; i++) {
        cnn_layer *layer = &net->layers[i];
        layer->kind = spec->layers[i].kind;
        layer->in = shape;
        layer->random_base = random;
        snprintf(layer->name, sizeof layer->name, "%s%d", prefixes[layer->kind], ++numbers[layer->kind]);
        const int status = shape_layer(&spec->layers[i], layer);
        if (status)
            return status;
        shape = layer->out;
        if (layer->kind == CNN_DROPOUT)
            random += cnn_shape_count(shape);
        net->parameter_count += layer->weight_count + layer->bias_count;
        if (net->parameter_count > most_values)
            return cnn_fail(CNN_BAD_ARGUMENT, "net: more than %zu parameters", most_values);
    }
    const cnn_layer *last = &net->layers[spec->count - 1];
    if (last->kind != CNN_LINEAR)
        return cnn_fail(CNN_BAD_ARGUMENT, "net: the last layer is \"%s\", it must be linear %d", last->name,
                        net->classes);
    if (last->out.c != net->classes)
        return cnn_fail(CNN_BAD_ARGUMENT, "layer \"%s\": %d outputs, but there are %d classes", last->name,
                        last->out.c, net->classes);
    return CNN_OK;
}

/* Values U(-bound, bound) from the sequence of tensor number `tensor`. */
static void fill_uniform(uint64_t seed, uint64_t tensor, float bound, float *values, size_t count)
{
    uint32_t words[4];
    for (size_t i = 0; i < count; i++) {
        if (i % 4 == 0)
            cnn_random_block(seed, CNN_STREAM_INITIAL, tensor, (uint32_t)(i / 4), words);
        values[i] = (cnn_random_unit(words[i % 4]) * 2 - 1) * bound;
    }
}

static int allocate_parameters(cnn_net *net)
{
    const size_t count = net->parameter_count;
    net->parameters = cnn_float_arena(count);
    net->gradients = cnn_float_arena(count);
    net->initial = cnn_float_arena(count);
    if (!net->parameters || !net->gradients || !net->initial)
        return cnn_fail(CNN_NO_MEMORY, "net: no memory for %zu parameters", count);

    size_t at = 0;
    for (int i = 0; i < net->layer_count; i++) {
        cnn_layer *layer = &net->layers[i];
        if (!cnn_layer_has_parameters(layer))
            continue;
        const size_t bias = at + layer->weight_count;
        layer->weight = net->parameters + at;
        layer->weight_gradient = net->gradients + at;
        layer->weight_initial = net->initial + at;
        layer->bias = net->parameters + bias;
        layer->bias_gradient = net->gradients + bias;
        const float bound = 1.0f / sqrtf((float)(layer->weight_count / layer->bias_count));
        fill_uniform(net->seed, 2 * (uint64_t)i, bound, layer->weight, layer->weight_count);
        fill_uniform(net->seed, 2 * (uint64_t)i + 1, bound, layer->bias, layer->bias_count);
        at = bias + layer->bias_count;
    }
    memcpy(net->initial, net->parameters, count * sizeof(float));
    return CNN_OK;
}

/* The product cannot overflow once each extent is within its limit. */
static int check_input(cnn_shape input, int classes)
{
    if (input.c < 1 || input.h < 1 || input.w < 1 || classes < 1)
        return cnn_fail(CNN_BAD_ARGUMENT, "net: input %dx%dx%d and %d classes must all be at least 1",
                        input.c, input.h, input.w, classes);
    if (input.c > LARGEST_INPUT || input.h > LARGEST_INPUT || input.w > LARGEST_INPUT ||
        cnn_shape_count(input) > most_values)
        return cnn_fail(CNN_BAD_ARGUMENT, "net: input %dx%dx%d: at most %d in each direction, %zu in all",
                        input.c, input.h, input.w, LARGEST_INPUT, most_values);
    return CNN_OK;
}

/* A network with shapes and without parameters. */
static int make_shapes(const char *text, cnn_shape input, int classes, uint64_t seed, cnn_net **out)
{
    cnn_spec spec;
    int status = check_input(input, classes);
    if (!status)
        status = cnn_spec_parse(text, &spec);
    if (status)
        return status;

    cnn_net *net = calloc(1, sizeof *net);
    cnn_layer *layers = calloc((size_t)spec.count, sizeof *layers);
    if (!net || !layers) {
        free(net);
        free(layers);
        cnn_spec_free(&spec);
        return cnn_fail(CNN_NO_MEMORY, "net: no memory for %d layers", spec.count);
    }
    *net = (cnn_net){.spec = spec.text,
                     .input = input,
                     .classes = classes,
                     .seed = seed,
                     .layer_count = spec.count,
                     .layers = layers};
    spec.text = NULL;
    status = shape_layers(&spec, net);
    cnn_spec_free(&spec);
    if (status)
        cnn_net_free(net);
    else
        *out = net;
    return status;
}

int cnn_net_create(const char *text, cnn_shape input, int classes, uint64_t seed, cnn_net **out)
{
    cnn_net *net;
    int status = make_shapes(text, input, classes, seed, &net);
    if (status)
        return status;
    status = allocate_parameters(net);
    if (status)
        cnn_net_free(net);
    else
        *out = net;
    return status;
}

int cnn_net_measure(const char *text, cnn_shape input, int classes, size_t *parameters)
{
    cnn_net *net;
    const int status = make_shapes(text, input, classes, 0, &net);
    if (status)
        return status;
    *parameters = net->parameter_count;
    cnn_net_free(net);
    return CNN_OK;
}

void cnn_net_free(cnn_net *net)
{
    if (!net)
        return;
    for (int i = 0; i < net->layer_count; i++)
        free(net->layers[i].source);
    free(net->spec);
    free(net->layers);
    free(net->merges);
    free(net->parameters);
    free(net->gradients);
    free(net->initial);
    free(net);
}

cnn_layer *cnn_net_layer(cnn_net *net, const char *name)
{
    for (int i = 0; i < net->layer_count; i++)
        if (!strcmp(net->layers[i].name, name))
            return &net->layers[i];
    return NULL;
}
