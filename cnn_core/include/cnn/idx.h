/* SPDX-License-Identifier: BSD-3-Clause */
/* One IDX file of unsigned bytes, plain or gzip (Yann LeCun's format of MNIST: magic 0x0000 08 DIMS, then one
 * big-endian 32-bit extent per dimension, then the values). */
#ifndef CNN_IDX_H
#define CNN_IDX_H

#include <stddef.h>
#include <stdint.h>

typedef struct cnn_idx {
    int dimensions;     /* 1..4 */
    uint32_t extent[4]; /* extent[0] is the count */
    uint8_t *values;    /* product of extents; owned, freed with cnn_idx_free */
} cnn_idx;

/* Reads the whole file. gzip is recognised by content; a second gzip member or bytes after the end are
 * errors, as is a header that does not match the payload. Nothing is allocated from an unchecked header.
 * Errors: CNN_BAD_FILE, CNN_IO_FAILED, CNN_NO_MEMORY; the message begins with the path. On error *out is
 * untouched. */
int cnn_idx_read(const char *path, cnn_idx *out);
void cnn_idx_free(cnn_idx *idx);

#endif
