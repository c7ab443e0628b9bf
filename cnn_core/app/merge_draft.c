/* SPDX-License-Identifier: BSD-3-Clause */
#include "merge_draft.h"
#include "cnn/status.h"
#include "json_number.h"
#include "tell.h"
#include "text.h"
#include <math.h>
#include <stdlib.h>

enum { EVALUATION_BATCH = 100 };

/* What is being worked out. */
typedef struct work {
    const merge_ground *ground;
    const merge_spec *spec;
    merge_draft draft;
    json_t *layers;
    double base, predicted; /* losses over the probe: before all, and by how much it has changed */
    int is_judged;
    cnn_evaluation first, last; /* on the judge: before all, and so far */
} work;

static cnn_net *net_of(const work *in)
{
    return in->draft.net ? in->draft.net : in->ground->net;
}

static const cnn_optimizer *optimizer_of(const work *in)
{
    return in->draft.net ? in->draft.optimizer : in->ground->optimizer;
}

/* ---- what is told ---- */

/* The units of a group, or, for -2, those that nobody speaks for. */
static json_t *units_of(const cnn_merge_plan *plan, int group)
{
    json_t *units = json_array();
    for (int i = 0; i < plan->before; i++)
        if (group == -2 ? plan->into[i] < 0 : plan->group[i] == group)
            json_array_append_new(units, json_integer(i));
    return units;
}

static json_t *groups_of(const cnn_merge_plan *plan)
{
    json_t *groups = json_array();
    for (int group = 0;; group++) {
        json_t *units = units_of(plan, group);
        if (!json_array_size(units)) {
            json_decref(units);
            return groups;
        }
        json_array_append_new(groups, units);
    }
}

/* "0+5+9" */
static char *units_text(const json_t *units)
{
    char *text = text_copy("");
    size_t i;
    const json_t *unit;
    json_array_foreach(units, i, unit)
    {
        char *longer = text_format("%s%s%lld", text, i ? "+" : "", (long long)json_integer_value(unit));
        free(text);
        text = longer;
    }
    return text;
}

/* "groups 0+5, 2+7", or "without 3+4" where nobody takes over. */
static char *choice_text(const cnn_merge_plan *plan)
{
    json_t *groups = groups_of(plan), *gone = units_of(plan, -2);
    char *text = text_copy(""), *last = units_text(gone);
    size_t i;
    const json_t *group;
    json_array_foreach(groups, i, group)
    {
        char *units = units_text(group), *longer = text_format("%s%s%s", text, i ? ", " : "groups ", units);
        free(units);
        free(text);
        text = longer;
    }
    char *all = text_format("%s%s%s%s", text, *text && *last ? ", " : "", *last ? "without " : "", last);
    json_decref(groups);
    json_decref(gone);
    free(text);
    free(last);
    return all;
}

static const char *units_name(const cnn_layer *layer)
{
    return layer->kind == CNN_CONV ? "filters" : "units";
}

/* "conv1 16 -> 12 filters, groups 0+5, 2+7; predicted change of the loss +0.0012 (0.1034 on 1000 images)" */
static char *plan_text(const work *in, const cnn_merge_plan *plan)
{
    const cnn_layer *layer = &net_of(in)->layers[plan->layer];
    char *choice = choice_text(plan);
    char *text = text_format("%s %d -> %d %s, %s; predicted change of the loss %+.6f (%.6f on %u images)",
                             layer->name, plan->before, plan->after, units_name(layer), choice,
                             cnn_merge_predicted(plan), plan->loss_before, in->ground->probe->count);
    free(choice);
    return text;
}

/* ---- one layer ---- */

static json_t *layer_result(const work *in, const cnn_merge_plan *plan, double measured)
{
    json_t *kept = json_array();
    for (int i = 0; i < plan->before; i++)
        if (plan->into[i] == i)
            json_array_append_new(kept, json_integer(i));
    return json_pack("{s:s, s:i, s:i, s:o, s:o, s:o, s:o}", "layer",
                     in->ground->net->layers[plan->layer].name, "before", plan->before, "after", plan->after,
                     "groups", groups_of(plan), "kept", kept, "predicted",
                     json_number(cnn_merge_predicted(plan)), "measured", json_number(measured));
}

