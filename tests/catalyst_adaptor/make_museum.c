/* SPDX-License-Identifier: BSD-3-Clause */
/* Made the files of museum/, once, with version 1: make_museum FOLDER. They are what old recordings look
 * like; when the version rises, this writes the new version's files beside them, and the old ones stay.
 *
 * three_frames.wsrec: base 1, the frames of steps 10 and 20, base 2, the frame of step 30, each with ten rows
 * (sample.h). The others are this one, with the damage that their names tell. */
#include "recording_layout.h"
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct content {
    unsigned char bytes[1 << 16];
    size_t size;
} content;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "make_museum: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static void record(const char *path)
{
    const ws_recorder_options options = {path, SAMPLE_HEAD, SAMPLE_ROW_BYTES, 0};
    ws_recorder *recorder;
    void *bases[] = {sample_base(1), sample_base(2)};
    if (ws_recorder_open(&options, &recorder) || ws_recorder_base(recorder, bases[0]) ||
        sample_add(recorder, 0, 10) || sample_add(recorder, 10, 20) || ws_recorder_base(recorder, bases[1]) ||
        sample_add(recorder, 20, 30))
        fail(path, ws_message());
    ws_recorder_close(recorder);
    free(bases[0]);
    free(bases[1]);
}

static void load(const char *path, content *out)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail(path, "cannot be read");
    out->size = fread(out->bytes, 1, sizeof out->bytes, file);
    fclose(file);
}

static void save(const char *folder, const char *name, const content *from)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.wsrec", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(from->bytes, 1, from->size, file) != from->size || fclose(file) != 0)
        fail(path, "cannot be written");
}

static void save_damaged(const char *folder, const char *name, const content *whole, size_t byte)
{
    static content damaged;
    damaged = *whole;
    damaged.bytes[byte] ^= 0x10;
    save(folder, name, &damaged);
}

static size_t entry_of(const content *whole, int n)
{
    ws_recording_header head;
    memcpy(&head, whole->bytes, sizeof head);
    return head.blocks[0].value + (size_t)n * sizeof(ws_recording_entry);
}

static size_t record_of(const content *whole, int n, ws_recording_record *record)
{
    ws_recording_entry entry;
    memcpy(&entry, whole->bytes + entry_of(whole, n), sizeof entry);
    memcpy(record, whole->bytes + entry.offset, sizeof *record);
    return entry.offset;
}

static void damage(const char *folder, const content *whole)
{
    ws_recording_record record;
    const size_t parts = sizeof record + 10;
    const size_t second = record_of(whole, 1, &record);
    save_damaged(folder, "wrong_byte_in_frame_1", whole, second + parts);
    save_damaged(folder, "wrong_byte_in_rows_1", whole, second + parts + record.frame_stored);
    const size_t third = record_of(whole, 2, &record);
    save_damaged(folder, "wrong_byte_in_head_of_frame_2", whole, third + 20);
    save_damaged(folder, "wrong_byte_in_base_2", whole, record.base + parts);
    save_damaged(folder, "wrong_byte_in_index_0", whole, entry_of(whole, 0) + 3);
    save_damaged(folder, "wrong_byte_in_count", whole, offsetof(ws_recording_header, count) + 1);
    save_damaged(folder, "wrong_byte_in_text", whole, sizeof(ws_recording_header) + 5);
    save_damaged(folder, "of_a_later_version", whole, offsetof(ws_recording_header, version));
}

int main(int count, char **arguments)
{
    static content whole;
    char path[4096];
    if (count != 2)
        fail("arguments", "one is needed, the folder");
    snprintf(path, sizeof path, "%s/three_frames.wsrec", arguments[1]);
    record(path);
    load(path, &whole);
    damage(arguments[1], &whole);
    whole.size -= 40;
    save(arguments[1], "cut_in_last_frame", &whole);
    return EXIT_SUCCESS;
}
