/* SPDX-License-Identifier: BSD-3-Clause */
/* The length of the last update of each layer, from what a run leaves. */
#include "checkpoints.h"
#include "cnn/checkpoint.h"
#include "cnn/status.h"
#include "diagnose_parts.h"
#include "run_network.h"
#include "run_record.h"
#include "tell.h"
#include "text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the moments of a step say; formulas as in cnn/optimizer.h. */
typedef struct update_rule {
    const cnn_optimizer *optimizer;
    uint64_t step;
    double learning_rate;
} update_rule;

static double length_of(const update_rule *rule, size_t from, size_t count)
{
    const cnn_optimizer *optimizer = rule->optimizer;
    const cnn_optimizer_options *options = &optimizer->options;
    const double first = 1 - pow(options->beta1, (double)rule->step),
                 second = 1 - pow(options->beta2, (double)rule->step);
    double squares = 0;
    for (size_t i = from; i < from + count; i++) {
        double update = optimizer->moments[0][i];
        if (options->kind == CNN_ADAM)
            update = update / first / (sqrt(optimizer->moments[1][i] / second) + options->epsilon);
        squares += update * update;
    }
    return rule->learning_rate * sqrt(squares);
}

static double weight_length(const cnn_layer *layer)
{
    double squares = 0;
    for (size_t i = 0; i < layer->weight_count; i++)
        squares += (double)layer->weight[i] * layer->weight[i];
    return sqrt(squares);
}

static const json_t *option_of(const json_t *record, const char *name)
{
    return json_object_get(json_object_get(record, "options"), name);
}

/* The options of the record that the update depends on; 0 if they are not all there. */
static int read_options(const json_t *record, cnn_optimizer_options *out)
{
    const char *name = json_string_value(option_of(record, "optimizer"));
    cnn_optimizer_kind kind;
    if (!name || cnn_optimizer_parse(name, &kind))
        return 0;
    *out = cnn_optimizer_defaults(kind);
    const json_t *momentum = option_of(record, "momentum");
    if (kind == CNN_MOMENTUM && json_is_number(momentum))
        out->momentum = json_number_value(momentum);
    out->weight_decay = json_number_value(option_of(record, "weight-decay"));
    return 1;
}

/* Without moments the update is the gradient's, unless weights decay. */
static void of_gradients(const ws_story *story, const cnn_optimizer_options *options, update_length *out)
{
    for (uint32_t i = 0; i < story->layer_count; i++) {
        const ws_story_layer *layer = &story->layers[i];
        out[i].step = story->last_step;
        out[i].ratio =
            options->weight_decay > 0 ? NAN : story->learning_rate * layer->gradient / layer->weight;
    }
}

/* Layers of the network by their names: those of a story are in the same order, unless it is another's. */
static void of_moments(const ws_story *story, const cnn_net *net, const update_rule *rule, update_length *out)
{
    for (uint32_t i = 0; i < story->layer_count; i++)
        for (int j = 0; j < net->layer_count; j++) {
            const cnn_layer *layer = &net->layers[j];
            if (strcmp(layer->name, story->layers[i].name) || !cnn_layer_has_parameters(layer))
                continue;
            const size_t from = (size_t)(layer->weight - net->parameters);
            out[i].step = rule->step;
            out[i].ratio = length_of(rule, from, layer->weight_count) / weight_length(layer);
        }
}

/* Returns 0 if there is no such checkpoint; one that cannot be used is told. */
static int load(const run_folder *folder, const json_t *record, const cnn_optimizer_options *options,
                cnn_net **net, cnn_optimizer **optimizer, uint64_t *step)
{
    cnn_safetensors *file = NULL;
    int status = run_network_newest(folder, step);
    if (!status && !*step)
        return 0;
    if (!status)
        status = run_network_load(folder, record, *step, net);
    char *path = checkpoint_path(folder->checkpoints, *step);
    if (!status)
        status = cnn_safetensors_open(path, &file);
    free(path);
    if (!status)
        status = cnn_optimizer_create(options, *net, optimizer);
    if (!status)
        status = cnn_checkpoint_load_optimizer(file, *net, *optimizer);
    cnn_safetensors_close(file);
    if (status)
        tell_warning("%s; the last updates are not told", cnn_message());
    return !status;
}

update_length *update_lengths(const run_folder *folder, const json_t *record, const ws_story *story)
{
    cnn_optimizer_options options;
    if (!read_options(record, &options))
        return NULL;
    update_length *out = memory_of(story->layer_count + 1, sizeof *out);
    for (uint32_t i = 0; i < story->layer_count; i++)
        out[i].ratio = NAN;
    cnn_net *net = NULL;
    cnn_optimizer *optimizer = NULL;
    update_rule rule = {.learning_rate = story->learning_rate};
    if (options.kind == CNN_SGD) {
        of_gradients(story, &options, out);
    } else if (load(folder, record, &options, &net, &optimizer, &rule.step)) {
        rule.optimizer = optimizer;
        of_moments(story, net, &rule, out);
    }
    cnn_optimizer_free(optimizer);
    cnn_net_free(net);
    return out;
}
