/* SPDX-License-Identifier: BSD-3-Clause */
#include "recording_file.h"
#include "message.h"
#include "packing.h"
#include "recording.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

_Static_assert(sizeof(ws_recording_header) == 64 + 32 * (1 + WS_RECORDING_BLOCKS), "heads are files' bytes");
_Static_assert(sizeof(ws_recording_entry) == 32, "entries are files' bytes");
_Static_assert(sizeof(ws_recording_record) == 80, "records are files' bytes");

typedef unsigned long long number; /* for messages */

int ws_recording_file_cannot(const char *what, const char *path)
{
    const int reason = errno;
    ws_fail(WS_IO_FAILED, "%s: cannot %s: %s", path, what, strerror(reason));
    errno = reason;
    return WS_IO_FAILED;
}

uint32_t ws_recording_check(const void *bytes, size_t count)
{
    return (uint32_t)crc32_z(0, bytes, count);
}

uint64_t ws_recording_entry_check(const ws_recording_entry *entry, uint64_t n)
{
    const uint64_t checked[] = {entry->offset, entry->step, entry->rows, n};
    return ws_recording_check(checked, sizeof checked);
}

int ws_recording_file_read(const ws_recording_file *file, void *room, size_t bytes, uint64_t offset,
                           size_t *got)
{
    *got = 0;
    while (*got < bytes) {
        const ssize_t part =
            pread(file->descriptor, (char *)room + *got, bytes - *got, (off_t)(offset + *got));
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return ws_recording_file_cannot("read", file->path);
        if (part == 0)
            break;
        *got += (size_t)part;
    }
    return WS_OK;
}

int ws_recording_file_write(const ws_recording_file *file, const void *from, size_t bytes, uint64_t offset)
{
    size_t done = 0;
    while (done < bytes) {
        const ssize_t part =
            pwrite(file->descriptor, (const char *)from + done, bytes - done, (off_t)(offset + done));
        if (part < 0 && errno == EINTR)
            continue;
        if (part == 0)
            errno = EIO;
        if (part <= 0)
            return ws_recording_file_cannot("write", file->path);
        done += (size_t)part;
    }
    return WS_OK;
}

int ws_recording_file_open(ws_recording_file *file, const char *path, int flags)
{
    file->path = strdup(path);
    if (!file->path)
        return ws_fail(WS_NO_MEMORY, "%s: no memory to open it", path);
    /* A pipe of that name must not make anybody wait. */
    file->descriptor = open(path, flags | O_CLOEXEC | O_NONBLOCK, 0666);
    struct stat found;
    if (file->descriptor < 0 || fstat(file->descriptor, &found) != 0)
        return ws_recording_file_cannot("open", path);
    if (!S_ISREG(found.st_mode))
        return ws_fail(WS_BAD_FILE, "%s: is no recording (it is not a regular file)", path);
    file->bytes = (uint64_t)found.st_size;
    return WS_OK;
}

void ws_recording_file_close(ws_recording_file *file)
{
    if (file->descriptor >= 0)
        close(file->descriptor);
    free(file->path);
    free(file->text);
    free(file->part);
}

static int is_sound(const ws_recording_word *word)
{
    return word->check == ~word->value;
}

ws_recording_word ws_recording_word_of(uint64_t value)
{
    return (ws_recording_word){value, ~value, value, ~value};
}

/* Puts its sound half into both: from here on the first one is looked at only. */
static void heal(ws_recording_word *word)
{
    if (is_sound(word))
        *word = ws_recording_word_of(word->value);
    else if (word->again_check == ~word->again)
        *word = ws_recording_word_of(word->again);
}

static int check_sizes(const ws_recording_file *file)
{
    const ws_recording_header *head = &file->head;
    if (head->row_bytes > WS_RECORDING_MOST_TEXT)
        return ws_fail(WS_BAD_FILE, "%s: has rows of %llu bytes, at most %llu are read", file->path,
                       (number)head->row_bytes, (number)WS_RECORDING_MOST_TEXT);
    if (head->text_bytes > WS_RECORDING_MOST_TEXT)
        return ws_fail(WS_BAD_FILE, "%s: has %llu bytes that tell what a row means, at most %llu are read",
                       file->path, (number)head->text_bytes, (number)WS_RECORDING_MOST_TEXT);
    return WS_OK;
}

