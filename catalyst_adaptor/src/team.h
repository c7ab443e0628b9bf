/* SPDX-License-Identifier: BSD-3-Clause */
/* The ranks of a parallel host: rank 0 decides and draws, the others hand over what they have, and all fail
 * if one does. A host that has no others is alone: then nothing is sent. */
#ifndef WEIGHTSCAPE_TEAM_H
#define WEIGHTSCAPE_TEAM_H

#include "layer.h"
#include "ranks_table.h"

/* Zero-initialised: alone. Give up with ws_team_leave. */
typedef struct ws_team {
    const ws_ranks_table *table; /* NULL: alone */
    ws_ranks_of *ranks;          /* owned; NULL before it has joined */
    uint32_t rank, count;
    int32_t *counts; /* owned [count] */
    struct {
        float *values; /* owned */
        size_t capacity;
    } * images; /* owned [layer_count]: those of all ranks, on rank 0 */
    uint32_t layer_count;
} ws_team;

/* Loads the plug-in that the ranks talk through, in this process only. WS_BAD_ARGUMENT where there is none,
 * WS_NO_MEMORY. */
int ws_team_load(const ws_options *options, ws_team *team);

/* What follows is called by all ranks in the same order. Until ws_team_join, there are none. WS_BAD_ARGUMENT.
 */
int ws_team_join(ws_team *team, const ws_options *options);

/* The status of the first rank that does not bring WS_OK, with its message; WS_OK: all do. */
int ws_team_agree(const ws_team *team, int status);

/* These bytes of rank 0 come to all. */
void ws_team_share(const ws_team *team, void *bytes, size_t count);

/* Where ranks have parts of a layer's images, rank 0 gets all: layers->at[index].gathered, until the next
 * time. WS_BAD_ARGUMENT: together they have not all; WS_NO_MEMORY. The same on all ranks. */
int ws_team_gather_images(ws_team *team, ws_layers *layers, uint32_t index);

void ws_team_leave(ws_team *team);

#endif
