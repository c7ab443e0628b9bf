/* SPDX-License-Identifier: BSD-3-Clause */
#include "descriptor.h"
#include "recorder.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define ASIDE_TRIES 1000

typedef unsigned long long number; /* for messages */

static const char *text_of(const ws_recorder_options *options)
{
    return options->head ? options->head : "";
}

static ws_recorder *make(void)
{
    ws_recorder *recorder = calloc(1, sizeof *recorder);
    if (recorder)
        recorder->file.descriptor = -1;
    if (!recorder || ws_packer_create(&recorder->packer) != WS_OK) {
        ws_recorder_close(recorder);
        return NULL;
    }
    return recorder;
}

static int check_options(const ws_recorder_options *options)
{
    if (options->row_bytes > WS_RECORDING_MOST_TEXT || strlen(text_of(options)) > WS_RECORDING_MOST_TEXT)
        return ws_fail(WS_BAD_ARGUMENT,
                       "%s: rows of %zu bytes and %zu bytes that tell what they mean: each at most %llu",
                       options->path, options->row_bytes, strlen(text_of(options)),
                       (number)WS_RECORDING_MOST_TEXT);
    return WS_OK;
}

/* Writes the head of a recording without frames: last, and in one page, so that a kill leaves a recording or
 * zeros. */
static int begin(ws_recorder *recorder, const ws_recorder_options *options)
{
    const char *text = text_of(options);
    ws_recording_header *head = &recorder->file.head;
    *head = (ws_recording_header){.byte_order = WS_RECORDING_BYTE_ORDER,
                                  .version = WS_RECORDING_VERSION,
                                  .head_bytes = sizeof *head,
                                  .row_bytes = options->row_bytes,
                                  .text_bytes = strlen(text),
                                  .text_check = ws_recording_check(text, strlen(text)),
                                  .count = ws_recording_word_of(0)};
    memcpy(head->magic, WS_RECORDING_MAGIC, sizeof head->magic);
    head->check = ws_recording_check(head, WS_RECORDING_HEAD_CHECKED);
    int status = ws_recording_file_write(&recorder->file, text, head->text_bytes, sizeof *head);
    if (status == WS_OK)
        status = ws_recording_file_write(&recorder->file, head, sizeof *head, 0);
    recorder->end = sizeof *head + head->text_bytes;
    return status;
}

/* Whether there is nothing but what a kill has left of `begin`. */
static int is_blank(const ws_recording_file *file, const ws_recorder_options *options, int *blank)
{
    static const ws_recording_header zeros;
    ws_recording_header head;
    size_t got;
    const int status = ws_recording_file_read(file, &head, sizeof head, 0, &got);
    if (status == WS_OK)
        *blank = file->bytes <= sizeof head + strlen(text_of(options)) && memcmp(&head, &zeros, got) == 0;
    return status;
}

static int check_same(const ws_recording_file *file, const ws_recorder_options *options)
{
    if (file->head.row_bytes != options->row_bytes)
        return ws_fail(WS_BAD_FILE, "%s: has rows of %llu bytes, this run's have %zu", file->path,
                       (number)file->head.row_bytes, options->row_bytes);
    if (strcmp(file->text, text_of(options)) != 0)
        return ws_fail(WS_BAD_FILE, "%s: is the recording of a network with other layers", file->path);
    return WS_OK;
}

/* Whether frame n is there to its last byte. */
static int check_parts(ws_recording_file *file, uint64_t n)
{
    ws_recording_entry entry;
    ws_recording_record record;
    int status = ws_recording_file_frame(file, n, &entry, &record);
    if (status == WS_OK)
        status = ws_recording_file_frame_part(file, n, entry.offset, &record);
    if (status == WS_OK && record.rows_stored > 0)
        status = ws_recording_file_rows_part(file, n, entry.offset, &record);
    return status;
}

/* Frames before the first torn one at the end. */
static int count_whole(ws_recording_file *file, uint64_t *count)
{
    uint64_t whole;
    int status = ws_recording_file_complete(file, &whole);
    while (status == WS_OK && whole > 0) {
        const int checked = check_parts(file, whole - 1);
        if (checked == WS_OK)
            break;
        if (checked == WS_BAD_FILE)
            whole--;
        else
            status = checked;
    }
    if (status == WS_OK)
        *count = whole;
    return status;
}

/* Puts the parts of a record as they are where the record of `to` is put together. */
static int take_parts(ws_recording_file *from, uint64_t n, uint64_t offset, const ws_recording_record *record,
                      ws_recorder *to)
{
    const size_t bytes = ws_recording_record_bytes(record);
    size_t got;
    int status = ws_recorder_reserve(to, bytes);
    if (status == WS_OK)
        status = ws_recording_file_read(from, to->room, bytes, offset, &got);
    if (status == WS_OK && got < bytes)
        status = ws_recording_file_damaged(from, n, record, offset, "the file ends before it does");
    return status;
}

static int copy_frame(ws_recording_file *from, uint64_t n, uint64_t *base, ws_recorder *to)
{
    ws_recording_entry entry;
    ws_recording_record record, base_record;
    int status = ws_recording_file_frame(from, n, &entry, &record);
    if (status == WS_OK && record.base != *base) {
        status = ws_recording_file_base(from, n, &record, &base_record);
        if (status == WS_OK)
            status = take_parts(from, n, record.base, &base_record, to);
        if (status == WS_OK)
            status = ws_recorder_append_base(to, &base_record);
        *base = record.base;
    }
    if (status == WS_OK)
        status = take_parts(from, n, entry.offset, &record, to);
    if (status)
        return status;
    record.base = to->base;
    return ws_recorder_append(to, &record);
}

