/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/merge.h"
#include "cnn/status.h"
#include "merge_parts.h"
#include "spec.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(const cnn_net *net)
{
    return cnn_fail(CNN_NO_MEMORY, "merge: no memory for %zu parameters", net->parameter_count);
}

static int check_finite(const char *what, const char *layer, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return cnn_fail(CNN_NOT_FINITE, "merge: layer \"%s\": value %zu of the merged %s is not finite",
                            layer, i, what);
    return CNN_OK;
}

static int make_net(const cnn_merge_plan *plan, const cnn_net *net, cnn_net **out)
{
    char *spec;
    int status = cnn_spec_resize(net->spec, plan->layer, plan->after, &spec);
    if (status)
        return status;
    cnn_net *merged;
    status = cnn_net_create(spec, net->input, net->classes, net->seed, &merged);
    free(spec);
    if (status)
        return status;
    status = cnn_merge_arena(plan, CNN_RULE_WEIGHT, net, net->parameters, merged, merged->parameters);
    if (!status)
        status = cnn_merge_arena(plan, CNN_RULE_GRADIENT, net, net->gradients, merged, merged->gradients);
    if (!status)
        status = cnn_merge_arena(plan, CNN_RULE_INITIAL, net, net->initial, merged, merged->initial);
    const cnn_layer *consumer = &merged->layers[plan->consumer];
    if (!status)
        status = check_finite("weights", consumer->name, consumer->weight, consumer->weight_count);
    if (!status)
        status = check_finite("bias", consumer->name, consumer->bias, consumer->bias_count);
    if (status)
        cnn_net_free(merged);
    else
        *out = merged;
    return status;
}

/* Where the units of one layer come from. */
static int copy_source(const cnn_merge_plan *plan, const cnn_layer *from, int is_merged, cnn_layer *to)
{
    if (!from->source && !is_merged)
        return CNN_OK;
    to->source = malloc((size_t)to->out.c * sizeof *to->source);
    if (!to->source)
        return cnn_fail(CNN_NO_MEMORY, "layer \"%s\": no memory for %d units", to->name, to->out.c);
    int at = 0;
    for (int unit = 0; unit < from->out.c; unit++)
        if (!is_merged || plan->into[unit] == unit)
            to->source[at++] = from->source ? from->source[unit] : unit;
    return CNN_OK;
}

static int copy_merges(const cnn_merge_plan *plan, const cnn_net *net, uint64_t step, cnn_net *merged)
{
    const int is_merge = plan->after < plan->before;
    if (net->merge_count + is_merge == 0)
        return CNN_OK;
    merged->merges = calloc((size_t)(net->merge_count + 1), sizeof *merged->merges);
    if (!merged->merges)
        return no_memory(net);
    if (net->merge_count)
        memcpy(merged->merges, net->merges, (size_t)net->merge_count * sizeof *merged->merges);
    merged->merge_count = net->merge_count + is_merge;
    if (is_merge)
        merged->merges[net->merge_count] = (cnn_merge_record){
            .step = step,
            .layer = plan->layer,
            .before = plan->before,
            .after = plan->after,
            .method = plan->options.method,
            .threshold = plan->options.method == CNN_MERGE_SIMILAR ? plan->options.threshold : (double)NAN,
            .predicted = cnn_merge_predicted(plan),
            .measured = (double)NAN};
    return CNN_OK;
}

/* What a network has beside its arenas. */
static int copy_rest(const cnn_merge_plan *plan, const cnn_net *net, uint64_t step, cnn_net *merged)
{
    int status = copy_merges(plan, net, step, merged);
    for (int i = 0; i < net->layer_count && !status; i++) {
        merged->layers[i].rate = net->layers[i].rate;
        status = copy_source(plan, &net->layers[i], i == plan->layer && plan->after < plan->before,
                             &merged->layers[i]);
    }
    return status;
}

static int make_optimizer(const cnn_merge_plan *plan, const cnn_net *net, const cnn_optimizer *optimizer,
                          const cnn_net *merged, cnn_optimizer **out)
{
    cnn_optimizer *made;
    int status = cnn_optimizer_create(&optimizer->options, merged, &made);
    if (status)
        return status;
    for (int i = 0; i < made->moment_count && !status; i++) {
        status = cnn_merge_arena(plan, i == 1 ? CNN_RULE_SQUARE : CNN_RULE_GRADIENT, net,
                                 optimizer->moments[i], merged, made->moments[i]);
        for (int l = 0; l < merged->layer_count && !status; l++) {
            const cnn_layer *layer = &merged->layers[l];
            if (cnn_layer_has_parameters(layer))
                status = check_finite(cnn_optimizer_moment_name(optimizer->options.kind, i), layer->name,
                                      made->moments[i] + (layer->weight - merged->parameters),
                                      layer->weight_count + layer->bias_count);
        }
    }
    if (status)
        cnn_optimizer_free(made);
    else
        *out = made;
    return status;
}

int cnn_merge_apply(const cnn_merge_plan *plan, const cnn_net *net, const cnn_optimizer *optimizer,
                    uint64_t step, cnn_net **out, cnn_optimizer **out_optimizer)
{
    cnn_net *merged;
    int status = make_net(plan, net, &merged);
    if (status)
        return status;
    cnn_optimizer *made = NULL;
    status = copy_rest(plan, net, step, merged);
    if (!status && optimizer)
        status = make_optimizer(plan, net, optimizer, merged, &made);
    if (status) {
        cnn_net_free(merged);
        return status;
    }
    *out = merged;
    if (optimizer)
        *out_optimizer = made;
    return CNN_OK;
}
