/* SPDX-License-Identifier: BSD-3-Clause */
#include "bucket.h"
#include "message.h"
#include <stdlib.h>

#define FIRST_CAPACITY 4

uint32_t ws_bucket_most(const ws_row_layout *layout)
{
    return 2 * (layout->column_count - WS_RISING_COLUMNS) + 2;
}

int ws_bucket_create(ws_bucket *bucket, const ws_row_layout *layout)
{
    *bucket = (ws_bucket){.row_bytes = layout->row_bytes, .column_count = layout->column_count};
    bucket->extremes = malloc(bucket->column_count * sizeof *bucket->extremes);
    if (!bucket->extremes)
        return ws_fail(WS_NO_MEMORY, "no memory for the curves of %u columns", layout->column_count);
    ws_bucket_clear(bucket);
    return WS_OK;
}

void ws_bucket_free(ws_bucket *bucket)
{
    free(bucket->slots);
    free(bucket->rows);
    free(bucket->extremes);
    *bucket = (ws_bucket){0};
}

void ws_bucket_clear(ws_bucket *bucket)
{
    bucket->kept = bucket->used = 0;
    bucket->oldest = bucket->newest = bucket->free = WS_BUCKET_END;
    for (uint32_t i = 0; i < bucket->column_count; i++)
        bucket->extremes[i] = (ws_bucket_extreme){0, 0, WS_BUCKET_END, WS_BUCKET_END};
}

int ws_bucket_reserve(ws_bucket *bucket, uint32_t count)
{
    if (count <= bucket->capacity)
        return WS_OK;
    uint32_t capacity = bucket->capacity ? 2 * bucket->capacity : FIRST_CAPACITY;
    capacity = capacity < count ? count : capacity;
    ws_bucket_slot *slots = realloc(bucket->slots, capacity * sizeof *slots);
    if (slots)
        bucket->slots = slots;
    char *rows = realloc(bucket->rows, capacity * bucket->row_bytes);
    if (rows)
        bucket->rows = rows;
    if (!slots || !rows)
        return ws_fail(WS_NO_MEMORY, "no memory for %u rows of %zu bytes", capacity, bucket->row_bytes);
    bucket->capacity = capacity;
    return WS_OK;
}

/* Puts a row into a slot at the end of the list. */
static uint32_t enter(ws_bucket *bucket, const void *row)
{
    uint32_t slot = bucket->free;
    if (slot == WS_BUCKET_END)
        slot = bucket->used++;
    else
        bucket->free = bucket->slots[slot].next;
    memcpy(bucket->rows + slot * bucket->row_bytes, row, bucket->row_bytes);
    bucket->slots[slot] = (ws_bucket_slot){0, bucket->newest, WS_BUCKET_END};
    if (bucket->newest == WS_BUCKET_END)
        bucket->oldest = slot;
    else
        bucket->slots[bucket->newest].next = slot;
    bucket->newest = slot;
    bucket->kept++;
    return slot;
}

/* Takes a reason from a slot. Neither the oldest row nor the newest loses its last one: there is one on each
 * side. */
static void release(ws_bucket *bucket, uint32_t slot)
{
    ws_bucket_slot *left = &bucket->slots[slot];
    if (--left->reasons > 0)
        return;
    bucket->slots[left->previous].next = left->next;
    bucket->slots[left->next].previous = left->previous;
    left->next = bucket->free;
    bucket->free = slot;
    bucket->kept--;
}

/* Moves the mark of an extreme to another slot. */
static void move(ws_bucket *bucket, uint32_t *at, uint32_t slot)
{
    if (*at != WS_BUCKET_END)
        release(bucket, *at);
    *at = slot;
    bucket->slots[slot].reasons++;
}

static void note(ws_bucket *bucket, ws_bucket_extreme *extreme, double value, uint32_t slot)
{
    /* Both are false for a NaN. */
    if (value < extreme->least || (extreme->least_at == WS_BUCKET_END && value == value)) {
        extreme->least = value;
        move(bucket, &extreme->least_at, slot);
    }
    if (value > extreme->greatest || (extreme->greatest_at == WS_BUCKET_END && value == value)) {
        extreme->greatest = value;
        move(bucket, &extreme->greatest_at, slot);
    }
}

void ws_bucket_add(ws_bucket *bucket, const void *row)
{
    const uint32_t last = bucket->newest, slot = enter(bucket, row);
    bucket->slots[slot].reasons = last == WS_BUCKET_END ? 2 : 1;
    /* Rows are multiples of 8 bytes, and so are slots. */
    const double *values = (const double *)ws_bucket_row(bucket, slot);
    for (uint32_t i = WS_RISING_COLUMNS; i < bucket->column_count; i++)
        note(bucket, &bucket->extremes[i], values[i], slot);
    if (last != WS_BUCKET_END)
        release(bucket, last);
}
