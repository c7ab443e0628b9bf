/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory that processes share, and by which they notice each other's death. It has no name, so nothing is
 * left of it after the last process that holds it.
 *
 * A sign of life is a lock on one byte, held by an open file description of its own: the kernel drops it when
 * its process ends, however that happens. Nobody ever waits for one. (A child that was forked without exec
 * shares it until it ends.) */
#ifndef WEIGHTSCAPE_RING_MEMORY_H
#define WEIGHTSCAPE_RING_MEMORY_H

#include "message.h"

typedef struct ws_ring_memory {
    char *at;
    size_t bytes;   /* mapped here, 0: another's mapping */
    int descriptor; /* to be given away, -1: none */
    int life;       /* holds the locks */
    int is_file;
} ws_ring_memory;

/* Makes zeroed memory of which every page is there, in a memfd (folder NULL), or in a file without a name in
 * `folder`. WS_IO_FAILED: there is not so much. */
int ws_ring_memory_make(size_t bytes, const char *folder, ws_ring_memory *out);

/* The same, but only `count` parts of it are there; the rest is when ws_ring_memory_complete was called. */
typedef struct ws_ring_part {
    size_t at, bytes;
} ws_ring_part;
int ws_ring_memory_make_parts(size_t bytes, const ws_ring_part *parts, uint32_t count, const char *folder,
                              ws_ring_memory *out);

/* Makes every page be there. WS_IO_FAILED: there is not so much; nothing is lost then. */
int ws_ring_memory_complete(ws_ring_memory *memory);

/* Maps the memory behind a descriptor, which is not kept; it must have `bytes` bytes. WS_IO_FAILED. */
int ws_ring_memory_map(int descriptor, size_t bytes, ws_ring_memory *out);

/* Another holder of signs of life for memory that is mapped here already; ends before `of`. WS_IO_FAILED. */
int ws_ring_memory_join(const ws_ring_memory *of, ws_ring_memory *out);

/* Closed memory is allowed. Drops the signs of life. */
void ws_ring_memory_close(ws_ring_memory *memory);

/* Gives a sign of life: 1, or 0 if somebody else gives it, or WS_IO_FAILED. */
int ws_ring_memory_hold(const ws_ring_memory *memory, int byte);
void ws_ring_memory_drop(const ws_ring_memory *memory, int byte);

/* Whether somebody else gives this sign of life; 1 if the system does not tell. */
int ws_ring_memory_is_held(const ws_ring_memory *memory, int byte);

#endif
