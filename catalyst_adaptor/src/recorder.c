/* SPDX-License-Identifier: BSD-3-Clause */
#include "recorder.h"
#include "descriptor.h"
#include "message.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long long number; /* for messages */

int ws_recorder_reserve(ws_recorder *recorder, size_t bytes)
{
    if (bytes <= recorder->room_capacity)
        return WS_OK;
    char *room = malloc(bytes);
    if (!room)
        return ws_fail(WS_NO_MEMORY, "%s: no memory for a record of %zu bytes", recorder->file.path, bytes);
    free(recorder->room);
    recorder->room = room;
    recorder->room_capacity = bytes;
    return WS_OK;
}

static int set_word(ws_recorder *recorder, ws_recording_word *word, uint64_t value)
{
    const ws_recording_word written = ws_recording_word_of(value);
    const uint64_t byte = (uint64_t)((char *)word - (char *)&recorder->file.head);
    const int status = ws_recording_file_write(&recorder->file, &written, sizeof written, byte);
    if (status == WS_OK)
        *word = written;
    return status;
}

/* After a failure nothing more is written, so that the file stays what it was: cut off is what the failure
 * left of a record, and if that fails too, no count tells of it. */
static int give_up(ws_recorder *recorder, int status)
{
    snprintf(recorder->problem, sizeof recorder->problem, "%s", ws_message());
    if (ws_descriptor_cut(recorder->file.descriptor, (off_t)recorder->end) == 0)
        recorder->file.bytes = recorder->end;
    return ws_fail(status, "%s", recorder->problem);
}

static int check_alive(const ws_recorder *recorder)
{
    return recorder->problem[0] ? ws_fail(WS_IO_FAILED, "%s", recorder->problem) : WS_OK;
}

static void seal(ws_recording_record *record, char *room)
{
    record->check = ws_recording_check(record, WS_RECORDING_RECORD_CHECKED);
    memcpy(room, record, sizeof *record);
}

int ws_recorder_append(ws_recorder *recorder, ws_recording_record *record)
{
    const ws_recording_place place = ws_recording_place_of(recorder->count);
    ws_recording_word *block = &recorder->file.head.blocks[place.block];
    const uint64_t bytes = ws_recording_record_bytes(record);
    const uint64_t index_bytes =
        place.entry == 0 ? ws_recording_entries(place.block) * sizeof(ws_recording_entry) : 0;
    record->number = recorder->count;
    seal(record, recorder->room);
    ws_recording_entry entry = {recorder->end + index_bytes, record->step, recorder->rows + record->row_count,
                                0};
    entry.check = ws_recording_entry_check(&entry, recorder->count);

    int status = ws_recording_file_write(&recorder->file, recorder->room, bytes, entry.offset);
    if (status == WS_OK && index_bytes > 0)
        status = set_word(recorder, block, recorder->end);
    if (status == WS_OK)
        status = ws_recording_file_write(&recorder->file, &entry, sizeof entry,
                                         block->value + place.entry * sizeof entry);
    if (status == WS_OK)
        status = set_word(recorder, &recorder->file.head.count, recorder->count + 1);
    if (status)
        return give_up(recorder, status);
    recorder->count++;
    recorder->end = entry.offset + bytes;
    recorder->rows = entry.rows;
    recorder->last_step = record->step;
    return WS_OK;
}

int ws_recorder_append_base(ws_recorder *recorder, ws_recording_record *record)
{
    const uint64_t bytes = ws_recording_record_bytes(record);
    seal(record, recorder->room);
    const int status = ws_recording_file_write(&recorder->file, recorder->room, bytes, recorder->end);
    if (status)
        return give_up(recorder, status);
    recorder->base = recorder->end;
    recorder->end += bytes;
    return WS_OK;
}

/* Whether these bytes are a frame that fits into a record. */
static int check_frame(const ws_recorder *recorder, const void *frame)
{
    const uint64_t bytes = ws_frame_head(frame)->bytes;
    if (ws_frame_check(frame, bytes) != WS_OK)
        return ws_fail(WS_BAD_ARGUMENT, "%s: %s", recorder->file.path, ws_message());
    if (bytes > WS_PACKING_MOST)
        return ws_fail(WS_BAD_ARGUMENT, "%s: a frame of %llu bytes: a recording takes at most %llu",
                       recorder->file.path, (number)bytes, (number)WS_PACKING_MOST);
    return WS_OK;
}

static int check_rows(const ws_recorder *recorder, uint64_t row_count)
{
    const uint64_t row_bytes = recorder->file.head.row_bytes;
    if (row_count > 0 && row_bytes == 0)
        return ws_fail(WS_BAD_ARGUMENT, "%s: %llu rows: this recording keeps none", recorder->file.path,
                       (number)row_count);
    if (row_count > 0 && row_count > WS_PACKING_MOST / row_bytes)
        return ws_fail(WS_BAD_ARGUMENT, "%s: %llu rows: a frame takes at most %llu", recorder->file.path,
                       (number)row_count, (number)(WS_PACKING_MOST / row_bytes));
    return WS_OK;
}

