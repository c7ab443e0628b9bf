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
    static const size_t sizes[] = {
        [WS_FLOAT32] = sizeof(float), [WS_FLOAT64] = sizeof(double), [WS_INT32] = sizeof(int32_t)};
    return type < sizeof sizes / sizeof *sizes ? sizes[type] : 0;
}

static ws_frame_array *directory(void *block)
{
    return (ws_frame_array *)((char *)block + sizeof(ws_frame_header));
}

static const ws_frame_array *entries(const void *block)
{
    return (const ws_frame_array *)((const char *)block + sizeof(ws_frame_header));
}

/* The arrays of a layer in the order that they have in a frame. What is not wanted, or not there, has no
 * count. */
typedef struct part {
    const char *name;
    ws_frame_type type;
    uint32_t rank;
    int64_t shape[4];
    const void *data;
    const ws_tensor *tensor; /* instead of data: the host's, with strides */
} part;

enum { PARTS = 15 };

static void of_weights(const ws_layer_arrays *layer, const char *name, const ws_tensor *tensor, part *out)
{
    *out = (part){.name = name, .type = WS_FLOAT32, .rank = 4, .tensor = tensor};
    memcpy(out->shape, layer->weight.shape, sizeof out->shape);
}

static part of_filters(const char *name, ws_frame_type type, uint32_t rank, int64_t filters, const void *data)
{
    return (part){name, type, rank, {filters, rank > 1 ? filters : 1, 1, 1}, data, NULL};
}

static part of_activations(const ws_layer_arrays *layer)
{
    const int64_t *shape = layer->activation_shape;
    const float *all = layer->activation_part[1] > 0 ? layer->gathered : layer->activation;
    return (part){"activation", WS_FLOAT32, 4, {shape[0], shape[1], shape[2], shape[3]}, all, NULL};
}

/* What a base tells of a layer, besides what the layer's own memory holds. */
typedef struct base_numbers {
    int32_t offers[4], whole[2];
} base_numbers;

/* What the layer can show, as a base tells it. */
static void tell_offers(const ws_layer_arrays *layer, int32_t out[4])
{
    const int has_activations = (layer->offers & WS_WANTS_ACTIVATIONS) != 0;
    out[0] = has_activations ? (int32_t)layer->activation_shape[0] : 0;
    out[1] = has_activations ? (int32_t)layer->activation_shape[2] : 0;
    out[2] = has_activations ? (int32_t)layer->activation_shape[3] : 0;
    out[3] = (layer->offers & WS_WANTS_CORRELATION) != 0;
}

static base_numbers numbers_of(const ws_layer_arrays *layer)
{
    base_numbers numbers = {.whole = {(int32_t)layer->whole[0], (int32_t)layer->whole[1]}};
    tell_offers(layer, numbers.offers);
    return numbers;
}

/* Where filters and channels were when the run began, and those that are there no more. */
static int parts_of_beginning(const ws_layer_arrays *layer, const base_numbers *numbers, part *out)
{
    const int64_t *shape = layer->weight.shape, gone = layer->merged_count;
    int count = 0;
    out[count++] = of_filters("source_channel", WS_INT32, 1, shape[1], layer->source_channel);
    out[count++] = (part){"whole", WS_INT32, 1, {2, 1, 1, 1}, numbers->whole, NULL};
    if (gone == 0)
        return count;
    out[count++] = (part){"merged", WS_FLOAT64, 2, {gone, 3, 1, 1}, layer->merged, NULL};
    out[count++] = (part){"merged_weight",      WS_FLOAT32, 4, {gone, layer->whole[1], shape[2], shape[3]},
                          layer->merged_weight, NULL};
    return count;
}

/* Returns how many parts are in `out`. */
static int parts_of(const ws_layer_arrays *layer, uint32_t wanted, int is_base, const base_numbers *numbers,
                    part out[PARTS])
{
    const int64_t filters = layer->weight.shape[0];
    int count = 0;
    if (wanted & WS_WANTS_WEIGHTS) {
        of_weights(layer, "weight", &layer->weight, &out[count++]);
        of_weights(layer, "gradient", &layer->gradient, &out[count++]);
        if (is_base)
            of_weights(layer, "initial", &layer->initial, &out[count++]);
        out[count++] = (part){"weight_range", WS_FLOAT64, 1, {1, 1, 1, 1}, &layer->weight_range, NULL};
    }
    if (wanted) {
        out[count++] = of_filters("source", WS_INT32, 1, filters, layer->source);
        out[count++] = of_filters("group", WS_INT32, 1, filters, layer->group);
    }
    if (is_base) {
        out[count++] = (part){"offers", WS_INT32, 1, {4, 1, 1, 1}, numbers->offers, NULL};
        count += parts_of_beginning(layer, numbers, out + count);
    }
    if (wanted & layer->offers & WS_WANTS_ACTIVATIONS)
        out[count++] = of_activations(layer);
    if (wanted & layer->offers & WS_WANTS_CORRELATION) {
        out[count++] = of_filters("pearson", WS_FLOAT64, 2, filters, layer->pearson);
        out[count++] = of_filters("pearson_weights", WS_FLOAT64, 2, filters, layer->pearson_weights);
        out[count++] = of_filters("dead", WS_INT32, 1, filters, layer->dead);
    }
    return count;
}

