/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/random.h"
#include "layers/layers.h"
#include <string.h>

enum { BLOCKS = 64 }; /* of random numbers, four each, made at a time */

/* The value, or zero. By its bits, since a branch could not be foretold. */
static inline float value_if(int condition, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits &= 0u - (uint32_t)condition;
    memcpy(&value, &bits, sizeof bits);
    return value;
}

/* `count` values that lie `step` apart. */
static inline void drop(float rate, const uint32_t *restrict words, size_t count, size_t step,
                        float *restrict y, uint8_t *restrict kept)
{
    const float scale = 1 / (1 - rate);
    for (size_t i = 0; i < count; i++) {
        const int is_kept = cnn_random_unit(words[i]) >= rate;
        kept[i * step] = (uint8_t)is_kept;
        y[i * step] = value_if(is_kept, y[i * step] * scale);
    }
}

/* Values first to first + count of [C,H,W], each channel in turn. */
static void drop_channels(const cnn_dropout *d, const uint32_t *words, size_t first, size_t count, float *y,
                          uint8_t *kept)
{
    while (count) {
        const size_t channel = first / d->pixels, pixel = first % d->pixels;
        const size_t here = d->pixels - pixel < count ? d->pixels - pixel : count;
        drop(d->rate, words, here, d->channels, y + pixel * d->channels + channel,
             kept + pixel * d->channels + channel);
        words += here;
        first += here;
        count -= here;
    }
}

void cnn_dropout_forward(const cnn_dropout *dropout, float *y, uint8_t *kept)
{
    const cnn_dropout d = *dropout;
    const size_t count = d.channels * d.pixels, skipped = d.position % 4;
    uint32_t words[4 * BLOCKS];
    /* Value i takes word skipped + i of the blocks from that of its position on. */
    for (size_t first = 0, i = 0; i < count; first += 4 * BLOCKS) {
        const size_t begin = first ? 0 : skipped;
        const size_t end = skipped + count - first < 4 * BLOCKS ? skipped + count - first : 4 * BLOCKS;
        d.kernels->random(d.seed, CNN_STREAM_DROPOUT, d.step, (uint32_t)((d.position + first) / 4),
                          (int)((end + 3) / 4), words);
        if (d.pixels == 1)
            drop(d.rate, words + begin, end - begin, 1, y + i, kept + i);
        else
            drop_channels(&d, words + begin, i, end - begin, y, kept);
        i += end - begin;
    }
}

void cnn_dropout_backward(float rate, const uint8_t *restrict kept, float *restrict dy, size_t count)
{
    const float scale = 1 / (1 - rate);
    for (size_t i = 0; i < count; i++)
        dy[i] = value_if(kept[i], dy[i] * scale);
}
