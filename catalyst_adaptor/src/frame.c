/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"
#include "message.h"
#include <stdio.h>
#include <stdlib.h>

_Static_assert(sizeof(ws_frame_header) % WS_FRAME_ALIGNMENT == 0, "the directory follows the header");

static size_t aligned(size_t offset)
{
    return (offset + WS_FRAME_ALIGNMENT - 1) / WS_FRAME_ALIGNMENT * WS_FRAME_ALIGNMENT;
}

static size_t type_size(uint32_t type)
{
    return type == WS_FLOAT32 ? sizeof(float) : type == WS_FLOAT64 ? sizeof(double) : 0;
}

static ws_frame_array *directory(void *block)
{
    return (ws_frame_array *)((char *)block + sizeof(ws_frame_header));
}

static const ws_frame_array *entries(const void *block)
{
    return (const ws_frame_array *)((const char *)block + sizeof(ws_frame_header));
}

static size_t array_bytes(const ws_layer_arrays *layer)
{
    return sizeof(ws_frame_array) + aligned(ws_layer_count(layer) * sizeof(float));
}

size_t ws_frame_most_bytes(const ws_frame_plan *plan)
{
    size_t bytes = sizeof(ws_frame_header);
    const size_t big_arrays = plan->is_base ? 3 : 2;
    for (uint32_t i = 0; i < plan->layers->count; i++)
        if (plan->wanted[i])
            bytes += big_arrays * array_bytes(&plan->layers->at[i]) + sizeof(ws_frame_array) +
                     aligned(sizeof(double));
    return aligned(bytes);
}

static int reserve(ws_frame *frame, size_t bytes)
{
    if (bytes <= frame->capacity)
        return WS_OK;
    void *memory = aligned_alloc(WS_FRAME_ALIGNMENT, bytes);
    if (!memory)
        return ws_fail(WS_NO_MEMORY, "no memory for a frame of %zu bytes", bytes);
    free(frame->memory);
    *frame = (ws_frame){memory, bytes};
    return WS_OK;
}

/* Adds an entry; its offset is given when all of them are known. */
static void enter(ws_frame_header *head, const char *layer, const char *what, ws_frame_type type,
                  uint32_t rank, const int64_t shape[4])
{
    ws_frame_array *array = &directory(head)[head->array_count++];
    *array = (ws_frame_array){.type = type, .rank = rank, .bytes = type_size(type)};
    snprintf(array->name, sizeof array->name, "%s/%s", layer, what);
    for (int i = 0; i < WS_FRAME_RANK; i++) {
        array->shape[i] = shape[i];
        array->bytes *= (uint64_t)shape[i];
    }
}

static void enter_layer(ws_frame_header *head, const ws_layer_arrays *layer, int is_base)
{
    static const int64_t one[4] = {1, 1, 1, 1};
    enter(head, layer->name, "weight", WS_FLOAT32, 4, layer->weight.shape);
    if (layer->gradient.data)
        enter(head, layer->name, "gradient", WS_FLOAT32, 4, layer->weight.shape);
    if (is_base)
        enter(head, layer->name, "initial", WS_FLOAT32, 4, layer->weight.shape);
    enter(head, layer->name, "weight_range", WS_FLOAT64, 1, one);
}

static size_t place(ws_frame_header *head)
{
    size_t offset = sizeof *head + head->array_count * sizeof(ws_frame_array);
    for (uint32_t i = 0; i < head->array_count; i++) {
        ws_frame_array *array = &directory(head)[i];
        array->offset = aligned(offset);
        offset = array->offset + array->bytes;
    }
    return aligned(offset);
}

static void copy_layer(ws_frame_header *head, uint32_t *next, const ws_layer_arrays *layer, int is_base)
{
    const ws_tensor *const tensors[] = {&layer->weight, &layer->gradient, &layer->initial};
    for (int i = 0; i < (is_base ? 3 : 2); i++)
        if (tensors[i]->data)
            ws_tensor_gather(tensors[i], (float *)((char *)head + directory(head)[(*next)++].offset));
    memcpy((char *)head + directory(head)[(*next)++].offset, &layer->weight_range, sizeof(double));
}

