/* SPDX-License-Identifier: BSD-3-Clause */
/* Small damages to an input, the same ones each time. */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* Bytes on the heap, with room for what mutations add. */
typedef struct fuzz_bytes {
    uint8_t *at;
    size_t size, room;
} fuzz_bytes;

/* Damages *bytes at one to four places, as `number` says: a function of the bytes and the number alone. */
void fuzz_mutate(fuzz_bytes *bytes, uint64_t number);

#endif
