/* SPDX-License-Identifier: BSD-3-Clause */
#include "file_tail.h"
#include "cnn/replacement.h"
#include "cnn/status.h"
#include "tell.h"
#include "text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* PATH.after-STEP, or with a number after it where that is taken; the caller frees it. */
static char *free_name(const char *path, uint64_t step)
{
    char *name = text_format("%s.after-%llu", path, (unsigned long long)step);
    for (unsigned number = 2; access(name, F_OK) == 0; number++) {
        free(name);
        name = text_format("%s.after-%llu.%u", path, (unsigned long long)step, number);
    }
    return name;
}

static int keep_aside(FILE *file, const char *path, off_t from, uint64_t step, const char *what)
{
    char *name = free_name(path, step);
    fseeko(file, from, SEEK_SET);
    const int status = cnn_replacement_copy(name, file, path);
    if (!status)
        tell_warning("%s after step %llu are kept in %s", what, (unsigned long long)step, name);
    free(name);
    return status;
}

int file_tail_cut(FILE *file, const char *path, off_t from, uint64_t step, const char *what)
{
    const int status = keep_aside(file, path, from, step, what);
    if (!status && truncate(path, from) < 0)
        return cnn_fail(CNN_IO_FAILED, "%s: cannot be cut: %s", path, strerror(errno));
    return status;
}