static int check_head(const ws_recording_file *file, size_t got)
{
    const ws_recording_header *head = &file->head;
    if (got == 0)
        return ws_fail(WS_BAD_FILE, "%s: is no recording (it is empty)", file->path);
    if (got < WS_RECORDING_MAGIC_SIZE || memcmp(head->magic, WS_RECORDING_MAGIC, sizeof head->magic) != 0)
        return ws_fail(WS_BAD_FILE, "%s: is no recording (its first bytes are not those of one)", file->path);
    if (got < sizeof *head)
        return ws_fail(WS_BAD_FILE, "%s: is cut off: it has %zu bytes, its head alone has %zu", file->path,
                       got, sizeof *head);
    if (head->byte_order != WS_RECORDING_BYTE_ORDER)
        return ws_fail(WS_BAD_FILE, "%s: is of another byte order, or damaged at byte %zu", file->path,
                       offsetof(ws_recording_header, byte_order));
    if (head->version != WS_RECORDING_VERSION)
        return ws_fail(WS_BAD_FILE, "%s: is a recording of version %u, this program reads %d", file->path,
                       head->version, WS_RECORDING_VERSION);
    if (head->check != ws_recording_check(head, WS_RECORDING_HEAD_CHECKED) ||
        head->head_bytes != sizeof *head)
        return ws_fail(WS_BAD_FILE, "%s: is damaged at byte 0: the checksum of its head is wrong",
                       file->path);
    return check_sizes(file);
}

static int load_text(ws_recording_file *file)
{
    const size_t bytes = file->head.text_bytes;
    char *text = malloc(bytes + 1);
    if (!text)
        return ws_fail(WS_NO_MEMORY, "%s: no memory for %zu bytes", file->path, bytes);
    size_t got;
    int status = ws_recording_file_read(file, text, bytes, file->head.head_bytes, &got);
    if (status == WS_OK &&
        (got < bytes || ws_recording_check(text, bytes) != file->head.text_check || memchr(text, 0, bytes)))
        status = ws_fail(WS_BAD_FILE, "%s: is damaged at byte %u: what tells what a row means is wrong",
                         file->path, file->head.head_bytes);
    if (status) {
        free(text);
        return status;
    }
    text[bytes] = '\0';
    file->text = text;
    return WS_OK;
}

int ws_recording_file_load(ws_recording_file *file)
{
    size_t got;
    int status = ws_recording_file_read(file, &file->head, sizeof file->head, 0, &got);
    if (status == WS_OK)
        status = check_head(file, got);
    if (status == WS_OK)
        status = load_text(file);
    return status == WS_OK ? ws_recording_file_look(file) : status;
}

int ws_recording_file_look(ws_recording_file *file)
{
    ws_recording_header head;
    struct stat found;
    size_t got;
    /* First the head, then the size: what the head tells of was written before. */
    const int status = ws_recording_file_read(file, &head, sizeof head, 0, &got);
    if (status)
        return status;
    if (fstat(file->descriptor, &found) != 0)
        return ws_recording_file_cannot("read", file->path);
    if (got < sizeof head)
        return ws_fail(WS_BAD_FILE, "%s: is cut off: it has %zu bytes", file->path, got);
    heal(&head.count);
    if (!is_sound(&head.count) || head.count.value > WS_RECORDING_MOST_FRAMES)
        return ws_fail(WS_BAD_FILE, "%s: is damaged at byte %zu: its number of frames is wrong", file->path,
                       offsetof(ws_recording_header, count));
    for (int i = 0; i < WS_RECORDING_BLOCKS; i++)
        heal(&head.blocks[i]);
    /* Only what may have changed: nobody has checked the rest again. */
    file->head.count = head.count;
    memcpy(file->head.blocks, head.blocks, sizeof head.blocks);
    file->bytes = (uint64_t)found.st_size;
    file->claimed = head.count.value;
    return WS_OK;
}

