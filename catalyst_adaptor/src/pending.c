/* SPDX-License-Identifier: BSD-3-Clause */
#include "pending.h"
#include <stdlib.h>
#include <string.h>

#define MOST_ROW_BYTES                                                                                       \
    ((size_t)8 << 20) /* of rows that wait for a frame; then one is recorded for their sake */

struct ws_pending {
    ws_recorder *recorder;
    ws_log log;
    uint64_t record;
    uint64_t last;   /* step of the last frame; WS_NEVER: none yet */
    uint64_t known;  /* what an earlier session has recorded up to this step stays; WS_NEVER: nothing */
    uint64_t frames; /* of this session */
    size_t row_bytes, rows, capacity;
    char *waiting; /* rows */
    int has_failed;
};

/* A row that waited for the next frame when an earlier session ended. */
static int take_row(void *context, const void *row)
{
    ws_pending_row(context, row);
    return 1;
}

int ws_pending_open(const char *path, uint64_t record, uint64_t first_step, const ws_history *history,
                    const ws_log *log, ws_pending **out)
{
    const ws_row_layout *layout = ws_history_layout(history);
    const ws_recorder_options options = {
        .path = path, .head = layout->head, .row_bytes = layout->row_bytes, .first_step = first_step};
    ws_pending *pending = calloc(1, sizeof *pending);
    if (!pending)
        return ws_fail(WS_NO_MEMORY, "no memory for a recording");
    *pending = (ws_pending){.log = *log, .record = record, .last = WS_NEVER, .row_bytes = layout->row_bytes};
    int status = ws_recorder_open(&options, &pending->recorder);
    if (status) {
        free(pending);
        return status;
    }
    pending->known = WS_NEVER;
    if (ws_recorder_count(pending->recorder) > 0) {
        pending->known = first_step;
        pending->last = ws_recorder_last_step(pending->recorder);
        status = ws_history_rows(history, pending->last, take_row, pending);
    }
    if (status)
        ws_pending_close(pending);
    else
        *out = pending;
    return status;
}

int ws_pending_base(ws_pending *pending, const void *base)
{
    return ws_recorder_base(pending->recorder, base);
}

static void fail(ws_pending *pending)
{
    pending->has_failed = 1;
    pending->rows = 0;
    ws_tell(&pending->log, WS_LOG_WARNING, "%s; the recording ends here, training goes on", ws_message());
}

void ws_pending_row(ws_pending *pending, const void *row)
{
    if (pending->has_failed)
        return;
    if (pending->rows == pending->capacity) {
        const size_t capacity = pending->capacity ? 2 * pending->capacity : 64;
        char *grown = realloc(pending->waiting, capacity * pending->row_bytes);
        if (!grown) {
            ws_fail(WS_NO_MEMORY, "no memory for %zu rows of the recording", capacity);
            fail(pending);
            return;
        }
        pending->waiting = grown;
        pending->capacity = capacity;
    }
    memcpy(pending->waiting + pending->rows++ * pending->row_bytes, row, pending->row_bytes);
}

static int has_long_waited(const ws_pending *pending)
{
    return pending->rows * pending->row_bytes >= MOST_ROW_BYTES;
}

static int is_first(const ws_pending *pending)
{
    return pending->last == WS_NEVER;
}

uint64_t ws_pending_next(const ws_pending *pending, uint64_t from)
{
    if (pending->has_failed)
        return WS_NEVER;
    if (is_first(pending) || has_long_waited(pending))
        return from;
    if (pending->record == WS_RECORD_WANTED)
        return WS_NEVER;
    const uint64_t past = from % pending->record;
    return past ? from + (pending->record - past) : from;
}

int ws_pending_wants(const ws_pending *pending, uint64_t step, int script_waits)
{
    if (pending->known != WS_NEVER && step <= pending->known)
        return 0;
    return !pending->has_failed && (script_waits || ws_pending_next(pending, step) == step);
}

int ws_pending_has(const ws_pending *pending, uint64_t step)
{
    return pending->last != WS_NEVER && pending->last >= step;
}

void ws_pending_add(ws_pending *pending, const void *frame)
{
    if (pending->has_failed)
        return;
    if (ws_recorder_add(pending->recorder, frame, pending->waiting, pending->rows) != WS_OK) {
        fail(pending);
        return;
    }
    pending->rows = 0;
    pending->frames++;
    pending->last = ws_frame_head(frame)->step;
}

void ws_pending_sync(ws_pending *pending)
{
    if (!pending->has_failed && ws_recorder_sync(pending->recorder) != WS_OK)
        fail(pending);
}

void ws_pending_report(const ws_pending *pending, ws_report *report)
{
    report->frames_recorded = pending->frames;
    report->recording_bytes = ws_recorder_bytes(pending->recorder);
    report->files_failed += (uint64_t)pending->has_failed;
}

void ws_pending_close(ws_pending *pending)
{
    if (!pending)
        return;
    ws_recorder_close(pending->recorder);
    free(pending->waiting);
    free(pending);
}
