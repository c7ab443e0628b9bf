/* SPDX-License-Identifier: BSD-3-Clause */
#include "dead_filters.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

#define EVERY 10 /* rows from one look to the next */
#define LEAST 5  /* looks */

struct dead_filters {
    uint8_t *alive; /* of the filters of all convolutions, in order */
    size_t count;
    int looks; /* at which the last layer had a gradient */
};

dead_filters *dead_filters_begin(void)
{
    return memory_of(1, sizeof(dead_filters));
}

void dead_filters_clear(dead_filters *dead)
{
    if (dead->count)
        memset(dead->alive, 0, dead->count);
    dead->looks = 0;
}

void dead_filters_end(dead_filters *dead)
{
    if (!dead)
        return;
    free(dead->alive);
    free(dead);
}

static size_t filters_of(const cnn_net *net)
{
    size_t count = 0;
    for (int i = 0; i < net->layer_count; i++)
        count += net->layers[i].kind == CNN_CONV ? net->layers[i].bias_count : 0;
    return count;
}

static int is_any(const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (values[i] != 0)
            return 1;
    return 0;
}

/* Most filters are told to be alive by one comparison. */
static void look(dead_filters *dead, const cnn_net *net)
{
    uint8_t *alive = dead->alive;
    for (int i = 0; i < net->layer_count; i++) {
        const cnn_layer *layer = &net->layers[i];
        if (layer->kind != CNN_CONV)
            continue;
        const size_t each = layer->weight_count / layer->bias_count;
        for (size_t k = 0; k < layer->bias_count; k++)
            alive[k] |= layer->bias_gradient[k] != 0 || is_any(layer->weight_gradient + k * each, each);
        alive += layer->bias_count;
    }
}

void dead_filters_take(dead_filters *dead, const cnn_net *net, uint64_t row)
{
    const cnn_layer *last = &net->layers[net->layer_count - 1];
    if (row % EVERY)
        return;
    const size_t count = filters_of(net);
    if (count != dead->count) {
        free(dead->alive);
        dead->alive = memory_of(count + 1, 1);
        dead->count = count;
        dead->looks = 0;
    }
    if (!is_any(last->bias_gradient, last->bias_count))
        return;
    dead->looks++;
    look(dead, net);
}

int dead_filters_worst(const dead_filters *dead, const cnn_net *net, dead_filters_found *out)
{
    const uint8_t *alive = dead->alive;
    dead_filters_found worst = {.count = 1, .looks = dead->looks};
    if (dead->looks < LEAST || filters_of(net) != dead->count)
        return 0;
    for (int i = 0; i < net->layer_count; i++) {
        const cnn_layer *layer = &net->layers[i];
        int found = 0;
        if (layer->kind != CNN_CONV)
            continue;
        for (size_t k = 0; k < layer->bias_count; k++)
            found += !alive[k];
        alive += layer->bias_count;
        /* Of equals the last: one whose filters are all dead cuts off those before it. */
        if (found && (double)found / (double)layer->bias_count >= (double)worst.dead / worst.count)
            worst = (dead_filters_found){layer->name, found, (int)layer->bias_count, dead->looks};
    }
    if (!worst.dead)
        return 0;
    *out = worst;
    return 1;
}
