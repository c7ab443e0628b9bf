/* SPDX-License-Identifier: BSD-3-Clause */
#include "recording.h"
#include "message.h"
#include "packing.h"
#include "recording_file.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

/* What a file looked like: while that stays, so does the number of its frames. */
typedef struct look {
    uint64_t claimed, bytes;
    struct timespec changed;
} look;

struct ws_recording {
    ws_recording_file file;
    ws_packer *packer;
    uint64_t count;
    look last;
};

static look look_of(const ws_recording_file *file)
{
    struct stat found = {0};
    fstat(file->descriptor, &found);
    return (look){file->claimed, file->bytes, found.st_mtim};
}

static int is_same(const look *a, const look *b)
{
    return a->claimed == b->claimed && a->bytes == b->bytes && a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

/* Counts anew what is there in full, unless nothing has changed. */
static int count_again(ws_recording *recording)
{
    const look now = look_of(&recording->file);
    if (is_same(&now, &recording->last))
        return WS_OK;
    const int status = ws_recording_file_complete(&recording->file, &recording->count);
    if (status == WS_OK)
        recording->last = now;
    return status;
}

int ws_recording_open(const char *path, ws_recording **out)
{
    ws_recording *recording = calloc(1, sizeof *recording);
    if (!recording)
        return ws_fail(WS_NO_MEMORY, "%s: no memory to open it", path);
    recording->file.descriptor = -1;
    int status = ws_recording_file_open(&recording->file, path, O_RDONLY);
    if (status == WS_OK)
        status = ws_recording_file_load(&recording->file);
    if (status == WS_OK)
        status = ws_packer_create(&recording->packer);
    if (status == WS_OK)
        status = count_again(recording);
    if (status)
        ws_recording_close(recording);
    else
        *out = recording;
    return status;
}

uint64_t ws_recording_refresh(ws_recording *recording)
{
    /* What cannot be looked at now stays what it was. */
    if (ws_recording_file_look(&recording->file) == WS_OK)
        count_again(recording);
    return recording->count;
}

uint64_t ws_recording_count(const ws_recording *recording)
{
    return recording->count;
}

uint64_t ws_recording_claimed(const ws_recording *recording)
{
    return recording->file.claimed;
}

int ws_recording_step(ws_recording *recording, uint64_t n, uint64_t *step)
{
    ws_recording_entry entry;
    const int status = ws_recording_file_entry(&recording->file, n, &entry);
    if (status == WS_OK)
        *step = entry.step;
    return status;
}

int ws_recording_find(ws_recording *recording, uint64_t step, uint64_t *n)
{
    return ws_recording_file_find(&recording->file, recording->count, step, n);
}

/* Unpacks the part that was read; a checksum alone does not make a frame. */
static int unpack_frame(ws_recording *recording, uint64_t n, uint64_t offset,
                        const ws_recording_record *record, ws_frame *out)
{
    ws_recording_file *file = &recording->file;
    int status = ws_recording_file_frame_part(file, n, offset, record);
    if (status)
        return status;
    status = ws_unpack_frame(recording->packer, file->part, file->part_bytes, record->frame_bytes, out);
    if (status == WS_BAD_FILE)
        return ws_recording_file_damaged(file, n, record, offset + sizeof *record, ws_message());
    return status;
}

int ws_recording_read(ws_recording *recording, uint64_t n, ws_frame *out)
{
    ws_recording_entry entry;
    ws_recording_record record;
    const int status = ws_recording_file_frame(&recording->file, n, &entry, &record);
    return status ? status : unpack_frame(recording, n, entry.offset, &record, out);
}

int ws_recording_base(ws_recording *recording, uint64_t n, ws_frame *out)
{
    ws_recording_entry entry;
    ws_recording_record frame, base;
    int status = ws_recording_file_frame(&recording->file, n, &entry, &frame);
    if (status == WS_OK)
        status = ws_recording_file_base(&recording->file, n, &frame, &base);
    return status ? status : unpack_frame(recording, n, frame.base, &base, out);
}

int ws_recording_base_at(ws_recording *recording, uint64_t n, uint64_t *byte)
{
    ws_recording_entry entry;
    ws_recording_record frame, base;
    int status = ws_recording_file_frame(&recording->file, n, &entry, &frame);
    if (status == WS_OK)
        status = ws_recording_file_base(&recording->file, n, &frame, &base);
    if (status == WS_OK)
        *byte = frame.base;
    return status;
}

int ws_recording_size(ws_recording *recording, uint64_t n, uint64_t *stored, uint64_t *raw)
{
    ws_recording_entry entry;
    ws_recording_record record;
    const int status = ws_recording_file_frame(&recording->file, n, &entry, &record);
    if (status == WS_OK) {
        *stored = record.frame_stored;
        *raw = record.frame_bytes;
    }
    return status;
}

const char *ws_recording_head(const ws_recording *recording)
{
    return recording->file.head.row_bytes > 0 ? recording->file.text : "";
}

size_t ws_recording_row_bytes(const ws_recording *recording)
{
    return recording->file.head.row_bytes;
}

static int unpack_rows(ws_recording *recording, uint64_t n, const ws_recording_entry *entry,
                       const ws_recording_record *record, const char **rows)
{
    ws_recording_file *file = &recording->file;
    int status = ws_recording_file_rows_part(file, n, entry->offset, record);
    if (status)
        return status;
    const void *unpacked;
    status = ws_unpack_rows(recording->packer, file->part, file->part_bytes, file->head.row_bytes,
                            record->row_count, &unpacked);
    if (status == WS_BAD_FILE)
        return ws_recording_file_damaged(file, n, record,
                                         entry->offset + sizeof *record + record->frame_stored, ws_message());
    if (status == WS_OK)
        *rows = unpacked;
    return status;
}

int ws_recording_rows(ws_recording *recording, uint64_t n, int (*take)(void *context, const void *row),
                      void *context)
{
    ws_recording_entry entry;
    ws_recording_record record;
    const char *rows = NULL;
    int status = ws_recording_file_frame(&recording->file, n, &entry, &record);
    if (status == WS_OK && record.row_count > 0)
        status = unpack_rows(recording, n, &entry, &record, &rows);
    for (uint64_t i = 0; status == WS_OK && i < record.row_count; i++) {
        const int taken = take(context, rows + i * recording->file.head.row_bytes);
        status = taken < 0 ? taken : WS_OK;
    }
    return status;
}

void ws_recording_close(ws_recording *recording)
{
    if (!recording)
        return;
    ws_recording_file_close(&recording->file);
    ws_packer_free(recording->packer);
    free(recording);
}
