/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/status.h"
#include "merge_parts.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A merge at work: values of units that lie one behind the other become those of fewer units. */
typedef struct mover {
    const cnn_merge_plan *plan;
    cnn_merge_rule rule;
    int *slot;      /* [before] number of a unit among those that stay, -1 for the others */
    double *merged; /* values of those that stay */
} mover;

static int mover_open(const cnn_merge_plan *plan, cnn_merge_rule rule, const cnn_net *net, mover *out)
{
    const cnn_layer *layer = &net->layers[plan->layer], *consumer = &net->layers[plan->consumer];
    const size_t units = layer->weight_count, row = consumer->weight_count / consumer->bias_count;
    *out = (mover){plan, rule, malloc((size_t)plan->before * sizeof(int)),
                   malloc((units > row ? units : row) * sizeof(double))};
    if (!out->slot || !out->merged) {
        free(out->slot);
        free(out->merged);
        return cnn_fail(CNN_NO_MEMORY, "merge: no memory for layer \"%s\"", layer->name);
    }
    int slots = 0;
    for (int unit = 0; unit < plan->before; unit++)
        out->slot[unit] = plan->into[unit] == unit ? slots++ : -1;
    return CNN_OK;
}

static void mover_close(mover *m)
{
    free(m->slot);
    free(m->merged);
}

/* Those that stay, `length` values each. */
static void gather(const mover *m, const float *from, float *to, size_t length)
{
    for (int unit = 0; unit < m->plan->before; unit++, from += length)
        if (m->slot[unit] >= 0)
            memcpy(to + (size_t)m->slot[unit] * length, from, length * sizeof *to);
}

/* The same, and to each is added what is merged into it: alpha times it; roots of squares, squared again. */
static void combine(const mover *m, const float *from, float *to, size_t length)
{
    const cnn_merge_plan *plan = m->plan;
    const int squares = m->rule == CNN_RULE_SQUARE;
    const size_t count = (size_t)plan->after * length;
    /* The zero that leaves every value as it is, -0 too. */
    for (size_t i = 0; i < count; i++)
        m->merged[i] = -0.0;
    for (int unit = 0; unit < plan->before; unit++, from += length) {
        if (plan->into[unit] < 0)
            continue;
        double *sum = m->merged + (size_t)m->slot[plan->into[unit]] * length;
        for (size_t i = 0; i < length; i++)
            sum[i] += plan->alpha[unit] * (squares ? sqrt((double)from[i]) : (double)from[i]);
    }
    for (size_t i = 0; i < count; i++)
        to[i] = (float)(squares ? m->merged[i] * m->merged[i] : m->merged[i]);
}

static void move_layer(const mover *m, const cnn_layer *layer, const float *from, float *to)
{
    const int combines = m->rule == CNN_RULE_GRADIENT || m->rule == CNN_RULE_SQUARE;
    const size_t taps = layer->weight_count / layer->bias_count;
    void (*move)(const mover *, const float *, float *, size_t) = combines ? combine : gather;
    move(m, from, to, taps);
    move(m, from + layer->weight_count, to + (size_t)m->plan->after * taps, 1);
}

/* What the units that are left out say on the average goes into the bias of one output. */
static float offset_bias(const cnn_merge_plan *plan, const float *weights, size_t taps, float bias)
{
    double sum = (double)bias;
    for (int j = 0; j < plan->before; j++)
        for (size_t i = 0; i < taps && plan->beta[j] != 0; i++)
            sum += plan->beta[j] * (double)weights[(size_t)j * taps + i];
    return (float)sum;
}

static void move_consumer(const mover *m, const cnn_layer *layer, const float *from, float *to)
{
    const cnn_merge_plan *plan = m->plan;
    const size_t row = layer->weight_count / layer->bias_count, taps = row / (size_t)plan->before;
    const size_t new_row = taps * (size_t)plan->after;
    const float *bias = from + layer->weight_count;
    float *new_bias = to + layer->bias_count * new_row;
    for (size_t output = 0; output < layer->bias_count; output++, from += row, to += new_row) {
        if (m->rule == CNN_RULE_WEIGHT) {
            combine(m, from, to, taps);
            new_bias[output] = offset_bias(plan, from, taps, bias[output]);
        } else {
            gather(m, from, to, taps);
            new_bias[output] = bias[output];
        }
    }
}

int cnn_merge_arena(const cnn_merge_plan *plan, cnn_merge_rule rule, const cnn_net *net, const float *from,
                    const cnn_net *merged, float *to)
{
    mover m;
    const int status = mover_open(plan, rule, net, &m);
    if (status)
        return status;
    for (int i = 0; i < net->layer_count; i++) {
        const cnn_layer *layer = &net->layers[i];
        if (!cnn_layer_has_parameters(layer))
            continue;
        const float *values = from + (layer->weight - net->parameters);
        float *target = to + (merged->layers[i].weight - merged->parameters);
        if (i == plan->layer)
            move_layer(&m, layer, values, target);
        else if (i == plan->consumer)
            move_consumer(&m, layer, values, target);
        else
            memcpy(target, values, (layer->weight_count + layer->bias_count) * sizeof *values);
    }
    mover_close(&m);
    return CNN_OK;
}
