/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "checksum.h"
#include <string.h>
#include <zlib.h>

const char *cnn_checksum_digits(const char *header, size_t length)
{
    static const char before[] = "\"" CNN_CHECKSUM_KEY "\":\"";
    const size_t skipped = sizeof before - 1;
    const char *found = memmem(header, length, before, skipped);
    if (!found || (size_t)(header + length - found) < skipped + CNN_CHECKSUM_DIGITS)
        return NULL;
    return found + skipped;
}

uint32_t cnn_checksum_of_header(const char *header, size_t length, const char *digits)
{
    const size_t before = (size_t)(digits - header), after = before + CNN_CHECKSUM_DIGITS;
    uint32_t checksum = cnn_checksum_go_on(0, header, before);
    checksum = cnn_checksum_go_on(checksum, CNN_CHECKSUM_ZEROS, CNN_CHECKSUM_DIGITS);
    return cnn_checksum_go_on(checksum, header + after, length - after);
}

uint32_t cnn_checksum_go_on(uint32_t checksum, const void *bytes, size_t size)
{
    return size ? (uint32_t)crc32_z(checksum, bytes, size) : checksum;
}
