/* SPDX-License-Identifier: BSD-3-Clause */
/* What is the same in all ways but our own: which images come, the loss, dropout, the update. */
#include "cnn/random.h"
#include "rate.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

int rate_order_create(uint32_t count, rate_order *out)
{
    *out = (rate_order){.order = malloc(count * sizeof *out->order), .count = count};
    if (!out->order)
        return -1;
    cnn_random_order(RATE_SEED, CNN_STREAM_SHUFFLE, 0, out->order, count);
    return 0;
}

void rate_order_free(rate_order *order)
{
    free(order->order);
}

void rate_gather(const rate_task *task, rate_order *order, int fixed, float *images, uint8_t *labels)
{
    const size_t size = cnn_shape_count(task->net->input);
    if (order->at == order->count && !fixed) {
        cnn_random_order(RATE_SEED, CNN_STREAM_SHUFFLE, ++order->epoch, order->order, order->count);
        order->at = 0;
    }
#pragma omp parallel for
    for (int i = 0; i < task->batch; i++) {
        const uint32_t image = fixed ? (uint32_t)i : order->order[order->at + (uint32_t)i];
        memcpy(images + (size_t)i * size, task->images + image * size, size * sizeof *images);
        labels[i] = task->set.labels[image];
    }
    if (!fixed)
        order->at += (uint32_t)task->batch;
}

double rate_loss(const float *logits, const uint8_t *labels, int batch, int classes, float *dlogits)
{
    double loss = 0;
    for (int n = 0; n < batch; n++, logits += classes, dlogits += classes) {
        float most = logits[0];
        double sum = 0;
        for (int k = 1; k < classes; k++)
            most = logits[k] > most ? logits[k] : most;
        for (int k = 0; k < classes; k++)
            sum += exp((double)(logits[k] - most));
        loss += log(sum) - (double)(logits[labels[n]] - most);
        for (int k = 0; k < classes; k++)
            dlogits[k] = (float)((exp((double)(logits[k] - most)) / sum - (k == labels[n])) / batch);
    }
    return loss / batch;
}

void rate_adam(float *weight, const float *gradient, float *first, float *second, size_t count, uint64_t step)
{
    const float beta1 = (float)RATE_BETA1, beta2 = (float)RATE_BETA2, epsilon = (float)RATE_EPSILON;
    const float rate = (float)(RATE_LEARNING_RATE / (1 - pow(RATE_BETA1, (double)step)));
    const float correction = (float)(1 / sqrt(1 - pow(RATE_BETA2, (double)step)));
#pragma omp parallel for simd schedule(static)
    for (size_t i = 0; i < count; i++) {
        const float g = gradient[i];
        const float m = beta1 * first[i] + (1 - beta1) * g;
        const float v = beta2 * second[i] + (1 - beta2) * g * g;
        first[i] = m;
        second[i] = v;
        weight[i] -= rate * m / (sqrtf(v) * correction + epsilon);
    }
}

/* Marsaglia's xorshift. */
static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

void rate_dropout(float *y, float *mask, size_t count, float rate, uint32_t *state)
{
    const uint32_t limit = (uint32_t)((double)rate * 4294967296.0);
    const float kept = 1 / (1 - rate);
    for (size_t i = 0; i < count; i++) {
        mask[i] = next(state) < limit ? 0 : kept;
        y[i] *= mask[i];
    }
}