void ws_frame_write(void *memory, const ws_frame_plan *plan)
{
    const ws_layers *layers = plan->layers;
    ws_frame_header *head = memory;
    *head = (ws_frame_header){.magic = WS_FRAME_MAGIC,
                              .version = WS_FRAME_VERSION,
                              .step = plan->step,
                              .generation = plan->generation,
                              .scalars = *plan->scalars};
    for (uint32_t i = 0; i < layers->count; i++)
        if (plan->wanted[i])
            enter_layer(head, &layers->at[i], plan->is_base);
    head->bytes = place(head);
    uint32_t next = 0;
    for (uint32_t i = 0; i < layers->count; i++)
        if (plan->wanted[i])
            copy_layer(head, &next, &layers->at[i], plan->is_base);
}

int ws_frame_fill(ws_frame *frame, const ws_frame_plan *plan)
{
    const int status = reserve(frame, ws_frame_most_bytes(plan));
    if (status == WS_OK)
        ws_frame_write(frame->memory, plan);
    return status;
}

void ws_frame_free(ws_frame *frame)
{
    free(frame->memory);
    *frame = (ws_frame){NULL, 0};
}

/* Whether shape, type and bytes of an entry agree. */
static int is_sized(const ws_frame_array *array)
{
    uint64_t bytes = type_size(array->type);
    if (!bytes || array->rank < 1 || array->rank > WS_FRAME_RANK)
        return 0;
    for (uint32_t i = 0; i < WS_FRAME_RANK; i++) {
        if (array->shape[i] < 1 || (i >= array->rank && array->shape[i] != 1))
            return 0;
        if ((uint64_t)array->shape[i] > UINT64_MAX / bytes)
            return 0;
        bytes *= (uint64_t)array->shape[i];
    }
    return bytes == array->bytes;
}

static int check_directory(const ws_frame_header *head)
{
    uint64_t end = sizeof *head + head->array_count * (uint64_t)sizeof(ws_frame_array);
    for (uint32_t i = 0; i < head->array_count; i++) {
        const ws_frame_array *array = &entries(head)[i];
        if (!memchr(array->name, 0, sizeof array->name))
            return ws_fail(WS_BAD_FILE, "frame: the name of array %u has no end", i);
        if (!is_sized(array))
            return ws_fail(WS_BAD_FILE, "frame: array \"%s\": type, shape and size do not agree",
                           array->name);
        if (array->offset % WS_FRAME_ALIGNMENT || array->offset < end || array->offset > head->bytes ||
            array->bytes > head->bytes - array->offset)
            return ws_fail(WS_BAD_FILE, "frame: array \"%s\": offset %llu is not between %llu and %llu",
                           array->name, (unsigned long long)array->offset, (unsigned long long)end,
                           (unsigned long long)head->bytes);
        end = array->offset + array->bytes;
    }
    return WS_OK;
}

int ws_frame_check(const void *block, size_t bytes)
{
    const ws_frame_header *head = ws_frame_head(block);
    if ((uintptr_t)block % _Alignof(ws_frame_header))
        return ws_fail(WS_BAD_ARGUMENT, "frame: the block is not aligned to %zu bytes",
                       _Alignof(ws_frame_header));
    if (bytes < sizeof *head || memcmp(head->magic, WS_FRAME_MAGIC, sizeof head->magic) != 0)
        return ws_fail(WS_BAD_FILE, "frame: %zu bytes that do not begin with \"%s\"", bytes, WS_FRAME_MAGIC);
    if (head->version != WS_FRAME_VERSION)
        return ws_fail(WS_BAD_FILE, "frame: version %u, this program reads %d", head->version,
                       WS_FRAME_VERSION);
    if (head->bytes != bytes)
        return ws_fail(WS_BAD_FILE, "frame: says %llu bytes, has %zu", (unsigned long long)head->bytes,
                       bytes);
    if (head->array_count > (bytes - sizeof *head) / sizeof(ws_frame_array))
        return ws_fail(WS_BAD_FILE, "frame: %u arrays do not fit into %zu bytes", head->array_count, bytes);
    return check_directory(head);
}

const ws_frame_array *ws_frame_find(const void *block, const char *name)
{
    const ws_frame_header *head = ws_frame_head(block);
    for (uint32_t i = 0; i < head->array_count; i++)
        if (strcmp(entries(head)[i].name, name) == 0)
            return &entries(head)[i];
    return NULL;
}
