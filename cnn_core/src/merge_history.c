/* SPDX-License-Identifier: BSD-3-Clause */
#include "merge_history.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_ENTRY = 320 };

/* JSON has no NaN. */
static const char *number_text(double value, char text[CNN_NUMBER_SIZE])
{
    return isfinite(value) ? cnn_format_real(value, text) : "null";
}

char *cnn_merge_history_text(const cnn_net *net)
{
    const size_t size = (size_t)net->merge_count * LONGEST_ENTRY + 3;
    char *text = malloc(size);
    size_t at = 0;
    for (int i = 0; text && i < net->merge_count; i++) {
        const cnn_merge_record *r = &net->merges[i];
        char threshold[CNN_NUMBER_SIZE], predicted[CNN_NUMBER_SIZE], measured[CNN_NUMBER_SIZE];
        at += (size_t)snprintf(text + at, size - at,
                               "%s{\"step\": %llu, \"layer\": \"%s\", \"before\": %d, \"after\": %d, "
                               "\"method\": \"%s\", \"threshold\": %s, \"predicted\": %s, \"measured\": %s}",
                               i ? ", " : "[", (unsigned long long)r->step, net->layers[r->layer].name,
                               r->before, r->after, cnn_merge_method_name(r->method),
                               number_text(r->threshold, threshold), number_text(r->predicted, predicted),
                               number_text(r->measured, measured));
    }
    if (text)
        snprintf(text + at, size - at, at ? "]" : "[]");
    return text;
}

static int layer_of(const cnn_net *net, const char *name)
{
    for (int i = 0; i < net->layer_count; i++)
        if (cnn_layer_has_parameters(&net->layers[i]) && !strcmp(net->layers[i].name, name))
            return i;
    return -1;
}

/* null is NaN; 1 and *out set, or 0. */
static int read_real(const json_t *value, double *out)
{
    *out = json_is_null(value) ? (double)NAN : json_number_value(value);
    return json_is_null(value) || json_is_number(value);
}

static int read_entry(const json_t *entry, const cnn_net *net, cnn_merge_record *out)
{
    json_int_t step, before, after;
    const char *layer, *method;
    json_t *threshold, *predicted, *measured;
    if (json_unpack((json_t *)entry, "{s:I, s:s, s:I, s:I, s:s, s:o, s:o, s:o}", "step", &step, "layer",
                    &layer, "before", &before, "after", &after, "method", &method, "threshold", &threshold,
                    "predicted", &predicted, "measured", &measured))
        return 0;
    *out = (cnn_merge_record){
        .step = (uint64_t)step, .layer = layer_of(net, layer), .before = (int)before, .after = (int)after};
    return step >= 0 && after >= 1 && after < before && before <= INT_MAX && out->layer >= 0 &&
           !cnn_merge_method_parse(method, &out->method) && read_real(threshold, &out->threshold) &&
           read_real(predicted, &out->predicted) && read_real(measured, &out->measured);
}

int cnn_merge_history_parse(const char *path, const char *text, const cnn_net *net, cnn_merge_record **out,
                            int *count)
{
    json_t *list = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const size_t size = json_array_size(list);
    if (!json_is_array(list) || size > INT_MAX) {
        json_decref(list);
        return cnn_fail(CNN_BAD_FILE, "%s: metadata %s is not a JSON list", path, CNN_MERGE_HISTORY);
    }
    cnn_merge_record *records = calloc(size + 1, sizeof *records);
    int status = records ? CNN_OK : cnn_fail(CNN_NO_MEMORY, "%s: no memory for %zu merges", path, size);
    for (size_t i = 0; i < size && !status; i++)
        if (!read_entry(json_array_get(list, i), net, &records[i]))
            status = cnn_fail(CNN_BAD_FILE, "%s: metadata %s: entry %zu is not a merge of this network", path,
                              CNN_MERGE_HISTORY, i);
    json_decref(list);
    if (status) {
        free(records);
    } else {
        *out = records;
        *count = (int)size;
    }
    return status;
}
