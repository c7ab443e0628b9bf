/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"
#include "status.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARRAYS_OF_LAYER = 4 };

static uint64_t aligned(uint64_t size)
{
    return (size + WS_FRAME_ALIGNMENT - 1) / WS_FRAME_ALIGNMENT * WS_FRAME_ALIGNMENT;
}

static int reserve(ws_frame_buffer *buffer, size_t size)
{
    if (size <= buffer->capacity)
        return WS_OK;
    void *larger = aligned_alloc(WS_FRAME_ALIGNMENT, aligned(size));
    if (!larger)
        return ws_fail(WS_NO_MEMORY, "frame: no memory for %zu bytes", size);
    free(buffer->frame);
    buffer->frame = larger;
    buffer->capacity = aligned(size);
    return WS_OK;
}

void ws_frame_buffer_free(ws_frame_buffer *buffer)
{
    free(buffer->frame);
    *buffer = (ws_frame_buffer){0};
}

/* Describes one array at `offset` and returns where the next one may begin. */
static uint64_t describe(ws_frame_array *array, const ws_layer_state *layer, const char *name,
                         ws_array_type type, int rank, uint64_t offset)
{
    *array = (ws_frame_array){.type = type, .rank = (uint32_t)rank, .offset = offset, .bytes = 4};
    snprintf(array->name, sizeof array->name, "%s.%s", layer->name, name);
    for (int i = 0; i < 4; i++) {
        array->shape[i] = i < rank ? layer->given.shape[i] : 1;
        array->bytes *= (uint64_t)array->shape[i];
    }
    return aligned(offset + array->bytes);
}

static void fill(ws_frame *frame, const ws_frame_array *arrays, const ws_layer_state *layer)
{
    char *base = (char *)frame;
    ws_layer_dense(layer, layer->given.weight, (float *)(void *)(base + arrays[0].offset));
    ws_layer_dense(layer, layer->given.gradient, (float *)(void *)(base + arrays[1].offset));
    ws_layer_dense_initial(layer, (float *)(void *)(base + arrays[2].offset));
    /* No filter has joined a group yet. */
    int32_t *group = (int32_t *)(void *)(base + arrays[3].offset);
    for (int64_t k = 0; k < layer->given.shape[0]; k++)
        group[k] = -1;
}

int ws_frame_build(ws_frame_buffer *buffer, const ws_layer_state *layers, int layer_count, uint64_t wanted,
                   const ws_row *row, uint64_t step, uint64_t generation)
{
    uint64_t size = 0;
    uint32_t arrays = 0;
    for (int i = 0, convolution = 0; i < layer_count; i++)
        if (layers[i].given.kind == WS_CONVOLUTION && ws_frame_wants(wanted, convolution++)) {
            arrays += ARRAYS_OF_LAYER;
            size +=
                3 * aligned((uint64_t)layers[i].count * 4) + aligned((uint64_t)layers[i].given.shape[0] * 4);
        }
    uint64_t offset = aligned(sizeof(ws_frame) + arrays * sizeof(ws_frame_array));
    size += offset;
    const int status = reserve(buffer, size);
    if (status)
        return status;

    ws_frame *frame = buffer->frame;
    *frame = (ws_frame){.version = WS_FRAME_VERSION,
                        .array_count = arrays,
                        .size = size,
                        .step = step,
                        .generation = generation,
                        .epoch = row->epoch,
                        .loss = row->loss,
                        .accuracy = row->accuracy,
                        .learning_rate = row->learning_rate,
                        .validation_loss = row->validation_loss,
                        .validation_accuracy = row->validation_accuracy};
    memcpy(frame->magic, WS_FRAME_MAGIC, sizeof frame->magic);
    ws_frame_array *next = frame->arrays;
    for (int i = 0, convolution = 0; i < layer_count; i++) {
        if (layers[i].given.kind != WS_CONVOLUTION || !ws_frame_wants(wanted, convolution++))
            continue;
        offset = describe(&next[0], &layers[i], "weight", WS_FLOAT32, 4, offset);
        offset = describe(&next[1], &layers[i], "gradient", WS_FLOAT32, 4, offset);
        offset = describe(&next[2], &layers[i], "initial", WS_FLOAT32, 4, offset);
        offset = describe(&next[3], &layers[i], "group", WS_INT32, 1, offset);
        fill(frame, next, &layers[i]);
        next += ARRAYS_OF_LAYER;
    }
    return WS_OK;
}
