/* SPDX-License-Identifier: BSD-3-Clause */
#include "layer.h"
#include "status.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* 2^31 weights are 8 GiB; more is a mistake, and the products below cannot
 * overflow. */
static const int64_t most_weights = (int64_t)1 << 31;

static int check_name(const char *name)
{
    size_t length = 0;
    int good = name && isalpha((unsigned char)name[0]);
    for (; good && name[length]; length++)
        good = length + 1 < WS_NAME_SIZE && (isalnum((unsigned char)name[length]) || name[length] == '_');
    return good ? WS_OK
                : ws_fail(WS_BAD_ARGUMENT,
                          "layer \"%s\": a name is a letter, then letters, "
                          "digits or _, at most %d",
                          name ? name : "", WS_NAME_SIZE - 1);
}

int ws_layer_copy(const ws_layer *layer, ws_layer_state *out)
{
    if (layer->size != sizeof *layer)
        return ws_fail(WS_BAD_ARGUMENT, "ws_layer.size: %u, this library's is %zu", layer->size,
                       sizeof *layer);
    const int status = check_name(layer->name);
    if (status)
        return status;
    if (layer->kind != WS_CONVOLUTION && layer->kind != WS_OTHER)
        return ws_fail(WS_BAD_ARGUMENT, "layer \"%s\": kind %d is not known", layer->name, layer->kind);
    if (!layer->weight)
        return ws_fail(WS_BAD_ARGUMENT, "layer \"%s\": weight is NULL", layer->name);

    ws_layer_state copy = {.given = *layer, .count = 1};
    int64_t dense[4];
    int strided = 0;
    for (int i = 3; i >= 0; i--) {
        if (layer->shape[i] < 1 || copy.count > most_weights / layer->shape[i])
            return ws_fail(WS_BAD_ARGUMENT,
                           "layer \"%s\": extent %lld of dimension %d gives no or "
                           "over 2^31 weights",
                           layer->name, (long long)layer->shape[i], i);
        dense[i] = copy.count;
        copy.count *= layer->shape[i];
        strided |= layer->stride[i] != 0;
    }
    if (!strided)
        memcpy(copy.given.stride, dense, sizeof dense);
    strcpy(copy.name, layer->name);
    *out = copy;
    return WS_OK;
}

void ws_layer_clear(ws_layer_state *layer)
{
    free(layer->initial);
    *layer = (ws_layer_state){0};
}

int64_t ws_layer_offset(const ws_layer_state *layer, int64_t flat)
{
    int64_t offset = 0;
    for (int i = 3; i >= 0; i--) {
        offset += flat % layer->given.shape[i] * layer->given.stride[i];
        flat /= layer->given.shape[i];
    }
    return offset;
}

void ws_layer_dense(const ws_layer_state *layer, const float *from, float *out)
{
    const int64_t *shape = layer->given.shape, *stride = layer->given.stride;
    for (int64_t k = 0; k < shape[0]; k++)
        for (int64_t c = 0; c < shape[1]; c++)
            for (int64_t r = 0; r < shape[2]; r++)
                for (int64_t s = 0; s < shape[3]; s++)
                    *out++ = from ? from[k * stride[0] + c * stride[1] + r * stride[2] + s * stride[3]] : NAN;
}

int ws_layer_keep_initial(ws_layer_state *layer)
{
    if (layer->given.initial || layer->initial)
        return WS_OK;
    layer->initial = malloc((size_t)layer->count * sizeof *layer->initial);
    if (!layer->initial)
        return ws_fail(WS_NO_MEMORY, "layer \"%s\": no memory for %lld weights", layer->name,
                       (long long)layer->count);
    ws_layer_dense(layer, layer->given.weight, layer->initial);
    return WS_OK;
}

void ws_layer_dense_initial(const ws_layer_state *layer, float *out)
{
    if (layer->given.initial)
        ws_layer_dense(layer, layer->given.initial, out);
    else
        memcpy(out, layer->initial, (size_t)layer->count * sizeof *out);
}

ws_norms ws_layer_norms(const ws_layer_state *layer)
{
    ws_norms sums = {0, 0, 0};
    for (int64_t i = 0; i < layer->count; i++) {
        const int64_t at = ws_layer_offset(layer, i);
        const double weight = (double)layer->given.weight[at];
        const double initial = (double)(layer->given.initial ? layer->given.initial[at] : layer->initial[i]);
        const double gradient = layer->given.gradient ? (double)layer->given.gradient[at] : NAN;
        sums.weight += weight * weight;
        sums.gradient += gradient * gradient;
        sums.distance += (weight - initial) * (weight - initial);
    }
    return (ws_norms){sqrt(sums.weight), sqrt(sums.gradient), sqrt(sums.distance)};
}
