/* SPDX-License-Identifier: BSD-3-Clause */
/* A whole file in memory, read-only. Internal to cnn_core. */
#ifndef CNN_FILE_BYTES_H
#define CNN_FILE_BYTES_H

#include <stddef.h>
#include <stdint.h>

typedef struct cnn_file_bytes {
    const uint8_t *bytes; /* NULL for an empty file */
    size_t size;
} cnn_file_bytes;

/* Maps a regular file. CNN_BAD_FILE if it is none, CNN_IO_FAILED; the message begins with the path. Unmap
 * with cnn_file_bytes_close. */
int cnn_file_bytes_open(const char *path, cnn_file_bytes *out);
void cnn_file_bytes_close(cnn_file_bytes *file);

#endif
