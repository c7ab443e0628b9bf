/* SPDX-License-Identifier: BSD-3-Clause */
#include "merged_filters.h"
#include "cnn/checkpoint.h"
#include "cnn/status.h"
#include "merge_states.h"
#include "run_network.h"
#include "tell.h"
#include "text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One convolution. Filters and channels are named by the numbers that they had when the run began. */
typedef struct layer_past {
    char name[CNN_NAME_SIZE];
    int number;     /* of the layer in the network */
    int before;     /* the convolution whose filters are its channels; -1: the images' channels */
    int whole[2];   /* filters, channels */
    size_t kernel;  /* weights of a filter for a channel */
    double range;   /* largest absolute initial weight */
    int *present;   /* owned: filters that are there */
    int count;      /* of those */
    double *merged; /* owned, [gone,3], as in ws_layer */
    float *weight;  /* owned, [gone,whole[1],kernel] */
    uint32_t gone;
} layer_past;

struct merged_filters {
    layer_past *layers; /* owned */
    int layer_count;
};

/* ---- a run's beginning ---- */

static double largest(const float *values, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs((double)values[i]));
    return most;
}

static layer_past begin_layer(const cnn_net *whole, int number, int before)
{
    const cnn_layer *layer = &whole->layers[number];
    layer_past past = {.number = number,
                       .before = before,
                       .whole = {layer->out.c, layer->in.c},
                       .kernel = (size_t)(layer->kernel_h * layer->kernel_w),
                       .range = largest(layer->weight_initial, layer->weight_count),
                       .present = memory_of((size_t)layer->out.c, sizeof *past.present),
                       .count = layer->out.c};
    memcpy(past.name, layer->name, sizeof past.name);
    for (int i = 0; i < past.count; i++)
        past.present[i] = i;
    return past;
}

merged_filters *merged_filters_open(const cnn_net *whole)
{
    merged_filters *of = memory_of(1, sizeof *of);
    of->layers = memory_of((size_t)whole->layer_count + 1, sizeof *of->layers);
    for (int i = 0; i < whole->layer_count; i++)
        if (whole->layers[i].kind == CNN_CONV) {
            of->layers[of->layer_count] = begin_layer(whole, i, of->layer_count - 1);
            of->layer_count++;
        }
    return of;
}

void merged_filters_close(merged_filters *of)
{
    if (!of)
        return;
    for (int i = 0; i < of->layer_count; i++) {
        free(of->layers[i].present);
        free(of->layers[i].merged);
        free(of->layers[i].weight);
    }
    free(of->layers);
    free(of);
}

/* ---- a merge ---- */

static int has(const json_t *numbers, int number)
{
    size_t i;
    const json_t *one;
    json_array_foreach(numbers, i, one)
    {
        if (json_integer_value(one) == number)
            return 1;
    }
    return 0;
}

/* The filter that stays of the group of filter `number`, -1: none speaks for it; numbers as before the merge.
 */
static int taken_by(const json_t *result, int number)
{
    size_t i, j;
    const json_t *group, *one, *kept = json_object_get(result, "kept");
    json_array_foreach(json_object_get(result, "groups"), i, group)
    {
        if (!has(group, number))
            continue;
        json_array_foreach(group, j, one)
        {
            if (has(kept, (int)json_integer_value(one)))
                return (int)json_integer_value(one);
        }
    }
    return -1;
}

static const json_t *result_of(const json_t *result, const char *layer)
{
    size_t i;
    const json_t *of;
    json_array_foreach(json_object_get(result, "layers"), i, of)
    {
        const char *name = json_string_value(json_object_get(of, "layer"));
        if (name && !strcmp(name, layer))
            return of;
    }
    return NULL;
}

/* Whether the network has those filters of the layer which are there. */
static int is_at(const layer_past *past, const cnn_net *net)
{
    const cnn_layer *layer = &net->layers[past->number];
    if (layer->out.c != past->count)
        return 0;
    for (int i = 0; i < past->count; i++)
        if ((layer->source ? layer->source[i] : i) != past->present[i])
            return 0;
    return 1;
}

/* The weights of a filter, each channel in the place that it had when the run began. */
static void place_weights(const merged_filters *of, const layer_past *past, const cnn_net *net, int filter,
                          float *out)
{
    for (size_t i = 0; i < (size_t)past->whole[1] * past->kernel; i++)
        out[i] = NAN;
    if (!net)
        return;
    const layer_past *before = past->before < 0 ? NULL : &of->layers[past->before];
    const cnn_layer *layer = &net->layers[past->number];
    const float *weight = layer->weight + (size_t)filter * (size_t)layer->in.c * past->kernel;
    for (int c = 0; c < layer->in.c; c++) {
        const int place = before ? before->present[c] : c;
        memcpy(out + (size_t)place * past->kernel, weight + (size_t)c * past->kernel,
               past->kernel * sizeof *out);
    }
}