/* What belongs to no layer. */
static part of_ranks(const ws_frame_plan *plan)
{
    const ws_rank_rows *ranks = plan->ranks;
    part made = {"ranks", WS_FLOAT64, 2, {1, WS_RANK_COLUMNS, 1, 1}, NULL, NULL};
    if (ranks && ranks->count > 0) {
        made.shape[0] = ranks->count;
        made.data = ranks->rows;
    }
    return made;
}

static int is_there(const part *of)
{
    return of->tensor ? of->tensor->data != NULL : of->data != NULL;
}

static size_t bytes_of(const part *of)
{
    size_t bytes = type_size(of->type);
    for (int i = 0; i < WS_FRAME_RANK; i++)
        bytes *= (size_t)of->shape[i];
    return bytes;
}

size_t ws_frame_most_bytes(const ws_frame_plan *plan)
{
    static const base_numbers numbers;
    size_t bytes = sizeof(ws_frame_header);
    for (uint32_t i = 0; i < plan->layers->count; i++) {
        part parts[PARTS];
        const int count =
            plan->wanted[i] ? parts_of(&plan->layers->at[i], plan->wanted[i], plan->is_base, &numbers, parts)
                            : 0;
        for (int j = 0; j < count; j++)
            bytes += sizeof(ws_frame_array) + aligned(bytes_of(&parts[j]));
    }
    const part ranks = of_ranks(plan);
    if (is_there(&ranks))
        bytes += sizeof(ws_frame_array) + aligned(bytes_of(&ranks));
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

/* Adds an entry; its offset is given when all of them are known. `layer` is NULL of what belongs to none. */
static void enter(ws_frame_header *head, const char *layer, const part *of)
{
    ws_frame_array *array = &directory(head)[head->array_count++];
    *array = (ws_frame_array){.type = of->type, .rank = of->rank, .bytes = bytes_of(of)};
    snprintf(array->name, sizeof array->name, "%s%s%s", layer ? layer : "", layer ? "/" : "", of->name);
    memcpy(array->shape, of->shape, sizeof array->shape);
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

static void copy(const part *of, void *to)
{
    if (of->tensor)
        ws_tensor_gather(of->tensor, to);
    else
        memcpy(to, of->data, bytes_of(of));
}

/* Calls visit for every part that is there, in the order of the directory. */
static void for_each_part(ws_frame_header *head, const ws_frame_plan *plan,
                          void (*visit)(ws_frame_header *head, uint32_t number, const char *layer,
                                        const part *of))
{
    uint32_t number = 0;
    for (uint32_t i = 0; i < plan->layers->count; i++) {
        const ws_layer_arrays *layer = &plan->layers->at[i];
        part parts[PARTS];
        const base_numbers numbers = numbers_of(layer);
        const int count =
            plan->wanted[i] ? parts_of(layer, plan->wanted[i], plan->is_base, &numbers, parts) : 0;
        for (int j = 0; j < count; j++)
            if (is_there(&parts[j]))
                visit(head, number++, layer->name, &parts[j]);
    }
    const part ranks = of_ranks(plan);
    if (is_there(&ranks))
        visit(head, number, NULL, &ranks);
}

static void enter_part(ws_frame_header *head, uint32_t number, const char *layer, const part *of)
{
    (void)number;
    enter(head, layer, of);
}

static void copy_part(ws_frame_header *head, uint32_t number, const char *layer, const part *of)
{
    (void)layer;
    copy(of, (char *)head + directory(head)[number].offset);
}

void ws_frame_write(void *memory, const ws_frame_plan *plan)
{
    ws_frame_header *head = memory;
    *head = (ws_frame_header){.magic = WS_FRAME_MAGIC,
                              .version = WS_FRAME_VERSION,
                              .step = plan->step,
                              .generation = plan->generation,
                              .scalars = *plan->scalars};
    for_each_part(head, plan, enter_part);
    head->bytes = place(head);
    for_each_part(head, plan, copy_part);
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
    if (head->version < WS_FRAME_OLDEST || head->version > WS_FRAME_VERSION)
        return ws_fail(WS_BAD_FILE, "frame: version %u, this program reads %d to %d", head->version,
                       WS_FRAME_OLDEST, WS_FRAME_VERSION);
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
