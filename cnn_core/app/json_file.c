/* SPDX-License-Identifier: BSD-3-Clause */
#include "json_file.h"
#include "cnn/replacement.h"
#include "cnn/status.h"
#include "text.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int json_file_read(const char *path, json_t **out)
{
    json_error_t error;
    FILE *file = fopen(path, "re");
    if (!file)
        return cnn_fail(CNN_IO_FAILED, "%s: %s", path, strerror(errno));
    json_t *read = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
    fclose(file);
    if (!read)
        return cnn_fail(CNN_BAD_FILE, "%s: line %d: %s", path, error.line, error.text);
    *out = read;
    return CNN_OK;
}

int json_file_write(const char *path, json_t *object)
{
    char *text = object ? json_dumps(object, JSON_INDENT(2)) : NULL;
    json_decref(object);
    if (!text)
        return cnn_fail(CNN_NO_MEMORY, "%s: no memory to write it", path);
    char *line = text_format("%s\n", text);
    const int status = cnn_replacement_all(path, line, strlen(line));
    free(line);
    free(text);
    return status;
}
