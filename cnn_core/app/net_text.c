/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_text.h"
#include "cnn/status.h"
#include "text.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A line for each of a few hundred layers is far below. */
enum { MOST_BYTES = 1 << 16 };

int net_text_read(const char *given, char **out)
{
    struct stat about;
    if (stat(given, &about) < 0 || !S_ISREG(about.st_mode)) {
        *out = text_copy(given);
        return CNN_OK;
    }
    if (about.st_size > MOST_BYTES)
        return cnn_fail(CNN_BAD_FILE, "--net: %s: has %lld bytes, a network has at most %d", given,
                        (long long)about.st_size, MOST_BYTES);
    FILE *file = fopen(given, "re");
    if (!file)
        return cnn_fail(CNN_IO_FAILED, "--net: %s: %s", given, strerror(errno));
    char *text = memory_of(MOST_BYTES + 1, 1);
    const size_t length = fread(text, 1, MOST_BYTES, file);
    const int failed = ferror(file);
    fclose(file);
    int status = CNN_OK;
    if (failed)
        status = cnn_fail(CNN_IO_FAILED, "--net: %s: cannot be read", given);
    else if (strlen(text) != length)
        status = cnn_fail(CNN_BAD_FILE, "--net: %s: is not a text file", given);
    if (status)
        free(text);
    else
        *out = text;
    return status;
}