int ws_recording_file_damaged(const ws_recording_file *file, uint64_t n, const ws_recording_record *record,
                              uint64_t byte, const char *problem)
{
    if (!record)
        return ws_fail(WS_BAD_FILE, "%s: frame %llu is damaged at byte %llu: %s", file->path, (number)n,
                       (number)byte, problem);
    if (memcmp(record->magic, WS_RECORDING_BASE_MAGIC, sizeof record->magic) == 0)
        return ws_fail(WS_BAD_FILE, "%s: the base of frame %llu is damaged at byte %llu: %s", file->path,
                       (number)n, (number)byte, problem);
    return ws_fail(WS_BAD_FILE, "%s: frame %llu (step %llu) is damaged at byte %llu: %s", file->path,
                   (number)n, (number)record->step, (number)byte, problem);
}

int ws_recording_file_entry(const ws_recording_file *file, uint64_t n, ws_recording_entry *entry)
{
    if (n >= file->claimed)
        return ws_fail(WS_BAD_ARGUMENT, "%s: frame %llu: there are %llu", file->path, (number)n,
                       (number)file->claimed);
    const ws_recording_place place = ws_recording_place_of(n);
    const ws_recording_word *block = &file->head.blocks[place.block];
    if (!is_sound(block) || block->value > INT64_MAX / 2)
        return ws_recording_file_damaged(
            file, n, NULL, offsetof(ws_recording_header, blocks) + place.block * sizeof(ws_recording_word),
            "the place of its index is wrong");
    const uint64_t byte = block->value + place.entry * sizeof *entry;
    ws_recording_entry found = {0};
    size_t got;
    const int status = ws_recording_file_read(file, &found, sizeof found, byte, &got);
    if (status)
        return status;
    if (got < sizeof found)
        return ws_recording_file_damaged(file, n, NULL, byte, "the file ends before its entry in the index");
    if (found.check != ws_recording_entry_check(&found, n) || found.offset > INT64_MAX / 2)
        return ws_recording_file_damaged(file, n, NULL, byte, "its entry in the index is wrong");
    *entry = found;
    return WS_OK;
}

static int are_rows_sound(const ws_recording_file *file, const ws_recording_record *record)
{
    const uint64_t row_bytes = file->head.row_bytes;
    if (record->row_count == 0)
        return record->rows_stored == 0;
    return row_bytes > 0 && record->row_count <= WS_PACKING_MOST / row_bytes &&
           record->rows_stored <= ws_packed_most(record->row_count * row_bytes);
}

/* A record that is whole and that this program can have written. */
static const char *problem_of(const ws_recording_file *file, uint64_t offset, const char *magic,
                              const ws_recording_record *record)
{
    const uint64_t left = file->bytes > offset ? file->bytes - offset : 0;
    if (memcmp(record->magic, magic, sizeof record->magic) != 0 ||
        record->check != ws_recording_check(record, WS_RECORDING_RECORD_CHECKED))
        return "the checksum of its head is wrong";
    if (record->frame_bytes < sizeof(ws_frame_header) || record->frame_bytes > WS_PACKING_MOST ||
        record->base >= offset)
        return "its head tells what cannot be";
    if (record->frame_stored > ws_packed_most(record->frame_bytes) || !are_rows_sound(file, record))
        return "its head tells of more than it can hold";
    if (left < sizeof *record || record->frame_stored > left - sizeof *record ||
        record->rows_stored > left - sizeof *record - record->frame_stored)
        return "the file ends before it does";
    return NULL;
}

/* The head of the record at `offset`, which belongs to frame n and should have the magic and the step of
 * `expected`. */
static int read_record(const ws_recording_file *file, uint64_t n, uint64_t offset,
                       const ws_recording_record *expected, ws_recording_record *record)
{
    size_t got;
    const int status = ws_recording_file_read(file, record, sizeof *record, offset, &got);
    if (status)
        return status;
    const char *problem = got < sizeof *record ? "the file ends before it does"
                                               : problem_of(file, offset, expected->magic, record);
    return problem ? ws_recording_file_damaged(file, n, expected, offset, problem) : WS_OK;
}

