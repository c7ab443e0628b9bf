/* SPDX-License-Identifier: BSD-3-Clause */
#include "layer.h"
#include "message.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Cells of one layer that a picture could still hold. */
#define MOST_WEIGHTS INT32_MAX
#define CAN_OFFER    (WS_WANTS_ACTIVATIONS | WS_WANTS_CORRELATION)

static int is_name(const char *name)
{
    if (!name || !isalpha((unsigned char)name[0]))
        return 0;
    size_t length = 1;
    for (; name[length]; length++)
        if (!isalnum((unsigned char)name[length]) && name[length] != '_')
            return 0;
    return length < WS_NAME_SIZE;
}

static int check_count(const ws_layer *layer, const int64_t shape[4])
{
    int64_t count = 1;
    for (int i = 0; i < 4; i++) {
        if (shape[i] > MOST_WEIGHTS / count)
            return ws_fail(WS_BAD_ARGUMENT, "layer \"%s\": more than %d weights", layer->name, MOST_WEIGHTS);
        count *= shape[i];
    }
    return WS_OK;
}

static int check_shape(const ws_layer *layer)
{
    for (int i = 0; i < 4; i++)
        if (layer->shape[i] < 1)
            return ws_fail(WS_BAD_ARGUMENT, "layer \"%s\": shape[%d] is %lld, must be at least 1",
                           layer->name, i, (long long)layer->shape[i]);
    return check_count(layer, layer->shape);
}

static int64_t at_least(int64_t value, int64_t least)
{
    return value > least ? value : least;
}

/* Places that filters or channels have had, `before` of which are known, when they are where they are now. */
static int64_t places_of(const int32_t *places, int64_t count, int32_t told, int64_t before)
{
    int64_t whole = at_least(told > 0 ? told : before, places ? 0 : count);
    for (int64_t i = 0; places && i < count; i++)
        whole = at_least(whole, (int64_t)places[i] + 1);
    return whole;
}

/* How many filters and channels the run began with; `before` as it was known, else zeros. */
static int find_whole(const ws_layer *layer, const int64_t before[2], int64_t out[2])
{
    out[0] = places_of(layer->source, layer->shape[0], layer->whole[0], before[0]);
    out[1] = places_of(layer->source_channel, layer->shape[1], layer->whole[1], before[1]);
    return check_count(layer, (const int64_t[]){out[0], out[1], layer->shape[2], layer->shape[3]});
}

static int has_activations(const ws_layer *layer)
{
    static const int64_t none[4];
    return memcmp(layer->activation_shape, none, sizeof none) != 0;
}

static int check_activations(const ws_layer *layer)
{
    int64_t count = 1;
    if (!has_activations(layer))
        return layer->activation ? ws_fail(WS_BAD_ARGUMENT,
                                           "layer \"%s\": activation without activation_shape", layer->name)
                                 : WS_OK;
    for (int i = 0; i < 4; i++) {
        if (layer->activation_shape[i] < 1 || layer->activation_shape[i] > MOST_WEIGHTS / count)
            return ws_fail(WS_BAD_ARGUMENT,
                           "layer \"%s\": activation_shape[%d] is %lld, must be at least 1, and there are at "
                           "most %d activations",
                           layer->name, i, (long long)layer->activation_shape[i], MOST_WEIGHTS);
        count *= layer->activation_shape[i];
    }
    if (layer->activation_shape[1] != layer->shape[0])
        return ws_fail(WS_BAD_ARGUMENT, "layer \"%s\": activations of %lld filters, but there are %lld",
                       layer->name, (long long)layer->activation_shape[1], (long long)layer->shape[0]);
    const int64_t *part = layer->activation_part;
    if (part[0] < 0 || part[0] > part[1] || part[1] > layer->activation_shape[0])
        return ws_fail(
            WS_BAD_ARGUMENT, "layer \"%s\": activation_part is %lld to %lld, must be from 0 to %lld, rising",
            layer->name, (long long)part[0], (long long)part[1], (long long)layer->activation_shape[0]);
    return WS_OK;
}

/* Places in a run's beginning: `name` of `count` filters or channels, of `whole` at the beginning (0: not
 * told). NULL: everyone is in its own place. */
