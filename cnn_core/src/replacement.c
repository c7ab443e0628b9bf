/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/replacement.h"
#include "cnn/status.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct cnn_replacement {
    int fd;     /* -1: closed */
    int exists; /* the temporary file does, and is ours */
    char *path, *temporary;
};

static int refused(const char *path, const char *what)
{
    return cnn_fail(CNN_IO_FAILED, "%s: cannot %s: %s", path, what, strerror(errno));
}

/* Opens the temporary file; O_EXCL, so that a link which somebody put there is not followed. */
static int open_temporary(cnn_replacement *replacement)
{
    struct stat about;
    if (stat(replacement->path, &about) == 0 && !S_ISREG(about.st_mode))
        return cnn_fail(CNN_IO_FAILED, "%s: cannot be replaced: it is not a regular file", replacement->path);
    if (unlink(replacement->temporary) < 0 && errno != ENOENT)
        return refused(replacement->path, "be written");
    replacement->fd = open(replacement->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (replacement->fd < 0)
        return refused(replacement->path, "be written");
    replacement->exists = 1;
    return CNN_OK;
}

int cnn_replacement_begin(const char *path, cnn_replacement **out)
{
    static const char ending[] = CNN_REPLACEMENT_ENDING;
    cnn_replacement *replacement = calloc(1, sizeof *replacement);
    const size_t size = strlen(path) + sizeof ending;
    if (replacement) {
        replacement->path = malloc(size);
        replacement->temporary = malloc(size);
        replacement->fd = -1;
    }
    int status;
    if (!replacement || !replacement->path || !replacement->temporary) {
        status = cnn_fail(CNN_NO_MEMORY, "%s: no memory to write it", path);
    } else {
        snprintf(replacement->path, size, "%s", path);
        snprintf(replacement->temporary, size, "%s%s", path, ending);
        status = open_temporary(replacement);
    }
    if (status)
        cnn_replacement_discard(replacement);
    else
        *out = replacement;
    return status;
}

int cnn_replacement_write(cnn_replacement *replacement, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size) {
        const ssize_t written = write(replacement->fd, at, size);
        if (written < 0 && errno != EINTR)
            return refused(replacement->path, "be written");
        if (written > 0) {
            at += written;
            size -= (size_t)written;
        }
    }
    return CNN_OK;
}

int cnn_sync_file(int fd)
{
    int result;
    do
        result = fsync(fd);
    while (result < 0 && errno == EINTR);
    return result;
}

int cnn_cut_file(int fd, off_t length)
{
    int result;
    do
        result = ftruncate(fd, length);
    while (result < 0 && errno == EINTR);
    return result;
}

/* Makes a rename in the folder of `path` durable. `path` is cut after its last slash. */
static int sync_folder(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash)
        slash[1] = '\0';
    const int fd = open(slash ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    /* EINVAL: this file system cannot sync folders, so there is nothing more to do for it. */
    const int failed = cnn_sync_file(fd) < 0 && errno != EINVAL;
    const int reason = errno;
    close(fd);
    errno = reason;
    return failed ? -1 : 0;
}

/* Closes the file; some file systems tell only here that the disk is full. */
static int close_temporary(cnn_replacement *replacement)
{
    const int fd = replacement->fd;
    replacement->fd = -1;
    return close(fd);
}

int cnn_replacement_commit(cnn_replacement *replacement)
{
    int status = CNN_OK;
    if (cnn_sync_file(replacement->fd) < 0 || close_temporary(replacement) < 0)
        status = refused(replacement->path, "be written");
    else if (rename(replacement->temporary, replacement->path) < 0)
        status = refused(replacement->path, "be replaced");
    else
        replacement->exists = 0;
    if (!status && sync_folder(replacement->temporary) < 0)
        status = refused(replacement->path, "be made durable");
    cnn_replacement_discard(replacement);
    return status;
}

void cnn_replacement_discard(cnn_replacement *replacement)
{
    if (!replacement)
        return;
    if (replacement->fd >= 0)
        close(replacement->fd);
    if (replacement->exists)
        unlink(replacement->temporary);
    free(replacement->path);
    free(replacement->temporary);
    free(replacement);
}

static int end(cnn_replacement *replacement, int status)
{
    if (!status)
        return cnn_replacement_commit(replacement);
    cnn_replacement_discard(replacement);
    return status;
}

int cnn_replacement_all(const char *path, const void *bytes, size_t size)
{
    cnn_replacement *replacement;
    const int status = cnn_replacement_begin(path, &replacement);
    return status ? status : end(replacement, cnn_replacement_write(replacement, bytes, size));
}

int cnn_replacement_copy(const char *path, FILE *from, const char *name)
{
    char bytes[1 << 14];
    cnn_replacement *replacement;
    int status = cnn_replacement_begin(path, &replacement);
    if (status)
        return status;
    for (size_t count; !status && (count = fread(bytes, 1, sizeof bytes, from));)
        status = cnn_replacement_write(replacement, bytes, count);
    if (!status && ferror(from))
        status = cnn_fail(CNN_IO_FAILED, "%s: cannot be read", name);
    return end(replacement, status);
}