int ws_recording_file_frame(const ws_recording_file *file, uint64_t n, ws_recording_entry *entry,
                            ws_recording_record *record)
{
    ws_recording_entry found = {0};
    ws_recording_record read;
    int status = ws_recording_file_entry(file, n, &found);
    if (status)
        return status;
    ws_recording_record expected = {.step = found.step};
    memcpy(expected.magic, WS_RECORDING_FRAME_MAGIC, sizeof expected.magic);
    status = read_record(file, n, found.offset, &expected, &read);
    if (status)
        return status;
    if (read.number != n || read.step != found.step)
        return ws_recording_file_damaged(file, n, &read, found.offset, "its record is that of another frame");
    *entry = found;
    *record = read;
    return WS_OK;
}

int ws_recording_file_base(const ws_recording_file *file, uint64_t n, const ws_recording_record *frame,
                           ws_recording_record *base)
{
    if (frame->base == 0)
        return ws_fail(WS_BAD_FILE, "%s: frame %llu (step %llu) has no base", file->path, (number)n,
                       (number)frame->step);
    ws_recording_record read, expected = {.step = frame->step};
    memcpy(expected.magic, WS_RECORDING_BASE_MAGIC, sizeof expected.magic);
    const int status = read_record(file, n, frame->base, &expected, &read);
    if (status == WS_OK)
        *base = read;
    return status;
}

static int reserve_part(ws_recording_file *file, size_t bytes)
{
    if (bytes <= file->part_capacity)
        return WS_OK;
    void *part = malloc(bytes);
    if (!part)
        return ws_fail(WS_NO_MEMORY, "%s: no memory for %zu bytes", file->path, bytes);
    free(file->part);
    file->part = part;
    file->part_capacity = bytes;
    return WS_OK;
}

static int read_part(ws_recording_file *file, uint64_t n, const ws_recording_record *record, uint64_t offset,
                     uint64_t bytes, uint32_t check)
{
    int status = reserve_part(file, bytes);
    size_t got = 0;
    if (status == WS_OK)
        status = ws_recording_file_read(file, file->part, bytes, offset, &got);
    if (status)
        return status;
    if (got < bytes)
        return ws_recording_file_damaged(file, n, record, offset, "the file ends before it does");
    if (ws_recording_check(file->part, bytes) != check)
        return ws_recording_file_damaged(file, n, record, offset, "its checksum is wrong");
    file->part_bytes = bytes;
    return WS_OK;
}

int ws_recording_file_frame_part(ws_recording_file *file, uint64_t n, uint64_t offset,
                                 const ws_recording_record *record)
{
    return read_part(file, n, record, offset + sizeof *record, record->frame_stored, record->frame_check);
}

int ws_recording_file_rows_part(ws_recording_file *file, uint64_t n, uint64_t offset,
                                const ws_recording_record *record)
{
    return read_part(file, n, record, offset + sizeof *record + record->frame_stored, record->rows_stored,
                     record->rows_check);
}

int ws_recording_file_complete(const ws_recording_file *file, uint64_t *count)
{
    /* More than that fit into no file: a wrong number must not be counted down from for an hour. */
    const uint64_t most = file->bytes / (sizeof(ws_recording_entry) + sizeof(ws_recording_record));
    uint64_t left = file->claimed < most ? file->claimed : most;
    while (left > 0) {
        ws_recording_entry entry = {0};
        ws_recording_record record;
        const int status = ws_recording_file_frame(file, left - 1, &entry, &record);
        if (status == WS_IO_FAILED)
            return status;
        if (status == WS_OK)
            break;
        left--;
    }
    *count = left;
    return WS_OK;
}

int ws_recording_file_find(const ws_recording_file *file, uint64_t count, uint64_t step, uint64_t *n)
{
    uint64_t low = 0, high = count;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        ws_recording_entry entry = {0};
        const int status = ws_recording_file_entry(file, middle, &entry);
        if (status)
            return status;
        if (entry.step >= step)
            high = middle;
        else
            low = middle + 1;
    }
    *n = low;
    return WS_OK;
}