static void refuse(work *in, const cnn_merge_plan *plan, double change)
{
    char *what = plan_text(in, plan),
         *line = change > cnn_merge_predicted(plan) || change < cnn_merge_predicted(plan)
                     ? text_format("%s, %+.6f with the layers before it: above bound=%g", what, change,
                                   in->spec->bound)
                     : text_format("%s: above bound=%g", what, in->spec->bound);
    tell_warning("merge after step %llu refused: %s", (unsigned long long)in->ground->step, line);
    json_array_append_new(in->draft.refused, json_string(line));
    free(what);
    free(line);
}

static int judge(const work *in, cnn_net *net, cnn_evaluation *out)
{
    return cnn_evaluate(net, in->ground->judge, EVALUATION_BATCH, in->ground->threads, out);
}

/* What there was before the first layer that is merged. */
static int judge_first(work *in)
{
    int status = CNN_OK;
    if (in->is_judged)
        return CNN_OK;
    if (in->ground->known)
        in->first = *in->ground->known;
    else
        status = judge(in, in->ground->net, &in->first);
    in->last = in->first;
    in->is_judged = !status;
    return status;
}

/* Makes the merged network the one that the next layer goes on with. */
static int take(work *in, const cnn_merge_plan *plan)
{
    cnn_net *net;
    cnn_optimizer *optimizer;
    cnn_evaluation now;
    int status = judge_first(in);
    if (!status)
        status = cnn_merge_apply(plan, net_of(in), optimizer_of(in), in->ground->step, &net, &optimizer);
    if (status)
        return status;
    status = judge(in, net, &now);
    if (status) {
        cnn_net_free(net);
        cnn_optimizer_free(optimizer);
        return status;
    }
    const double measured = now.loss - in->last.loss;
    net->merges[net->merge_count - 1].measured = measured;
    json_array_append_new(in->layers, layer_result(in, plan, measured));
    cnn_net_free(in->draft.net);
    cnn_optimizer_free(in->draft.optimizer);
    in->draft.net = net;
    in->draft.optimizer = optimizer;
    in->predicted = plan->loss_after - in->base;
    in->last = now;
    return CNN_OK;
}

static int merge_layer(work *in, int index)
{
    cnn_net *net = net_of(in);
    const cnn_merge_options options = merge_spec_options(in->spec, index, net->seed);
    cnn_merge_plan plan;
    int layer, status = cnn_merge_find_layer(net, merge_spec_layer(in->spec, net, index), &layer);
    if (!status)
        status = cnn_merge_plan_make(net, layer, &options, in->ground->probe, in->ground->threads, &plan);
    if (status)
        return status;
    if (!in->draft.net)
        in->base = plan.loss_before;
    const double change = plan.loss_after - in->base;
    if (plan.after < plan.before && change > in->spec->bound) {
        refuse(in, &plan, change);
    } else if (plan.after < plan.before) {
        char *text = plan_text(in, &plan),
             *line = text_format("merge after step %llu: %s", (unsigned long long)in->ground->step, text);
        if (!in->ground->quiet)
            tell_line(line);
        free(line);
        free(text);
        status = take(in, &plan);
    }
    cnn_merge_plan_free(&plan);
    return status;
}

/* ---- all ---- */

static json_t *result_of(const work *in)
{
    return json_pack("{s:s, s:O, s:o, s:o, s:s, s:I, s:o, s:o, s:o, s:o}", "net", in->draft.net->spec,
                     "layers", in->layers, "predicted", json_number(in->predicted), "measured",
                     json_number(in->last.loss - in->first.loss), "measured_on", in->ground->judge_name,
                     "images", (json_int_t)in->ground->judge->count, "loss_before",
                     json_number(in->first.loss), "loss_after", json_number(in->last.loss), "accuracy_before",
                     json_number(in->first.accuracy), "accuracy_after", json_number(in->last.accuracy));
}

int merge_draft_make(const merge_ground *ground, const merge_spec *spec, merge_draft *out)
{
    work in = {.ground = ground, .spec = spec, .layers = json_array(), .draft = {.refused = json_array()}};
    int status = CNN_OK;
    for (int i = 0; i < merge_spec_layer_count(spec, ground->net) && !status; i++)
        status = merge_layer(&in, i);
    if (!status && in.draft.net)
        in.draft.result = result_of(&in);
    json_decref(in.layers);
    if (status)
        merge_draft_free(&in.draft);
    else
        *out = in.draft;
    return status;
}

void merge_draft_free(merge_draft *draft)
{
    cnn_net_free(draft->net);
    cnn_optimizer_free(draft->optimizer);
    json_decref(draft->result);
    json_decref(draft->refused);
    *draft = (merge_draft){0};
}
