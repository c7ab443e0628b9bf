/* SPDX-License-Identifier: BSD-3-Clause */
#include "mend_recording.h"
#include "recording_file.h"
#include <string.h>

static int is_within(uint64_t at, uint64_t count, size_t size)
{
    return at <= size && count <= size - at;
}

/* The number stays as the first half has it. */
static void mend_word(ws_recording_word *word)
{
    word->check = ~word->value;
}

static void mend_head(uint8_t *file, size_t size, ws_recording_header *head)
{
    memcpy(head, file, sizeof *head);
    if (is_within(sizeof *head, head->text_bytes, size))
        head->text_check = ws_recording_check(file + sizeof *head, head->text_bytes);
    head->check = ws_recording_check(head, WS_RECORDING_HEAD_CHECKED);
    mend_word(&head->count);
    for (int i = 0; i < WS_RECORDING_BLOCKS; i++)
        mend_word(&head->blocks[i]);
    memcpy(file, head, sizeof *head);
}

/* Returns where its base is. */
static uint64_t mend_record(uint8_t *file, size_t size, uint64_t at)
{
    ws_recording_record record;
    if (!is_within(at, sizeof record, size))
        return 0;
    memcpy(&record, file + at, sizeof record);
    const uint64_t frame = at + sizeof record;
    if (is_within(frame, record.frame_stored, size)) {
        record.frame_check = ws_recording_check(file + frame, record.frame_stored);
        if (is_within(frame + record.frame_stored, record.rows_stored, size))
            record.rows_check = ws_recording_check(file + frame + record.frame_stored, record.rows_stored);
    }
    record.check = ws_recording_check(&record, WS_RECORDING_RECORD_CHECKED);
    memcpy(file + at, &record, sizeof record);
    return record.base;
}

void fuzz_mend_recording(uint8_t *file, size_t size)
{
    ws_recording_header head;
    if (size < sizeof head)
        return;
    mend_head(file, size, &head);
    for (uint64_t n = 0; n < head.count.value && n < WS_RECORDING_FIRST_ENTRIES; n++) {
        const uint64_t at = head.blocks[0].value + n * sizeof(ws_recording_entry);
        ws_recording_entry entry;
        if (!is_within(at, sizeof entry, size))
            break;
        memcpy(&entry, file + at, sizeof entry);
        entry.check = ws_recording_entry_check(&entry, n);
        memcpy(file + at, &entry, sizeof entry);
        const uint64_t base = mend_record(file, size, entry.offset);
        if (base)
            mend_record(file, size, base);
    }
}
