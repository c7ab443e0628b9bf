/* SPDX-License-Identifier: BSD-3-Clause */
#include "regular_file.h"
#include "cnn/status.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

int regular_file_open(const char *path, FILE **out, off_t *size)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return cnn_fail(CNN_IO_FAILED, "%s: %s", path, strerror(errno));
    struct stat about;
    if (fstat(fileno(file), &about) < 0 || !S_ISREG(about.st_mode)) {
        fclose(file);
        return cnn_fail(CNN_BAD_FILE, "%s: is not a regular file", path);
    }
    *out = file;
    if (size)
        *size = about.st_size;
    return CNN_OK;
}
