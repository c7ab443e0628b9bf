/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/probe.h"
#include "cnn/random.h"
#include "cnn/status.h"
#include <stdlib.h>
#include <string.h>

enum { LABELS = 256 };

/* Where each class stands in the shuffled order: the place of its next image, or the set's count. */
typedef struct queues {
    const cnn_dataset *set;
    const uint32_t *order;
    uint32_t next[LABELS];
} queues;

/* Moves a class to its first image at or after `place`. */
static void advance(queues *q, int label, uint32_t place)
{
    while (place < q->set->count && q->set->labels[q->order[place]] != label)
        place++;
    q->next[label] = place;
}

/* The next image of the wanted class, or of the next class that has one; there is one left. */
static uint32_t take(queues *q, int label)
{
    while (q->next[label] == q->set->count)
        label = (label + 1) % q->set->classes;
    const uint32_t place = q->next[label];
    advance(q, label, place + 1);
    return q->order[place];
}

static void copy_image(const cnn_dataset *from, uint32_t index, uint8_t *pixels, uint8_t *label)
{
    const size_t size = cnn_shape_count(from->shape);
    memcpy(pixels, from->pixels + index * size, size);
    *label = from->labels[index];
}

int cnn_probe_create(const cnn_dataset *from, uint32_t count, uint64_t seed, cnn_probe *out)
{
    if (count == 0)
        return cnn_fail(CNN_BAD_ARGUMENT, "probe: 0 images are not at least 1");
    if (from->count == 0)
        return cnn_fail(CNN_BAD_ARGUMENT, "probe: there are no images to choose from");
    if (count > from->count)
        count = from->count;
    const size_t size = cnn_shape_count(from->shape);
    uint32_t *order = malloc(from->count * sizeof *order);
    uint8_t *memory = malloc(count * (size + 1));
    if (!order || !memory) {
        free(order);
        free(memory);
        return cnn_fail(CNN_NO_MEMORY, "probe: no memory for %u images", count);
    }
    cnn_random_order(seed, CNN_STREAM_PROBE, 0, order, from->count);
    queues q = {.set = from, .order = order};
    for (int label = 0; label < from->classes; label++)
        advance(&q, label, 0);
    uint8_t *labels = memory + count * size;
    for (uint32_t i = 0; i < count; i++)
        copy_image(from, take(&q, (int)(i % (uint32_t)from->classes)), memory + i * size, labels + i);
    free(order);
    cnn_probe probe = {.set = *from, .memory = memory};
    probe.set.count = count;
    probe.set.pixels = memory;
    probe.set.labels = labels;
    *out = probe;
    return CNN_OK;
}

void cnn_probe_free(cnn_probe *probe)
{
    free(probe->memory);
    *probe = (cnn_probe){0};
}