static int check_places(const ws_layer *layer, const char *name, const int32_t *places, int64_t count,
                        int32_t whole)
{
    for (int64_t i = 0; i < count; i++) {
        const int64_t place = places ? places[i] : i;
        if (place < 0)
            return ws_fail(WS_BAD_ARGUMENT, "layer \"%s\": %s[%lld] is %lld, must be at least 0", layer->name,
                           name, (long long)i, (long long)place);
        if (whole > 0 && place >= whole)
            return ws_fail(WS_BAD_ARGUMENT,
                           "layer \"%s\": %s[%lld] is %lld, but there were %d when the run began",
                           layer->name, name, (long long)i, (long long)place, whole);
    }
    return WS_OK;
}

/* Numbers that pictures count with. */
static int check_filters(const ws_layer *layer)
{
    int status = check_places(layer, "source", layer->source, layer->shape[0], layer->whole[0]);
    if (status == WS_OK)
        status =
            check_places(layer, "source_channel", layer->source_channel, layer->shape[1], layer->whole[1]);
    for (int64_t k = 0; k < layer->shape[0] && layer->group && status == WS_OK; k++)
        if (layer->group[k] < -1)
            status = ws_fail(WS_BAD_ARGUMENT, "layer \"%s\": group[%lld] is %d, must be at least -1",
                             layer->name, (long long)k, layer->group[k]);
    return status;
}

/* Filters that were merged into others: in their places, and by which. */
static int check_merged(const ws_layer *layer)
{
    if (layer->merged_count == 0)
        return WS_OK;
    if (!layer->merged || !layer->merged_weight || layer->whole[0] < 1 || layer->whole[1] < 1)
        return ws_fail(WS_BAD_ARGUMENT,
                       "layer \"%s\": merged_count is %u: merged, merged_weight and whole must be there",
                       layer->name, layer->merged_count);
    for (uint32_t i = 0; i < layer->merged_count; i++) {
        const double *of = layer->merged + 3 * (size_t)i, most = layer->whole[0] - 1;
        if (!(of[0] >= 0 && of[0] <= most && of[1] >= -1 && of[1] <= most))
            return ws_fail(WS_BAD_ARGUMENT,
                           "layer \"%s\": merged[%u] is %g into %g, must be from 0 and from -1 to %g",
                           layer->name, i, of[0], of[1], most);
    }
    return WS_OK;
}

static int check(const ws_layer *layer)
{
    if (layer->size != sizeof *layer)
        return ws_fail(WS_BAD_ARGUMENT, "ws_layer.size is %u, this library's is %zu", layer->size,
                       sizeof *layer);
    if (!is_name(layer->name))
        return ws_fail(WS_BAD_ARGUMENT,
                       "layer name \"%s\": must be a letter, then letters, digits or _, at most %d in all",
                       layer->name ? layer->name : "", WS_NAME_SIZE - 1);
    if (layer->kind != WS_CONVOLUTION && layer->kind != WS_OTHER)
        return ws_fail(WS_BAD_ARGUMENT, "layer \"%s\": kind is %d, must be %d or %d", layer->name,
                       layer->kind, WS_CONVOLUTION, WS_OTHER);
    if (!layer->weight)
        return ws_fail(WS_BAD_ARGUMENT, "layer \"%s\": weight is NULL", layer->name);
    if (layer->offers & ~(uint32_t)CAN_OFFER)
        return ws_fail(WS_BAD_ARGUMENT, "layer \"%s\": offers is %u, of which only %d is known", layer->name,
                       layer->offers, CAN_OFFER);
    if (!(layer->weight_range >= 0 && layer->weight_range < INFINITY))
        return ws_fail(WS_BAD_ARGUMENT, "layer \"%s\": weight_range is %g, must be finite and at least 0",
                       layer->name, layer->weight_range);
    int status = check_shape(layer);
    if (status == WS_OK)
        status = check_activations(layer);
    if (status == WS_OK)
        status = check_filters(layer);
    return status == WS_OK ? check_merged(layer) : status;
}

