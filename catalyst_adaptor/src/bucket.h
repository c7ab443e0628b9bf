/* SPDX-License-Identifier: BSD-3-Clause */
/* Of consecutive rows those that a curve needs to look the same: the first, the last, and the first at which
 * a column has its least or greatest value. The step, the epoch and the time only rise, so first and last are
 * theirs; a NaN never counts. Internal to curve.c. One thread. */
#ifndef WEIGHTSCAPE_BUCKET_H
#define WEIGHTSCAPE_BUCKET_H

#include "row_layout.h"

#define WS_BUCKET_END     UINT32_MAX
#define WS_RISING_COLUMNS 3 /* step, epoch, time */

/* A place for a row. */
typedef struct ws_bucket_slot {
    uint32_t reasons;        /* how often it is the first, the last, a least or a greatest one; 0: free */
    uint32_t previous, next; /* in the order of the rows; WS_BUCKET_END */
} ws_bucket_slot;

/* Where a column has been least and greatest. */
typedef struct ws_bucket_extreme {
    double least, greatest;
    uint32_t least_at, greatest_at; /* slots; WS_BUCKET_END: nowhere yet */
} ws_bucket_extreme;

/* Zero-initialise. */
typedef struct ws_bucket {
    size_t row_bytes;
    uint32_t column_count;
    uint32_t kept;           /* rows */
    uint32_t oldest, newest; /* slots */
    uint32_t used, free;     /* slots that have ever held a row; the first of those that are free again */
    uint32_t capacity;
    ws_bucket_slot *slots;       /* owned */
    char *rows;                  /* owned: of the slots */
    ws_bucket_extreme *extremes; /* owned: one per column */
} ws_bucket;

/* The most rows that a bucket can keep, however many are added. */
uint32_t ws_bucket_most(const ws_row_layout *layout);

/* An empty bucket. WS_NO_MEMORY. Free with ws_bucket_free, also after an error. */
int ws_bucket_create(ws_bucket *bucket, const ws_row_layout *layout);
void ws_bucket_free(ws_bucket *bucket);

/* Makes room for `count` rows. WS_NO_MEMORY: nothing has changed. */
int ws_bucket_reserve(ws_bucket *bucket, uint32_t count);

/* Adds a row. There must be room for kept + 1 rows. Takes time for each column, however many rows are kept.
 */
void ws_bucket_add(ws_bucket *bucket, const void *row);

/* Forgets all rows, keeps the memory. */
void ws_bucket_clear(ws_bucket *bucket);

/* The row of a slot; from `oldest` on, `next` leads through all that are kept. */
static inline const char *ws_bucket_row(const ws_bucket *bucket, uint32_t slot)
{
    return bucket->rows + slot * bucket->row_bytes;
}

#endif