/* Packs a frame behind its record's head. */
static int pack_frame(ws_recorder *recorder, const void *frame, size_t more, ws_recording_record *record)
{
    const size_t bytes = ws_frame_head(frame)->bytes, most = ws_packed_most(bytes);
    size_t stored;
    int status = ws_recorder_reserve(recorder, sizeof *record + most + more);
    if (status == WS_OK)
        status = ws_pack_frame(recorder->packer, frame, recorder->room + sizeof *record, most, &stored);
    if (status)
        return status;
    record->frame_bytes = bytes;
    record->frame_stored = stored;
    record->frame_check = ws_recording_check(recorder->room + sizeof *record, stored);
    return WS_OK;
}

static int pack_rows(ws_recorder *recorder, const void *rows, uint64_t row_count, size_t most,
                     ws_recording_record *record)
{
    if (row_count == 0)
        return WS_OK;
    char *to = recorder->room + sizeof *record + record->frame_stored;
    size_t stored;
    const int status =
        ws_pack_rows(recorder->packer, rows, recorder->file.head.row_bytes, row_count, to, most, &stored);
    if (status)
        return status;
    record->row_count = row_count;
    record->rows_stored = stored;
    record->rows_check = ws_recording_check(to, stored);
    return WS_OK;
}

int ws_recorder_add(ws_recorder *recorder, const void *frame, const void *rows, uint64_t row_count)
{
    int status = check_alive(recorder);
    if (status == WS_OK)
        status = check_frame(recorder, frame);
    if (status == WS_OK)
        status = check_rows(recorder, row_count);
    if (status)
        return status;
    ws_recording_record record = {.step = ws_frame_head(frame)->step, .base = recorder->base};
    memcpy(record.magic, WS_RECORDING_FRAME_MAGIC, sizeof record.magic);
    if (recorder->count > 0 && record.step <= recorder->last_step)
        return ws_fail(WS_BAD_ARGUMENT, "%s: step %llu after step %llu: steps must rise", recorder->file.path,
                       (number)record.step, (number)recorder->last_step);
    if (recorder->count >= WS_RECORDING_MOST_FRAMES)
        return ws_fail(WS_BAD_ARGUMENT, "%s: has %llu frames, and no place for more", recorder->file.path,
                       (number)recorder->count);
    const size_t most = row_count > 0 ? ws_packed_most(row_count * recorder->file.head.row_bytes) : 0;
    status = pack_frame(recorder, frame, most, &record);
    if (status == WS_OK)
        status = pack_rows(recorder, rows, row_count, most, &record);
    return status ? status : ws_recorder_append(recorder, &record);
}

int ws_recorder_base(ws_recorder *recorder, const void *base)
{
    int status = check_alive(recorder);
    if (status == WS_OK)
        status = check_frame(recorder, base);
    ws_recording_record record = {.base = 0};
    memcpy(record.magic, WS_RECORDING_BASE_MAGIC, sizeof record.magic);
    if (status == WS_OK)
        status = pack_frame(recorder, base, 0, &record);
    if (status)
        return status;
    const char *packed = recorder->room + sizeof record;
    if (recorder->base > 0 && recorder->base_bytes == record.frame_stored &&
        memcmp(recorder->base_packed, packed, record.frame_stored) == 0)
        return WS_OK;
    record.step = ws_frame_head(base)->step;
    char *kept = malloc(record.frame_stored);
    if (!kept)
        return ws_fail(WS_NO_MEMORY, "%s: no memory for a base of %llu bytes", recorder->file.path,
                       (number)record.frame_stored);
    memcpy(kept, packed, record.frame_stored);
    status = ws_recorder_append_base(recorder, &record);
    if (status) {
        free(kept);
        return status;
    }
    free(recorder->base_packed);
    recorder->base_packed = kept;
    recorder->base_bytes = record.frame_stored;
    return WS_OK;
}

uint64_t ws_recorder_count(const ws_recorder *recorder)
{
    return recorder->count;
}

uint64_t ws_recorder_last_step(const ws_recorder *recorder)
{
    return recorder->last_step;
}

uint64_t ws_recorder_bytes(const ws_recorder *recorder)
{
    return recorder->end;
}

int ws_recorder_sync(ws_recorder *recorder)
{
    const int status = check_alive(recorder);
    if (status == WS_OK && ws_descriptor_sync(recorder->file.descriptor) != 0)
        return ws_recording_file_cannot("write", recorder->file.path);
    return status;
}

void ws_recorder_close(ws_recorder *recorder)
{
    if (!recorder)
        return;
    ws_recording_file_close(&recorder->file);
    ws_packer_free(recorder->packer);
    free(recorder->base_packed);
    free(recorder->room);
    free(recorder);
}
