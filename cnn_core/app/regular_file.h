/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_REGULAR_FILE_H
#define APP_REGULAR_FILE_H

#include <stdio.h>
#include <sys/types.h>

/* Opens a file to read, and tells its size (may be NULL). Errors, outputs untouched: CNN_IO_FAILED,
 * CNN_BAD_FILE for what is no regular file. */
int regular_file_open(const char *path, FILE **out, off_t *size);

#endif
