/* SPDX-License-Identifier: BSD-3-Clause */
/* A file that holds one JSON object. */
#ifndef APP_JSON_FILE_H
#define APP_JSON_FILE_H

#include <jansson.h>

/* Reads it; the caller releases *out. CNN_IO_FAILED, CNN_BAD_FILE (names file and line); *out is untouched
 * then. */
int json_file_read(const char *path, json_t **out);

/* Writes it aside, indented, puts it in place, and releases it, also on error; NULL: there was no memory to
 * make it. Errors as cnn_replacement_all, CNN_NO_MEMORY. */
int json_file_write(const char *path, json_t *object);

#endif
