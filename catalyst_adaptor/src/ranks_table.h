/* SPDX-License-Identifier: BSD-3-Clause */
/* The door to the plug-in that knows MPI: a table of C functions, found by name after dlopen, so that neither
 * the library nor its hosts need MPI where there is none. All ranks call each of them, in the same order. */
#ifndef WEIGHTSCAPE_RANKS_TABLE_H
#define WEIGHTSCAPE_RANKS_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define WS_RANKS_VERSION   1
#define WS_RANKS_SYMBOL    "weightscape_ranks"
#define WS_RANKS_TEXT_SIZE 512

typedef struct ws_ranks_of ws_ranks_of; /* a communicator of its own */

typedef struct ws_ranks_table {
    uint32_t version; /* WS_RANKS_VERSION */

    /* Duplicates the communicator (a pointer to an MPI_Comm) into *out. 0, or 1 with a text: MPI does not
     * run, or this is another rank than is told. */
    int (*join)(const void *communicator, uint32_t rank, uint32_t count, ws_ranks_of **out,
                char text[WS_RANKS_TEXT_SIZE]);

    /* The first rank that brings a status other than 0, -1 if all bring 0; `status` and `text` become its. */
    int (*agree)(ws_ranks_of *ranks, int *status, char text[WS_RANKS_TEXT_SIZE]);

    /* Bytes of rank 0 come to all. */
    void (*share)(ws_ranks_of *ranks, void *bytes, size_t count);

    /* How many values each rank has, to all: `all` has one for each. */
    void (*counts)(ws_ranks_of *ranks, int32_t own, int32_t *all);

    /* Rank 0 gets the values of all, in the order of ranks; `all` is NULL on the others. */
    void (*gather)(ws_ranks_of *ranks, const float *own, const int32_t *counts, float *all);

    /* Frees it, unless MPI has ended. */
    void (*leave)(ws_ranks_of *ranks);
} ws_ranks_table;

#endif
