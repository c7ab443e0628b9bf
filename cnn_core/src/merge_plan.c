/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/merge.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include "cnn/trainer.h"
#include "merge_parts.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Images of the probe at a time. */
enum { BATCH = 100 };

cnn_merge_options cnn_merge_defaults(void)
{
    return (cnn_merge_options){.method = CNN_MERGE_SIMILAR, .threshold = 0.9, .minimum = 1};
}

/* The next layer with parameters, -1 for the last one. */
static int consumer_of(const cnn_net *net, int layer)
{
    for (int i = layer + 1; i < net->layer_count; i++)
        if (cnn_layer_has_parameters(&net->layers[i]))
            return i;
    return -1;
}

static int check_layer(const cnn_net *net, int index)
{
    if (index < 0 || index >= net->layer_count)
        return cnn_fail(CNN_BAD_ARGUMENT, "merge: layer %d is not in 0..%d", index, net->layer_count - 1);
    const cnn_layer *layer = &net->layers[index];
    if (!cnn_layer_has_parameters(layer))
        return cnn_fail(CNN_BAD_ARGUMENT, "merge: layer \"%s\" has no units of its own", layer->name);
    if (consumer_of(net, index) < 0)
        return cnn_fail(CNN_BAD_ARGUMENT, "merge: the outputs of layer \"%s\" are the classes, they stay",
                        layer->name);
    return CNN_OK;
}

int cnn_merge_find_layer(const cnn_net *net, const char *name, int *out)
{
    for (int i = 0; i < net->layer_count; i++)
        if (!strcmp(net->layers[i].name, name)) {
            const int status = check_layer(net, i);
            if (!status)
                *out = i;
            return status;
        }
    return cnn_fail(CNN_BAD_ARGUMENT, "merge: there is no layer \"%s\" in \"%s\"", name, net->spec);
}

static int check_options(const cnn_merge_options *options)
{
    char text[CNN_NUMBER_SIZE];
    if (options->method == CNN_MERGE_SIMILAR && !(options->threshold >= -1 && options->threshold <= 1))
        return cnn_fail(CNN_BAD_ARGUMENT, "merge: threshold: %s is not in -1..1",
                        cnn_format_real(options->threshold, text));
    if (options->keep < 0 || options->most < 0)
        return cnn_fail(CNN_BAD_ARGUMENT, "merge: %s: %d is not at least 0",
                        options->keep < 0 ? "keep" : "most",
                        options->keep < 0 ? options->keep : options->most);
    if (options->minimum < 1)
        return cnn_fail(CNN_BAD_ARGUMENT, "merge: minimum: %d is not at least 1", options->minimum);
    if (options->method != CNN_MERGE_SIMILAR && !options->keep && !options->most)
        return cnn_fail(CNN_BAD_ARGUMENT,
                        "merge: method %s needs the number that it is to keep, or at most to take",
                        cnn_merge_method_name(options->method));
    return CNN_OK;
}

static int check_parameters(const cnn_net *net)
{
    for (int i = 0; i < net->layer_count; i++) {
        const cnn_layer *layer = &net->layers[i];
        const size_t count = layer->weight_count + layer->bias_count;
        for (size_t j = 0; j < count; j++)
            if (!isfinite(layer->weight[j]))
                return cnn_fail(CNN_NOT_FINITE, "merge: layer \"%s\": %s %zu is not finite", layer->name,
                                j < layer->weight_count ? "weight" : "bias",
                                j < layer->weight_count ? j : j - layer->weight_count);
    }
    return CNN_OK;
}

/* A plan by which every unit stays. */
static int make_plan(const cnn_net *net, int layer, const cnn_merge_options *options, cnn_merge_plan *out)
{
    const int before = net->layers[layer].out.c;
    cnn_merge_plan plan = {.options = *options,
                           .layer = layer,
                           .consumer = consumer_of(net, layer),
                           .before = before,
                           .after = before};
    plan.group = malloc((size_t)before * sizeof *plan.group);
    plan.into = malloc((size_t)before * sizeof *plan.into);
    plan.alpha = malloc((size_t)before * sizeof *plan.alpha);
    plan.beta = calloc((size_t)before, sizeof *plan.beta);
    if (!plan.group || !plan.into || !plan.alpha || !plan.beta) {
        cnn_merge_plan_free(&plan);
        return cnn_fail(CNN_NO_MEMORY, "merge: no memory for %d units", before);
    }
    for (int unit = 0; unit < before; unit++) {
        plan.group[unit] = -1;
        plan.into[unit] = unit;
        plan.alpha[unit] = 1;
    }
    *out = plan;
    return CNN_OK;
}

/* Counts those that stay, and numbers the groups of those that become one. */
static void number_groups(cnn_merge_plan *plan)
{
    int32_t groups = 0;
    plan->after = 0;
    for (int unit = 0; unit < plan->before; unit++) {
        plan->after += plan->into[unit] == unit;
        for (int other = 0; other < plan->before && plan->into[unit] >= 0 && plan->group[unit] < 0; other++)
            if (other != unit && plan->into[other] == plan->into[unit])
                plan->group[unit] = plan->group[other] >= 0 ? plan->group[other] : groups++;
    }
}

static int evaluate(cnn_net *net, const cnn_dataset *probe, cnn_threads *threads, const char *what,
                    double *loss, double *accuracy)
{
    cnn_evaluation result;
    const int status = cnn_evaluate(net, probe, BATCH, threads, &result);
    if (status)
        return status;
    if (!isfinite(result.loss))
        return cnn_fail(CNN_NOT_FINITE, "merge: the loss of the %s network on the probe is not finite", what);
    *loss = result.loss;
    *accuracy = result.accuracy;
    return CNN_OK;
}

/* Tries the merge on the probe. */
static int predict(cnn_merge_plan *plan, cnn_net *net, const cnn_dataset *probe, cnn_threads *threads)
{
    int status = evaluate(net, probe, threads, "present", &plan->loss_before, &plan->accuracy_before);
    if (status)
        return status;
    plan->loss_after = plan->loss_before;
    plan->accuracy_after = plan->accuracy_before;
    if (plan->after == plan->before)
        return CNN_OK;
    cnn_net *merged;
    status = cnn_merge_apply(plan, net, NULL, 0, &merged, NULL);
    if (status)
        return status;
    status = evaluate(merged, probe, threads, "merged", &plan->loss_after, &plan->accuracy_after);
    cnn_net_free(merged);
    return status;
}

int cnn_merge_plan_make(cnn_net *net, int layer, const cnn_merge_options *options, const cnn_dataset *probe,
                        cnn_threads *threads, cnn_merge_plan *out)
{
    int status = check_layer(net, layer);
    if (!status)
        status = check_options(options);
    if (!status && probe->count == 0)
        status = cnn_fail(CNN_BAD_ARGUMENT, "merge: the probe has no images");
    if (!status)
        status = check_parameters(net);
    cnn_merge_plan plan;
    if (!status)
        status = make_plan(net, layer, options, &plan);
    if (status)
        return status;
    status = options->method == CNN_MERGE_SIMILAR ? cnn_merge_choose_similar(&plan, net, probe, threads)
                                                  : cnn_merge_choose_others(&plan, net);
    if (!status) {
        number_groups(&plan);
        status = predict(&plan, net, probe, threads);
    }
    if (status)
        cnn_merge_plan_free(&plan);
    else
        *out = plan;
    return status;
}

void cnn_merge_plan_free(cnn_merge_plan *plan)
{
    free(plan->group);
    free(plan->into);
    free(plan->alpha);
    free(plan->beta);
    *plan = (cnn_merge_plan){0};
}
