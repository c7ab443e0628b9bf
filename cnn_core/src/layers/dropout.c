/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/random.h"
#include "layers/layers.h"

void cnn_dropout_forward(float rate, uint64_t seed, uint64_t step, uint64_t position, float *y, uint8_t *kept,
                         size_t count)
{
    const float scale = 1 / (1 - rate);
    uint32_t words[4];
    for (size_t i = 0; i < count; i++) {
        const uint64_t word = position + i;
        if (i == 0 || word % 4 == 0)
            cnn_random_block(seed, CNN_STREAM_DROPOUT, step, (uint32_t)(word / 4), words);
        kept[i] = cnn_random_unit(words[word % 4]) >= rate;
        y[i] = kept[i] ? y[i] * scale : 0;
    }
}

void cnn_dropout_backward(float rate, const uint8_t *kept, float *dy, size_t count)
{
    const float scale = 1 / (1 - rate);
    for (size_t i = 0; i < count; i++)
        dy[i] = kept[i] ? dy[i] * scale : 0;
}
