/* SPDX-License-Identifier: BSD-3-Clause */
/* The only file of the adaptor's library that knows MPI; a plug-in of its own. */
#include "ranks_table.h"
#include "weightscape/insitu.h"
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SHORTEST_PAUSE 20000L   /* ns */
#define LONGEST_PAUSE  5000000L /* ns */

struct ws_ranks_of {
    MPI_Comm communicator;
    int rank, count;
    int *counts, *offsets; /* owned [count] */
};

static int runs(void)
{
    int has_begun = 0, has_ended = 0;
    MPI_Initialized(&has_begun);
    MPI_Finalized(&has_ended);
    return has_begun && !has_ended;
}

/* Those who wait sleep: what they wait for may well need their processor. */
static void wait_for(MPI_Request *request)
{
    int is_done = 0;
    long pause = SHORTEST_PAUSE;
    while (MPI_Test(request, &is_done, MPI_STATUS_IGNORE) == MPI_SUCCESS && !is_done) {
        nanosleep(&(struct timespec){.tv_nsec = pause}, NULL);
        pause = 2 * pause < LONGEST_PAUSE ? 2 * pause : LONGEST_PAUSE;
    }
}

static void broadcast(void *bytes, size_t count, int root, MPI_Comm communicator)
{
    MPI_Request request;
    MPI_Ibcast(bytes, (int)count, MPI_BYTE, root, communicator, &request);
    wait_for(&request);
}

static int reduce(int mine, MPI_Op operation, MPI_Comm communicator)
{
    MPI_Request request;
    int result = mine;
    MPI_Iallreduce(&mine, &result, 1, MPI_INT, operation, communicator, &request);
    wait_for(&request);
    return result;
}

static void leave(ws_ranks_of *ranks)
{
    if (runs() && ranks->communicator != MPI_COMM_NULL)
        MPI_Comm_free(&ranks->communicator);
    free(ranks->counts);
    free(ranks->offsets);
    free(ranks);
}

static int join(const void *communicator, uint32_t rank, uint32_t count, ws_ranks_of **out,
                char text[WS_RANKS_TEXT_SIZE])
{
    if (!runs()) {
        snprintf(text, WS_RANKS_TEXT_SIZE, "MPI does not run in this process: MPI_Init comes first");
        return 1;
    }
    const MPI_Comm given = *(const MPI_Comm *)communicator;
    ws_ranks_of *made = calloc(1, sizeof *made);
    int own = 0, all = 0;
    MPI_Comm_rank(given, &own);
    MPI_Comm_size(given, &all);
    int status = 0;
    if (made) {
        *made = (ws_ranks_of){.communicator = MPI_COMM_NULL, .rank = own, .count = all};
        made->counts = calloc((size_t)all, sizeof *made->counts);
        made->offsets = calloc((size_t)all, sizeof *made->offsets);
    }
    if (!made || !made->counts || !made->offsets)
        status = snprintf(text, WS_RANKS_TEXT_SIZE, "no memory for %d ranks", all) > 0;
    else if ((uint32_t)own != rank || (uint32_t)all != count)
        status =
            snprintf(text, WS_RANKS_TEXT_SIZE, "this is rank %d of %d, but ws_options tells rank %u of %u",
                     own, all, rank, count) > 0;
    const int worst = reduce(status, MPI_MAX, given);
    if (worst && !status)
        snprintf(text, WS_RANKS_TEXT_SIZE, "another rank could not join");
    /* What is sent here must not meet what the host sends. */
    if (!worst)
        MPI_Comm_dup(given, &made->communicator);
    if (worst && made)
        leave(made);
    if (!worst)
        *out = made;
    return worst;
}

static int agree(ws_ranks_of *ranks, int *status, char text[WS_RANKS_TEXT_SIZE])
{
    const int first = reduce(*status ? ranks->rank : ranks->count, MPI_MIN, ranks->communicator);
    if (first == ranks->count)
        return -1;
    broadcast(status, sizeof *status, first, ranks->communicator);
    broadcast(text, WS_RANKS_TEXT_SIZE, first, ranks->communicator);
    return first;
}

static void share(ws_ranks_of *ranks, void *bytes, size_t count)
{
    broadcast(bytes, count, 0, ranks->communicator);
}

static void counts(ws_ranks_of *ranks, int32_t own, int32_t *all)
{
    MPI_Request request;
    MPI_Iallgather(&own, 1, MPI_INT32_T, all, 1, MPI_INT32_T, ranks->communicator, &request);
    wait_for(&request);
}

static void gather(ws_ranks_of *ranks, const float *own, const int32_t *of_each, float *all)
{
    int end = 0;
    for (int i = 0; i < ranks->count; i++) {
        ranks->counts[i] = of_each[i];
        ranks->offsets[i] = end;
        end += of_each[i];
    }
    MPI_Request request;
    MPI_Igatherv(own, of_each[ranks->rank], MPI_FLOAT, all, ranks->counts, ranks->offsets, MPI_FLOAT, 0,
                 ranks->communicator, &request);
    wait_for(&request);
}

WS_API extern const ws_ranks_table weightscape_ranks;
const ws_ranks_table weightscape_ranks = {WS_RANKS_VERSION, join, agree, share, counts, gather, leave};
