/* SPDX-License-Identifier: BSD-3-Clause */
#include "merge_report.h"
#include "json_number.h"
#include <stdio.h>

/* One unit that stays, and those for which it speaks from now on. */
static json_t *group_of(const cnn_merge_plan *plan, int unit)
{
    json_t *others = json_array();
    for (int j = 0; j < plan->before; j++)
        if (j != unit && plan->into[j] == unit)
            json_array_append_new(others,
                                  json_pack("{s:i, s:o, s:o}", "unit", j, "alpha",
                                            json_number(plan->alpha[j]), "beta", json_number(plan->beta[j])));
    if (!json_array_size(others)) {
        json_decref(others);
        return NULL;
    }
    return json_pack("{s:i, s:o}", "stays", unit, "speaks_for", others);
}

json_t *merge_report_layer(const cnn_net *before, const cnn_merge_plan *plan, double measured)
{
    json_t *groups = json_array(), *removed = json_array();
    for (int unit = 0; unit < plan->before; unit++) {
        json_t *group = plan->into[unit] == unit ? group_of(plan, unit) : NULL;
        if (group)
            json_array_append_new(groups, group);
        if (plan->into[unit] < 0)
            json_array_append_new(removed, json_integer(unit));
    }
    return json_pack("{s:s, s:i, s:i, s:o, s:o, s:o, s:o}", "layer", before->layers[plan->layer].name,
                     "before", plan->before, "after", plan->after, "groups", groups, "removed", removed,
                     "predicted", json_number(cnn_merge_predicted(plan)), "measured", json_number(measured));
}

json_t *merge_report(json_t *layers, double predicted, const char *set, const cnn_evaluation *before,
                     const cnn_evaluation *after, const cnn_net *merged, const char *output)
{
    return json_pack("{s:o, s:o, s:s, s:I, s:o, s:o, s:o, s:o, s:s, s:s}", "layers", layers, "predicted",
                     json_number(predicted), "set", set, "evaluated", (json_int_t)before->count,
                     "loss_before", json_number(before->loss), "loss_after", json_number(after->loss),
                     "accuracy_before", json_number(before->accuracy), "accuracy_after",
                     json_number(after->accuracy), "net", merged->spec, "output", output);
}

static double number_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void print_group(const json_t *group)
{
    printf("  unit %d speaks for", (int)number_of(group, "stays"));
    size_t index;
    const json_t *other;
    json_array_foreach(json_object_get(group, "speaks_for"), index, other)
        printf("%s %d (%.4g, %+.4g)", index ? "," : "", (int)number_of(other, "unit"),
               number_of(other, "alpha"), number_of(other, "beta"));
    putchar('\n');
}

static void print_layer(const json_t *layer)
{
    const int before = (int)number_of(layer, "before"), after = (int)number_of(layer, "after");
    if (before == after) {
        printf("%s: %d units, nothing to merge\n", text_of(layer, "layer"), before);
        return;
    }
    printf("%s: %d -> %d units, loss predicted %+.6f, measured %+.6f\n", text_of(layer, "layer"), before,
           after, number_of(layer, "predicted"), number_of(layer, "measured"));
    size_t index;
    const json_t *entry, *removed = json_object_get(layer, "removed");
    json_array_foreach(json_object_get(layer, "groups"), index, entry) print_group(entry);
    json_array_foreach(removed, index, entry)
        printf("%s %d", index ? "," : "  nobody speaks for", (int)json_integer_value(entry));
    if (json_array_size(removed))
        putchar('\n');
}

void merge_report_print(const json_t *report)
{
    size_t index;
    const json_t *layer;
    json_array_foreach(json_object_get(report, "layers"), index, layer) print_layer(layer);
    printf("%s set, %d images: loss %.6f -> %.6f, accuracy %.2f %% -> %.2f %%\n%s: %s\n",
           text_of(report, "set"), (int)number_of(report, "evaluated"), number_of(report, "loss_before"),
           number_of(report, "loss_after"), 100 * number_of(report, "accuracy_before"),
           100 * number_of(report, "accuracy_after"), text_of(report, "output"), text_of(report, "net"));
}
