/* SPDX-License-Identifier: BSD-3-Clause */
/* The CRC-32 of gzip and PNG that a safetensors file holds of itself, as eight digits in its metadata: of the
 * header with its blanks, in which these digits count as zeros, and of the values after it. */
#ifndef CNN_SRC_CHECKSUM_H
#define CNN_SRC_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#define CNN_CHECKSUM_KEY    "crc32"
#define CNN_CHECKSUM_ZEROS  "00000000"
#define CNN_CHECKSUM_DIGITS (sizeof CNN_CHECKSUM_ZEROS - 1)

/* Where the digits are in a header, NULL if it has none. */
const char *cnn_checksum_digits(const char *header, size_t length);

/* The checksum of the header; its digits as told above. */
uint32_t cnn_checksum_of_header(const char *header, size_t length, const char *digits);

/* The checksum of what follows, too. */
uint32_t cnn_checksum_go_on(uint32_t checksum, const void *bytes, size_t size);

#endif
