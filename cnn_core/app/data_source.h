/* SPDX-License-Identifier: BSD-3-Clause */
/* The data of a command: loaded with what it tells of its choices, and recognised when it is met again. */
#ifndef APP_DATA_SOURCE_H
#define APP_DATA_SOURCE_H

#include "cnn/dataset.h"

/* Loads the folder that --data names. Errors as cnn_data_load. */
int data_source_load(const char *folder, int classes, uint32_t validation, int test_only, cnn_data *out);

/* What tells a set from others: its counts and a checksum (zlib's CRC-32) of its training pixels and labels.
 */
typedef struct data_print {
    uint32_t train, validation, crc32;
} data_print;

data_print data_source_print(const cnn_data *data);

#endif
