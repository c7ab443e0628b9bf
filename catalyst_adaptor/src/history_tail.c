/* SPDX-License-Identifier: BSD-3-Clause */
#include "history_tail.h"
#include "history_file.h"
#include "message.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES ((size_t)1 << 18)
#define TRIES       3 /* of one call, to read a file that is changed meanwhile */

enum { CHANGED = 1 }; /* beside a status: rows that were given are not in the file any more */

struct ws_history_tail {
    char *path;
    int descriptor;
    dev_t device; /* of the file behind the descriptor */
    ino_t inode;
    char *head; /* with the prefix, as it is in the file */
    size_t head_bytes;
    ws_row_layout layout;
    uint64_t given;    /* rows */
    char *chunk;       /* rows as read; the first is the last one given before */
    char *again;       /* the same, read a second time */
    size_t chunk_rows; /* at least 2 */
    char *last;        /* the last row given */
};

static int cannot_read(const char *path)
{
    return ws_fail(WS_IO_FAILED, "%s: cannot read: %s", path, strerror(errno));
}

/* A file that could block (a pipe) is opened without waiting, and refused. */
static int open_file(const char *path, int *descriptor, struct stat *found)
{
    const int opened = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (opened < 0)
        return cannot_read(path);
    int status = WS_OK;
    if (fstat(opened, found) != 0)
        status = cannot_read(path);
    else if (!S_ISREG(found->st_mode))
        status = ws_fail(WS_BAD_FILE, "%s: is no regular file", path);
    if (status)
        close(opened);
    else
        *descriptor = opened;
    return status;
}

static void take_file(ws_history_tail *tail, int descriptor, const struct stat *found)
{
    if (tail->descriptor >= 0)
        close(tail->descriptor);
    tail->descriptor = descriptor;
    tail->device = found->st_dev;
    tail->inode = found->st_ino;
}

static int allocate(ws_history_tail *tail)
{
    const size_t row_bytes = tail->layout.row_bytes, fitting = CHUNK_BYTES / row_bytes;
    tail->chunk_rows = fitting < 2 ? 2 : fitting;
    tail->chunk = malloc(tail->chunk_rows * row_bytes);
    tail->again = malloc(tail->chunk_rows * row_bytes);
    tail->last = malloc(row_bytes);
    if (!tail->chunk || !tail->again || !tail->last)
        return ws_fail(WS_NO_MEMORY, "%s: no memory to read rows of %zu bytes", tail->path, row_bytes);
    return WS_OK;
}

static int begin(ws_history_tail *tail, const char *path)
{
    struct stat found;
    int descriptor = -1;
    tail->path = strdup(path);
    if (!tail->path)
        return ws_fail(WS_NO_MEMORY, "%s: no memory to open it", path);
    int status = open_file(path, &descriptor, &found);
    if (status)
        return status;
    take_file(tail, descriptor, &found);
    status = ws_history_file_head(path, descriptor, &tail->head, &tail->head_bytes);
    if (status == WS_OK && strlen(tail->head + WS_HISTORY_PREFIX) != tail->head_bytes - WS_HISTORY_PREFIX)
        status = ws_fail(WS_BAD_FILE, "%s: there is a zero byte in its head", path);
    if (status == WS_OK)
        status = ws_row_layout_read(path, tail->head + WS_HISTORY_PREFIX, &tail->layout);
    return status == WS_OK ? allocate(tail) : status;
}

int ws_history_tail_open(const char *path, ws_history_tail **out)
{
    ws_history_tail *tail = calloc(1, sizeof *tail);
    if (!tail)
        return ws_fail(WS_NO_MEMORY, "%s: no memory to open it", path);
    tail->descriptor = -1;
    const int status = begin(tail, path);
    if (status)
        ws_history_tail_close(tail);
    else
        *out = tail;
    return status;
}

const ws_row_layout *ws_history_tail_layout(const ws_history_tail *tail)
{
    return &tail->layout;
}

static void restart(ws_history_tail *tail, ws_curve *curve)
{
    tail->given = 0;
    ws_curve_clear(curve);
}

static int other_network(const ws_history_tail *tail)
{
    return ws_fail(WS_BAD_FILE, "%s: is now the history of a network with other layers", tail->path);
}

/* How many bytes of the file behind `descriptor` are like our head: all, or fewer because it ends; else a
 * status. */
static ssize_t compare_head(const ws_history_tail *tail, int descriptor)
{
    char *found = malloc(tail->head_bytes);
    if (!found)
        return ws_fail(WS_NO_MEMORY, "%s: no memory for %zu bytes", tail->path, tail->head_bytes);
    ssize_t same = ws_history_file_read(descriptor, found, tail->head_bytes, 0);
    if (same < 0)
        same = cannot_read(tail->path);
    else if (memcmp(found, tail->head, (size_t)same) != 0)
        same = other_network(tail);
    free(found);
    return same;
}

