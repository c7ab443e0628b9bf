/* SPDX-License-Identifier: BSD-3-Clause */
#include "sample.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct shape {
    const char *name;
    int64_t extents[4];
} shape;

static const shape layers[] = {{"conv1", {4, 1, 3, 3}}, {"conv2", {2, 4, 3, 3}}};

enum { LAYERS = 2, ROOM = 4096 };

static ws_frame_header *begin(uint64_t step)
{
    ws_frame_header *frame = aligned_alloc(WS_FRAME_ALIGNMENT, ROOM);
    if (!frame)
        abort();
    memset(frame, 0, ROOM);
    *frame = (ws_frame_header){.magic = WS_FRAME_MAGIC, .version = 1, .step = step};
    frame->scalars.epoch = (double)step / 10;
    frame->scalars.loss = 1 / ((double)step + 1);
    frame->scalars.accuracy = NAN;
    return frame;
}

static ws_frame_array *entry(ws_frame_header *frame, uint32_t i)
{
    return (ws_frame_array *)(frame + 1) + i;
}

static void enter(ws_frame_header *frame, const shape *layer, const char *what, uint32_t type)
{
    ws_frame_array *array = entry(frame, frame->array_count++);
    *array = (ws_frame_array){.type = type, .rank = type == WS_FLOAT32 ? 4 : 1, .shape = {1, 1, 1, 1}};
    snprintf(array->name, sizeof array->name, "%s/%s", layer->name, what);
    array->bytes = type == WS_FLOAT32 ? sizeof(float) : sizeof(double);
    for (uint32_t i = 0; i < 4 && type == WS_FLOAT32; i++) {
        array->shape[i] = layer->extents[i];
        array->bytes *= (uint64_t)layer->extents[i];
    }
}

static uint64_t aligned(uint64_t offset)
{
    return (offset + WS_FRAME_ALIGNMENT - 1) / WS_FRAME_ALIGNMENT * WS_FRAME_ALIGNMENT;
}

static void place(ws_frame_header *frame)
{
    uint64_t offset = (uint64_t)((char *)entry(frame, frame->array_count) - (char *)frame);
    for (uint32_t i = 0; i < frame->array_count; i++) {
        entry(frame, i)->offset = aligned(offset);
        offset = entry(frame, i)->offset + entry(frame, i)->bytes;
    }
    frame->bytes = aligned(offset);
    if (frame->bytes > ROOM)
        abort();
}

static void set_bits(float *value, uint32_t bits)
{
    memcpy(value, &bits, sizeof bits);
}

static void fill_array(ws_frame_header *frame, const ws_frame_array *array, uint64_t *counted)
{
    const double step = (double)frame->step;
    float *values = (float *)((char *)frame + array->offset);
    if (array->type == WS_FLOAT64) {
        *(double *)values = 0.5 + step;
        ++*counted;
        return;
    }
    const int is_gradient = strstr(array->name, "gradient") != NULL;
    for (uint64_t i = 0; i < array->bytes / sizeof(float); i++, ++*counted)
        values[i] = (float)(is_gradient ? -(step + (double)*counted) / 1024 : (step + (double)*counted) / 8);
    if (is_gradient)
        return;
    set_bits(&values[0], 0x7fa00000u + (uint32_t)frame->step);
    values[1] = -0.0f;
    set_bits(&values[2], 1 + (uint32_t)frame->step);
    values[3] = INFINITY;
}

void *sample_frame(uint64_t step)
{
    ws_frame_header *frame = begin(step);
    for (int i = 0; i < LAYERS; i++) {
        enter(frame, &layers[i], "weight", WS_FLOAT32);
        enter(frame, &layers[i], "gradient", WS_FLOAT32);
        enter(frame, &layers[i], "weight_range", WS_FLOAT64);
    }
    place(frame);
    uint64_t counted = 0;
    for (uint32_t i = 0; i < frame->array_count; i++)
        fill_array(frame, entry(frame, i), &counted);
    return frame;
}

void *sample_base(uint64_t which)
{
    ws_frame_header *frame = begin(which);
    for (int i = 0; i < LAYERS; i++)
        enter(frame, &layers[i], "initial", WS_FLOAT32);
    place(frame);
    uint64_t counted = 0;
    for (uint32_t i = 0; i < frame->array_count; i++) {
        float *values = (float *)((char *)frame + entry(frame, i)->offset);
        for (uint64_t k = 0; k < entry(frame, i)->bytes / sizeof(float); k++)
            values[k] = (float)counted++ / 16 + (float)which;
    }
    return frame;
}

void sample_row(uint64_t step, void *row)
{
    const double columns[] = {(double)step, 1 / ((double)step + 1)};
    float sketch[6];
    for (int i = 0; i < 6; i++)
        sketch[i] = (float)step / (float)(i + 1);
    memcpy(row, columns, sizeof columns);
    memcpy((char *)row + sizeof columns, sketch, sizeof sketch);
}

int sample_is_same(const void *a, const void *b)
{
    return ws_frame_head(a)->bytes == ws_frame_head(b)->bytes && memcmp(a, b, ws_frame_head(a)->bytes) == 0;
}

int sample_add(ws_recorder *recorder, uint64_t after, uint64_t step)
{
    char *rows = malloc((step - after) * SAMPLE_ROW_BYTES + 1);
    for (uint64_t i = 0; i < step - after; i++)
        sample_row(after + 1 + i, rows + i * SAMPLE_ROW_BYTES);
    void *frame = sample_frame(step);
    const int status = ws_recorder_add(recorder, frame, rows, step - after);
    free(frame);
    free(rows);
    return status;
}

typedef struct expected_rows {
    uint64_t last;
    int same;
} expected_rows;

static int compare_row(void *context, const void *row)
{
    expected_rows *expected = context;
    char wanted[SAMPLE_ROW_BYTES];
    sample_row(++expected->last, wanted);
    expected->same = expected->same && memcmp(row, wanted, sizeof wanted) == 0;
    return 1;
}

static int compare_block(const ws_frame *found, void *expected)
{
    const int same = sample_is_same(found->memory, expected);
    free(expected);
    return same;
}

int sample_compare(ws_recording *recording, uint64_t n, uint64_t after, uint64_t step)
{
    ws_frame found = {NULL, 0};
    int status = ws_recording_read(recording, n, &found);
    int same = status == WS_OK && compare_block(&found, sample_frame(step));
    ws_frame_free(&found);
    expected_rows rows = {after, 1};
    if (status == WS_OK)
        status = ws_recording_rows(recording, n, compare_row, &rows);
    return status ? status : same && rows.same && rows.last == step;
}

int sample_compare_base(ws_recording *recording, uint64_t n, uint64_t which)
{
    ws_frame found = {NULL, 0};
    const int status = ws_recording_base(recording, n, &found);
    const int same = status == WS_OK && compare_block(&found, sample_base(which));
    ws_frame_free(&found);
    return status ? status : same;
}