/* Makes room, once, for as many as can go: who looks at it goes on with the same memory. */
static void reserve(layer_past *past)
{
    const size_t most = (size_t)past->whole[0], each = (size_t)past->whole[1] * past->kernel;
    if (past->merged)
        return;
    past->merged = memory_of(most, 3 * sizeof *past->merged);
    past->weight = memory_of(most * each, sizeof *past->weight);
}

static void leave(const merged_filters *of, layer_past *past, const json_t *result, uint64_t step,
                  const cnn_net *before)
{
    const json_t *kept = json_object_get(result, "kept");
    const size_t each = (size_t)past->whole[1] * past->kernel;
    reserve(past);
    for (int i = 0; i < past->count; i++) {
        if (has(kept, i))
            continue;
        const int into = taken_by(result, i);
        double *merged = past->merged + 3 * (size_t)past->gone;
        merged[0] = past->present[i];
        merged[1] = into >= 0 && into < past->count ? past->present[into] : -1;
        merged[2] = (double)step;
        place_weights(of, past, before, i, past->weight + past->gone * each);
        past->gone++;
    }
}

static void keep(layer_past *past, const json_t *kept)
{
    int count = 0;
    for (int i = 0; i < past->count; i++)
        if (has(kept, i))
            past->present[count++] = past->present[i];
    past->count = count;
}

void merged_filters_add(merged_filters *of, const json_t *result, uint64_t step, const cnn_net *before)
{
    const cnn_net *known = before;
    for (int i = 0; i < of->layer_count && known; i++)
        if (!is_at(&of->layers[i], known))
            known = NULL;
    /* All of them are as before the merge until all have been looked at: the channels are named by them. */
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < of->layer_count; i++) {
            layer_past *past = &of->layers[i];
            const json_t *its = result_of(result, past->name);
            if (its && pass == 0)
                leave(of, past, its, step, known);
            else if (its)
                keep(past, json_object_get(its, "kept"));
        }
}

/* ---- a run's log ---- */

/* The state that merge `number` has left; NULL: it is not kept. One that cannot be read is told. */
static cnn_net *state_before(const char *checkpoints, size_t number)
{
    char *path = merge_state_path(checkpoints, number);
    cnn_safetensors *file = NULL;
    cnn_net *net = NULL;
    int status = access(path, F_OK) < 0 ? CNN_OK : cnn_safetensors_open(path, &file);
    if (!status && file)
        status = cnn_checkpoint_make_net(file, NULL, tell_note, NULL, &net);
    if (status)
        tell_warning("%s; the filters of this merge are not shown any more", cnn_message());
    cnn_safetensors_close(file);
    free(path);
    return net;
}

void merged_filters_read(merged_filters *of, const steering_log *log, const char *checkpoints)
{
    size_t number = 0;
    for (size_t i = 0; i < log->count; i++) {
        if (!steering_is_merge(&log->entries[i]))
            continue;
        cnn_net *before = state_before(checkpoints, ++number);
        merged_filters_add(of, log->entries[i].result, log->entries[i].step, before);
        cnn_net_free(before);
    }
}

merged_filters *merged_filters_of_run(const run_folder *folder, const json_t *record, uint64_t step,
                                      const cnn_net *net)
{
    cnn_net *whole = NULL;
    steering_log log = {0};
    int status = run_network_load(folder, record, 0, &whole);
    if (!status)
        status = steering_read_past(folder->steering, step, &log);
    if (status) {
        tell_warning("%s; what was merged is not shown", cnn_message());
        cnn_net_free(whole);
        return NULL;
    }
    steering_log_match(&log, whole->spec, net->spec);
    merged_filters *of = merged_filters_open(whole);
    merged_filters_read(of, &log, folder->checkpoints);
    steering_log_free(&log);
    cnn_net_free(whole);
    return of;
}

/* ---- for pictures ---- */

void merged_filters_describe(const merged_filters *of, const cnn_net *net, int layer, ws_layer *out)
{
    for (int i = 0; i < of->layer_count; i++) {
        const layer_past *past = &of->layers[i];
        if (past->number != layer)
            continue;
        out->whole[0] = past->whole[0];
        out->whole[1] = past->whole[1];
        out->weight_range = past->range;
        /* A log that does not tell of all merges tells nothing. */
        if (!past->gone || !is_at(past, net))
            return;
        out->merged = past->merged;
        out->merged_weight = past->weight;
        out->merged_count = past->gone;
    }
}