/* Goes over to another file that has come under the name, once its head is there. One that is gone is still
 * readable. */
static int follow(ws_history_tail *tail, ws_curve *curve)
{
    struct stat found;
    if (stat(tail->path, &found) != 0 || (found.st_dev == tail->device && found.st_ino == tail->inode))
        return WS_OK;
    int descriptor = -1;
    const int status = open_file(tail->path, &descriptor, &found);
    if (status)
        return status;
    const ssize_t same = compare_head(tail, descriptor);
    if (same < (ssize_t)tail->head_bytes) {
        close(descriptor);
        return same < 0 ? (int)same : WS_OK;
    }
    take_file(tail, descriptor, &found);
    restart(tail, curve);
    return WS_OK;
}

/* Gives rows of the chunk from number `next` to `count`; *wanted becomes 0 at one that is after `until`. */
static int give(ws_history_tail *tail, size_t next, size_t count, uint64_t until, ws_curve *curve,
                int *wanted)
{
    const size_t row_bytes = tail->layout.row_bytes;
    for (; next < count; next++) {
        const char *row = tail->chunk + next * row_bytes;
        const uint64_t step = ws_row_step(row);
        if (step == WS_NO_STEP || (tail->given > 0 && step <= ws_row_step(tail->last)))
            return ws_fail(WS_BAD_FILE,
                           "%s: row %llu, at byte %llu: its step is not above that of the row before",
                           tail->path, (unsigned long long)tail->given,
                           (unsigned long long)(tail->head_bytes + tail->given * row_bytes));
        *wanted = step <= until;
        const int status = *wanted ? ws_curve_append(curve, row) : WS_OK;
        if (status || !*wanted)
            return status;
        memcpy(tail->last, row, row_bytes);
        tail->given++;
    }
    return WS_OK;
}

/* Reads the rows that follow, after the last one given. The file may be cut and grow again at any instant,
 * also within a call that reads it: rows are of one branch only if they are found twice. And if the last row
 * given is another now, or none, what came before it may be another one too. */
static int read_chunk(ws_history_tail *tail, size_t *count)
{
    const size_t row_bytes = tail->layout.row_bytes, known = tail->given > 0;
    const uint64_t from = tail->head_bytes + (tail->given - known) * row_bytes;
    const ssize_t got =
        ws_history_file_read(tail->descriptor, tail->chunk, tail->chunk_rows * row_bytes, from);
    if (got < 0)
        return cannot_read(tail->path);
    *count = (size_t)got / row_bytes;
    const size_t bytes = *count * row_bytes;
    const ssize_t same = ws_history_file_read(tail->descriptor, tail->again, bytes, from);
    if (same < 0)
        return cannot_read(tail->path);
    if ((size_t)same < bytes || memcmp(tail->chunk, tail->again, bytes) != 0)
        return CHANGED;
    if (known && (*count == 0 || memcmp(tail->chunk, tail->last, row_bytes) != 0))
        return CHANGED;
    return WS_OK;
}

static int read_on(ws_history_tail *tail, uint64_t until, ws_curve *curve)
{
    struct stat now;
    /* No further than it is long now: a run may write faster than this reads. */
    if (fstat(tail->descriptor, &now) != 0)
        return cannot_read(tail->path);
    for (int wanted = 1; wanted;) {
        const size_t known = tail->given > 0;
        size_t count = 0;
        int status = read_chunk(tail, &count);
        if (status == WS_OK)
            status = give(tail, known, count, until, curve, &wanted);
        if (status)
            return status;
        if (count < tail->chunk_rows ||
            tail->head_bytes + tail->given * tail->layout.row_bytes >= (uint64_t)now.st_size)
            break;
    }
    return WS_OK;
}

/* The same, of a file whose head may have changed with its rows. */
static int read_rows(ws_history_tail *tail, uint64_t until, ws_curve *curve)
{
    if (tail->given == 0) {
        const ssize_t same = compare_head(tail, tail->descriptor);
        if (same < (ssize_t)tail->head_bytes)
            return same < 0 ? (int)same : WS_OK;
    }
    return read_on(tail, until, curve);
}

int ws_history_tail_read(ws_history_tail *tail, uint64_t until, ws_curve *curve)
{
    int status = follow(tail, curve);
    if (status)
        return status;
    for (int i = 0; i < TRIES; i++) {
        status = read_rows(tail, until, curve);
        if (status != CHANGED)
            return status;
        restart(tail, curve);
    }
    return ws_fail(WS_IO_FAILED, "%s: was cut %d times while it was read", tail->path, TRIES);
}

void ws_history_tail_close(ws_history_tail *tail)
{
    if (!tail)
        return;
    if (tail->descriptor >= 0)
        close(tail->descriptor);
    ws_row_layout_free(&tail->layout);
    free(tail->path);
    free(tail->head);
    free(tail->chunk);
    free(tail->again);
    free(tail->last);
    free(tail);
}