/* Opens a new file PATH.after-STEP, or -2, ...: nothing that was ever written is lost. */
static int open_aside(const ws_recorder_options *options, ws_recording_file *file)
{
    char name[WS_MESSAGE_SIZE];
    int status = WS_IO_FAILED;
    for (int i = 1; i < ASIDE_TRIES; i++) {
        const int length =
            i == 1 ? snprintf(name, sizeof name, "%s.after-%llu", options->path, (number)options->first_step)
                   : snprintf(name, sizeof name, "%s.after-%llu-%d", options->path,
                              (number)options->first_step, i);
        if (length >= (int)sizeof name)
            return ws_fail(WS_IO_FAILED, "%s: cannot keep later frames: its name is too long", options->path);
        status = ws_recording_file_open(file, name, O_RDWR | O_CREAT | O_EXCL);
        if (status == WS_OK || errno != EEXIST)
            break;
        ws_recording_file_close(file);
        *file = (ws_recording_file){.descriptor = -1};
    }
    return status;
}

static int copy_frames(ws_recording_file *from, uint64_t first, uint64_t count,
                       const ws_recorder_options *options, ws_recorder *to)
{
    uint64_t base = 0;
    int status = begin(to, options);
    for (uint64_t n = first; status == WS_OK && n < count; n++)
        status = copy_frame(from, n, &base, to);
    return status ? status : ws_recorder_sync(to);
}

/* Copies the frames from `first` on to a recording of their own. */
static int keep_aside(ws_recording_file *from, uint64_t first, uint64_t count,
                      const ws_recorder_options *options)
{
    ws_recorder *aside = make();
    if (!aside)
        return ws_fail(WS_NO_MEMORY, "%s: no memory to keep later frames", options->path);
    int status = open_aside(options, &aside->file);
    if (status == WS_OK) {
        status = copy_frames(from, first, count, options, aside);
        if (status)
            unlink(aside->file.path);
    }
    ws_recorder_close(aside);
    return status;
}

/* Keeps the base of the last frame in mind: it need not be stored again. */
static void take_base(ws_recorder *recorder, uint64_t n, const ws_recording_record *frame)
{
    ws_recording_record base;
    recorder->base = frame->base;
    if (frame->base == 0 || ws_recording_file_base(&recorder->file, n, frame, &base) != WS_OK ||
        ws_recording_file_frame_part(&recorder->file, n, frame->base, &base) != WS_OK)
        return;
    recorder->base_packed = malloc(recorder->file.part_bytes);
    if (!recorder->base_packed)
        return;
    recorder->base_bytes = recorder->file.part_bytes;
    memcpy(recorder->base_packed, recorder->file.part, recorder->base_bytes);
}

/* Goes to where frame `count` will be. */
static int go_after(ws_recorder *recorder, uint64_t count)
{
    ws_recording_entry entry;
    ws_recording_record record;
    recorder->end = recorder->file.head.head_bytes + recorder->file.head.text_bytes;
    if (count == 0)
        return WS_OK;
    const int status = ws_recording_file_frame(&recorder->file, count - 1, &entry, &record);
    if (status)
        return status;
    recorder->count = count;
    recorder->rows = entry.rows;
    recorder->last_step = record.step;
    recorder->end = entry.offset + ws_recording_record_bytes(&record);
    take_base(recorder, count - 1, &record);
    return WS_OK;
}

/* First the count, then the end: whoever reads meanwhile finds what it tells of. */
static int cut(ws_recorder *recorder)
{
    ws_recording_file *file = &recorder->file;
    const ws_recording_word count = ws_recording_word_of(recorder->count);
    file->head.count = count;
    const int status =
        ws_recording_file_write(file, &count, sizeof count, offsetof(ws_recording_header, count));
    if (status == WS_OK && file->bytes > recorder->end &&
        ws_descriptor_cut(file->descriptor, (off_t)recorder->end) != 0)
        return ws_recording_file_cannot("cut", file->path);
    return status;
}

static int continue_after(ws_recorder *recorder, const ws_recorder_options *options)
{
    ws_recording_file *file = &recorder->file;
    uint64_t count = 0, kept = 0;
    int status = ws_recording_file_load(file);
    if (status == WS_OK)
        status = check_same(file, options);
    if (status == WS_OK)
        status = count_whole(file, &count);
    if (status == WS_OK) {
        kept = count;
        if (options->first_step < UINT64_MAX)
            status = ws_recording_file_find(file, count, options->first_step + 1, &kept);
    }
    if (status == WS_OK)
        status = go_after(recorder, kept);
    if (status == WS_OK && kept < count)
        status = keep_aside(file, kept, count, options);
    return status ? status : cut(recorder);
}

static int open_file(ws_recorder *recorder, const ws_recorder_options *options)
{
    int status = ws_recording_file_open(&recorder->file, options->path, O_RDWR | O_CREAT);
    if (status)
        return status;
    if (flock(recorder->file.descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return ws_fail(WS_IO_FAILED, "%s: another recorder writes it", options->path);
    int blank = 0;
    status = is_blank(&recorder->file, options, &blank);
    if (status)
        return status;
    return blank ? begin(recorder, options) : continue_after(recorder, options);
}

int ws_recorder_open(const ws_recorder_options *options, ws_recorder **out)
{
    int status = check_options(options);
    if (status)
        return status;
    ws_recorder *recorder = make();
    if (!recorder)
        return ws_fail(WS_NO_MEMORY, "%s: no memory to write it", options->path);
    status = open_file(recorder, options);
    if (status)
        ws_recorder_close(recorder);
    else
        *out = recorder;
    return status;
}