static int is_zero(const int64_t stride[4])
{
    return !stride[0] && !stride[1] && !stride[2] && !stride[3];
}

static ws_tensor tensor_of(const ws_layer *layer, const float *data)
{
    ws_tensor tensor = {.data = data};
    memcpy(tensor.shape, layer->shape, sizeof tensor.shape);
    if (is_zero(layer->stride))
        ws_dense_strides(layer->shape, tensor.stride);
    else
        memcpy(tensor.stride, layer->stride, sizeof tensor.stride);
    return tensor;
}

static void take_views(const ws_layer *layer, ws_layer_arrays *arrays)
{
    arrays->activation = layer->activation;
    memcpy(arrays->activation_shape, layer->activation_shape, sizeof arrays->activation_shape);
    if (arrays->activation_shape[0] > WS_PROBE_SHOWN)
        arrays->activation_shape[0] = WS_PROBE_SHOWN;
    for (int i = 0; i < 2; i++)
        arrays->activation_part[i] = layer->activation_part[i] < arrays->activation_shape[0]
                                         ? layer->activation_part[i]
                                         : arrays->activation_shape[0];
    arrays->pearson = layer->pearson;
    arrays->pearson_weights = layer->pearson_weights;
    arrays->dead = layer->dead;
    arrays->group = layer->group;
    arrays->source = layer->source;
    arrays->source_channel = layer->source_channel;
    arrays->merged = layer->merged;
    arrays->merged_weight = layer->merged_weight;
    arrays->merged_count = layer->merged ? layer->merged_count : 0;
    if (has_activations(layer) && (layer->activation || layer->offers & WS_WANTS_ACTIVATIONS))
        arrays->offers |= WS_WANTS_ACTIVATIONS;
    if (layer->pearson || layer->offers & WS_WANTS_CORRELATION)
        arrays->offers |= WS_WANTS_CORRELATION;
}

static ws_layer_arrays arrays_of(const ws_layer *layer)
{
    ws_layer_arrays arrays = {.kind = layer->kind};
    memcpy(arrays.name, layer->name, strlen(layer->name) + 1);
    arrays.weight = tensor_of(layer, layer->weight);
    arrays.gradient = tensor_of(layer, layer->gradient);
    arrays.initial = tensor_of(layer, layer->initial);
    arrays.weight_range = layer->weight_range;
    if (layer->kind == WS_CONVOLUTION)
        take_views(layer, &arrays);
    return arrays;
}

/* Makes the dense copies of a layer of `count` weights fit. */
static int reserve_scratch(ws_layers *layers, size_t count)
{
    if (count <= layers->scratch_count)
        return WS_OK;
    for (int i = 0; i < 3; i++) {
        float *grown = realloc(layers->scratch[i], count * sizeof *grown);
        if (!grown)
            return ws_fail(WS_NO_MEMORY, "no memory for a copy of %zu weights", count);
        layers->scratch[i] = grown;
    }
    layers->scratch_count = count;
    return WS_OK;
}

int ws_layers_add(ws_layers *layers, const ws_layer *layer)
{
    int status = check(layer);
    if (status)
        return status;
    for (uint32_t i = 0; i < layers->count; i++)
        if (strcmp(layers->at[i].name, layer->name) == 0)
            return ws_fail(WS_BAD_ARGUMENT, "layer \"%s\" was added twice", layer->name);
    ws_layer_arrays arrays = arrays_of(layer);
    status = find_whole(layer, (const int64_t[]){0, 0}, arrays.whole);
    if (status == WS_OK)
        status = reserve_scratch(layers, ws_layer_count(&arrays));
    if (status)
        return status;
    ws_layer_arrays *grown = realloc(layers->at, (layers->count + 1) * sizeof *grown);
    if (!grown)
        return ws_fail(WS_NO_MEMORY, "no memory for layer \"%s\"", layer->name);
    layers->at = grown;
    layers->at[layers->count] = arrays;
    return (int)layers->count++;
}

