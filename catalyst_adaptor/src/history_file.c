/* SPDX-License-Identifier: BSD-3-Clause */
#include "history_file.h"
#include "clock.h"
#include "descriptor.h"
#include "message.h"
#include "row_layout.h"
#include <byteswap.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAGIC        "WSHIST1\n"
#define MAGIC_BYTES  8
#define BUFFER_BYTES ((size_t)1 << 18)
#define ASIDE_TRIES  1000

_Static_assert(WS_HISTORY_PREFIX == MAGIC_BYTES + sizeof(uint64_t), "the magic, then the length of the head");

struct ws_history_file {
    char *path;
    int descriptor;
    off_t begin, end; /* of what is written: whole rows */
    size_t row_bytes;
    char *buffer;
    size_t buffered, capacity;
    double written_at; /* seconds of the monotonic clock */
};

static int cannot(const char *what, const char *path)
{
    return ws_fail(WS_IO_FAILED, "%s: cannot %s: %s", path, what, strerror(errno));
}

static int write_all(int descriptor, const void *bytes, size_t count, off_t offset)
{
    const char *from = bytes;
    while (count > 0) {
        const ssize_t written = pwrite(descriptor, from, count, offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        from += written;
        offset += written;
        count -= (size_t)written;
    }
    return 0;
}

ssize_t ws_history_file_read(int descriptor, void *bytes, size_t count, uint64_t offset)
{
    size_t got = 0;
    while (got < count) {
        const ssize_t part = pread(descriptor, (char *)bytes + got, count - got, (off_t)(offset + got));
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return -1;
        if (part == 0)
            break;
        got += (size_t)part;
    }
    return (ssize_t)got;
}

static int no_history(const char *path)
{
    return ws_fail(WS_BAD_FILE, "%s: is no history (its first bytes are not \"WSHIST1\")", path);
}

static int read_length(const char *path, int descriptor, uint64_t *length)
{
    char prefix[WS_HISTORY_PREFIX];
    const ssize_t got = ws_history_file_read(descriptor, prefix, sizeof prefix, 0);
    if (got < 0)
        return cannot("read", path);
    if (got < MAGIC_BYTES || memcmp(prefix, MAGIC, MAGIC_BYTES) != 0)
        return no_history(path);
    if (got < (ssize_t)sizeof prefix)
        return ws_fail(WS_BAD_FILE, "%s: ends after %zd bytes, before its head", path, got);
    memcpy(length, prefix + MAGIC_BYTES, sizeof *length);
    if (*length > WS_HEAD_MOST && bswap_64(*length) <= WS_HEAD_MOST)
        return ws_fail(WS_BAD_FILE, "%s: was written by a machine of the other byte order", path);
    if (*length > WS_HEAD_MOST)
        return ws_fail(WS_BAD_FILE, "%s: its head has %llu bytes, at most %d are read", path,
                       (unsigned long long)*length, WS_HEAD_MOST);
    return WS_OK;
}

int ws_history_file_head(const char *path, int descriptor, char **whole, size_t *bytes)
{
    uint64_t length = 0;
    const int status = read_length(path, descriptor, &length);
    if (status)
        return status;
    const size_t wanted = WS_HISTORY_PREFIX + length;
    char *found = malloc(wanted + 1);
    if (!found)
        return ws_fail(WS_NO_MEMORY, "%s: no memory for %zu bytes", path, wanted);
    const ssize_t got = ws_history_file_read(descriptor, found, wanted, 0);
    if (got == (ssize_t)wanted) {
        found[wanted] = 0;
        *whole = found;
        *bytes = wanted;
        return WS_OK;
    }
    free(found);
    if (got < 0)
        return cannot("read", path);
    return ws_fail(WS_BAD_FILE, "%s: its head ends at byte %zu, the file at byte %zd", path, wanted, got);
}

static char *whole_head(const char *head, size_t *bytes)
{
    const uint64_t length = strlen(head);
    *bytes = WS_HISTORY_PREFIX + length;
    char *whole = malloc(*bytes);
    if (whole) {
        memcpy(whole, MAGIC, MAGIC_BYTES);
        memcpy(whole + MAGIC_BYTES, &length, sizeof length);
        memcpy(whole + WS_HISTORY_PREFIX, head, length);
    }
    return whole;
}

/* Whether the file begins with this head; a file shorter than a head is empty or of another kind. */
static int check_head(const ws_history_file *file, const char *whole, size_t bytes)
{
    char *found = malloc(bytes);
    if (!found)
        return ws_fail(WS_NO_MEMORY, "%s: no memory for %zu bytes", file->path, bytes);
    const ssize_t got = ws_history_file_read(file->descriptor, found, bytes, 0);
    int status = WS_OK;
    if (got < 0)
        status = cannot("read", file->path);
    else if (got < MAGIC_BYTES || memcmp(found, MAGIC, MAGIC_BYTES) != 0)
        status = no_history(file->path);
    else if ((size_t)got < bytes || memcmp(found, whole, bytes) != 0)
        status = ws_fail(WS_BAD_FILE, "%s: is the history of a network with other layers", file->path);
    free(found);
    return status;
}

/* Reads rows until one is not wanted; *end is where the wanted ones end. */
static int read_rows(const ws_history_file *file, off_t start, ws_row_reader *read, void *context, off_t *end)
{
    const size_t most = BUFFER_BYTES / file->row_bytes + 1;
    char *rows = malloc(most * file->row_bytes);
    if (!rows)
        return ws_fail(WS_NO_MEMORY, "%s: no memory to read rows of %zu bytes", file->path, file->row_bytes);
    int status = WS_OK, wanted = 1;
    *end = start;
    while (wanted > 0) {
        const ssize_t got =
            ws_history_file_read(file->descriptor, rows, most * file->row_bytes, (uint64_t)*end);
        if (got < 0)
            status = cannot("read", file->path);
        const size_t count = got < 0 ? 0 : (size_t)got / file->row_bytes;
        for (size_t i = 0; i < count && wanted > 0; i++) {
            wanted = read(context, rows + i * file->row_bytes);
            if (wanted > 0)
                *end += (off_t)file->row_bytes;
        }
        if (count < most)
            break;
    }
    free(rows);
    return wanted < 0 ? wanted : status;
}

/* Copies [from, to) of the file to a new file `aside`, or aside-2, ...: nothing that was ever written is
 * lost. */
static int keep_aside(const ws_history_file *file, const char *whole, size_t head_bytes, const char *aside,
                      off_t from, off_t to)
{
    char name[WS_MESSAGE_SIZE];
    int copy = -1;
    for (int i = 1; i < ASIDE_TRIES && copy < 0; i++) {
        const int length = i == 1 ? snprintf(name, sizeof name, "%s", aside)
                                  : snprintf(name, sizeof name, "%s-%d", aside, i);
        if (length >= (int)sizeof name) {
            errno = ENAMETOOLONG;
            break;
        }
        copy = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (copy < 0 && errno != EEXIST)
            break;
    }
    char *bytes = malloc(BUFFER_BYTES);
    int failed = copy < 0 || !bytes || write_all(copy, whole, head_bytes, 0) != 0;
    off_t offset = (off_t)head_bytes;
    while (!failed && from < to) {
        const off_t left = to - from;
        const ssize_t got =
            ws_history_file_read(file->descriptor, bytes,
                                 left < (off_t)BUFFER_BYTES ? (size_t)left : BUFFER_BYTES, (uint64_t)from);
        failed = got <= 0 || write_all(copy, bytes, (size_t)got, offset) != 0;
        from += got;
        offset += got;
    }
    failed = failed || ws_descriptor_sync(copy) != 0;
    const int reason = errno;
    if (copy >= 0)
        close(copy);
    if (copy >= 0 && failed)
        unlink(name);
    free(bytes);
    errno = reason;
    return failed ? cannot("keep later rows", name) : WS_OK;
}

/* Makes the file end after its wanted rows. */
static int cut(ws_history_file *file, const char *whole, size_t head_bytes, const char *aside, off_t end)
{
    struct stat status;
    if (fstat(file->descriptor, &status) != 0)
        return cannot("read", file->path);
    if (status.st_size - end >= (off_t)file->row_bytes) {
        const int kept = keep_aside(file, whole, head_bytes, aside, end, status.st_size);
        if (kept)
            return kept;
    }
    if (status.st_size > end && ws_descriptor_cut(file->descriptor, end) != 0)
        return cannot("cut", file->path);
    return WS_OK;
}

static int begin(ws_history_file *file, const char *whole, size_t bytes)
{
    if (write_all(file->descriptor, whole, bytes, 0) != 0)
        return cannot("write", file->path);
    file->end = (off_t)bytes;
    return WS_OK;
}

static int load(ws_history_file *file, const char *head, const char *aside, int read_only,
                ws_row_reader *read, void *context)
{
    struct stat found;
    if (fstat(file->descriptor, &found) != 0)
        return cannot("read", file->path);
    size_t bytes;
    char *whole = whole_head(head, &bytes);
    if (!whole)
        return ws_fail(WS_NO_MEMORY, "%s: no memory for its head", file->path);
    int status;
    file->begin = (off_t)bytes;
    if (found.st_size == 0 && !read_only) {
        status = begin(file, whole, bytes);
    } else {
        status = check_head(file, whole, bytes);
        if (status == WS_OK)
            status = read_rows(file, (off_t)bytes, read, context, &file->end);
        if (status == WS_OK && !read_only)
            status = cut(file, whole, bytes, aside, file->end);
    }
    free(whole);
    return status;
}

int ws_history_file_open(const char *path, const char *aside, const char *head, size_t row_bytes,
                         int read_only, ws_row_reader *read, void *context, ws_history_file **out)
{
    ws_history_file *file = calloc(1, sizeof *file);
    if (!file)
        return ws_fail(WS_NO_MEMORY, "%s: no memory to open it", path);
    file->row_bytes = row_bytes;
    file->capacity = BUFFER_BYTES / row_bytes * row_bytes;
    file->capacity = file->capacity ? file->capacity : row_bytes;
    file->buffer = malloc(file->capacity);
    file->path = strdup(path);
    file->descriptor = open(path, read_only ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    file->written_at = ws_clock();
    int status = WS_OK;
    if (!file->buffer || !file->path)
        status = ws_fail(WS_NO_MEMORY, "%s: no memory to open it", path);
    else if (file->descriptor < 0)
        status = cannot("open", path);
    else
        status = load(file, head, aside, read_only, read, context);
    if (status || read_only) {
        ws_history_file_close(file);
        file = NULL;
    }
    if (status == WS_OK)
        *out = file;
    return status;
}

int ws_history_file_rows(const ws_history_file *file, uint64_t step, ws_row_reader *read, void *context)
{
    off_t at = file->end, end;
    double first = INFINITY; /* column of a row: its step */
    while (at > file->begin) {
        const off_t before = at - (off_t)file->row_bytes;
        if (ws_history_file_read(file->descriptor, &first, sizeof first, (uint64_t)before) !=
            (ssize_t)sizeof first)
            return cannot("read", file->path);
        if (first <= (double)step)
            break;
        at = before;
    }
    return read_rows(file, at, read, context, &end);
}

int ws_history_file_append(ws_history_file *file, const void *row)
{
    memcpy(file->buffer + file->buffered, row, file->row_bytes);
    file->buffered += file->row_bytes;
    if (file->buffered + file->row_bytes <= file->capacity && ws_clock() - file->written_at < 1.0)
        return WS_OK;
    return ws_history_file_flush(file);
}

int ws_history_file_flush(ws_history_file *file)
{
    if (write_all(file->descriptor, file->buffer, file->buffered, file->end) != 0)
        return cannot("write", file->path);
    file->end += (off_t)file->buffered;
    file->buffered = 0;
    file->written_at = ws_clock();
    return WS_OK;
}

int ws_history_file_sync(ws_history_file *file)
{
    const int status = ws_history_file_flush(file);
    if (status == WS_OK && ws_descriptor_sync(file->descriptor) != 0)
        return cannot("write", file->path);
    return status;
}

void ws_history_file_close(ws_history_file *file)
{
    if (!file)
        return;
    if (file->descriptor >= 0)
        close(file->descriptor);
    free(file->buffer);
    free(file->path);
    free(file);
}
