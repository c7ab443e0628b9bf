/* SPDX-License-Identifier: BSD-3-Clause */
/* A temporary folder for a test program, and bytes to put into its files. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stddef.h>
#include <stdint.h>

/* Group set-up and tear-down for cmocka: the folder exists between them. */
int scratch_make(void **state);
int scratch_remove(void **state);

/* FOLDER/name; valid for the next three calls. */
const char *scratch_path(const char *name);

/* Bytes that grow by appending; zero is empty. */
typedef struct bytes {
    uint8_t at[8192];
    size_t size;
} bytes;

void bytes_add(bytes *to, const void *from, size_t size);
void bytes_add_text(bytes *to, const char *text);
void bytes_add_big32(bytes *to, uint32_t value);
void bytes_add_little64(bytes *to, uint64_t value);

/* What gzip makes of them. */
bytes bytes_zipped(const bytes *from);

/* Writes FOLDER/name and returns its path. */
const char *scratch_write(const char *name, const bytes *content);

/* Content of FOLDER/name; fails the test if it cannot be read or is too long. */
bytes scratch_read(const char *name);

/* Fails unless `status` is `expected` and the message is one line that begins with `path` and has `words`. */
void assert_failed(int status, int expected, const char *path, const char *words);

#endif