/* Gives the layer initial weights of its own if the host keeps none: those that it has now. */
static int keep_initial(ws_layer_arrays *layer)
{
    if (layer->initial.data)
        return WS_OK;
    layer->own_initial = malloc(ws_layer_count(layer) * sizeof(float));
    if (!layer->own_initial)
        return ws_fail(WS_NO_MEMORY, "no memory for the initial weights of \"%s\"", layer->name);
    ws_tensor_gather(&layer->weight, layer->own_initial);
    layer->initial.data = layer->own_initial;
    ws_dense_strides(layer->initial.shape, layer->initial.stride);
    return WS_OK;
}

int ws_layers_change(ws_layers *layers, int index, const ws_layer *layer, int *reshaped)
{
    if (index < 0 || (uint32_t)index >= layers->count)
        return ws_fail(WS_BAD_ARGUMENT, "layer index %d: there are %u layers", index, layers->count);
    int status = check(layer);
    if (status)
        return status;
    ws_layer_arrays *old = &layers->at[index];
    if (strcmp(old->name, layer->name) != 0 || old->kind != layer->kind)
        return ws_fail(WS_BAD_ARGUMENT, "layer \"%s\": name and kind of a layer must stay", old->name);
    ws_layer_arrays changed = arrays_of(layer);
    status = find_whole(layer, old->whole, changed.whole);
    if (status == WS_OK)
        status = reserve_scratch(layers, ws_layer_count(&changed));
    if (status)
        return status;
    const int same_shape = memcmp(changed.weight.shape, old->weight.shape, sizeof changed.weight.shape) == 0;
    if (!changed.initial.data && same_shape && old->own_initial) {
        changed.initial = old->initial;
        changed.own_initial = old->own_initial;
        old->own_initial = NULL;
    }
    status = keep_initial(&changed);
    if (status)
        return status;
    changed.weight_range = old->weight_range;
    free(old->own_initial);
    *reshaped = !same_shape || changed.offers != old->offers ||
                memcmp(changed.activation_shape, old->activation_shape, sizeof old->activation_shape) != 0;
    *old = changed;
    return WS_OK;
}

int ws_layers_begin(ws_layers *layers)
{
    for (uint32_t i = 0; i < layers->count; i++) {
        ws_layer_arrays *layer = &layers->at[i];
        const int status = keep_initial(layer);
        if (status)
            return status;
        if (layer->weight_range > 0)
            continue;
        const float *initial = ws_tensor_dense(&layer->initial, layers->scratch[0]);
        for (size_t j = 0; j < ws_layer_count(layer); j++)
            if (isfinite(initial[j]))
                layer->weight_range = fmax(layer->weight_range, fabs(initial[j]));
    }
    return WS_OK;
}

static double norm(const float *values, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += (double)values[i] * values[i];
    return sqrt(sum);
}

static double distance(const float *a, const float *b, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        const double difference = (double)a[i] - b[i];
        sum += difference * difference;
    }
    return sqrt(sum);
}

ws_norms ws_layers_norms(const ws_layers *layers, const ws_layer_arrays *layer)
{
    const size_t count = ws_layer_count(layer);
    const float *weight = ws_tensor_dense(&layer->weight, layers->scratch[0]);
    const float *initial = ws_tensor_dense(&layer->initial, layers->scratch[1]);
    ws_norms norms = {norm(weight, count), NAN, distance(weight, initial, count)};
    if (layer->gradient.data)
        norms.gradient = norm(ws_tensor_dense(&layer->gradient, layers->scratch[2]), count);
    return norms;
}

int ws_layers_named(uint32_t count, const char *const *names, const int32_t *kinds, ws_layers *out)
{
    ws_layers layers = {.at = calloc(count + 1, sizeof *layers.at), .count = count};
    if (!layers.at)
        return ws_fail(WS_NO_MEMORY, "no memory for %u layers", count);
    for (uint32_t i = 0; i < count; i++) {
        snprintf(layers.at[i].name, sizeof layers.at[i].name, "%s", names[i]);
        layers.at[i].kind = kinds[i];
    }
    *out = layers;
    return WS_OK;
}

void ws_layers_free(ws_layers *layers)
{
    for (uint32_t i = 0; i < layers->count; i++)
        free(layers->at[i].own_initial);
    for (int i = 0; i < 3; i++)
        free(layers->scratch[i]);
    free(layers->at);
}
