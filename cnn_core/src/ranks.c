/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/ranks.h"
#include "cnn/status.h"
#include <stdio.h>
#include <stdlib.h>

enum { TOLD_SIZE = 2048 };

#define NO_ROOM "ranks: no memory for what %d of them tell"

/* How a rank fared. */
typedef struct told {
    int status;
    char message[TOLD_SIZE];
} told;

cnn_share cnn_share_of(uint32_t whole, int rank, int count)
{
    const uint32_t first = (uint32_t)((uint64_t)whole * (uint64_t)rank / (uint64_t)count),
                   end = (uint32_t)((uint64_t)whole * (uint64_t)(rank + 1) / (uint64_t)count);
    return (cnn_share){first, end - first};
}

uint32_t cnn_share_most(uint32_t whole, int count)
{
    return (uint32_t)(((uint64_t)whole + (uint64_t)count - 1) / (uint64_t)count);
}

/* The message of the rank that is told of: the first of those that failed. */
static int tell_of(const cnn_ranks *ranks, const told *all, int first)
{
    if (first == 0)
        return cnn_fail(all[0].status, "%s", all[0].message);
    return cnn_fail(all[first].status, "%s: %s", ranks->name(ranks->context, first), all[first].message);
}

static int first_failed(const int *statuses, int count)
{
    int first = 0;
    while (first < count && !statuses[first])
        first++;
    return first;
}

/* Only if somebody failed do messages travel. */
static int tell_all(const cnn_ranks *ranks, int first, int status)
{
    told mine = {.status = status}, *all = calloc((size_t)ranks->count, sizeof *all);
    if (!all)
        return cnn_fail(CNN_NO_MEMORY, NO_ROOM, ranks->count);
    if (status)
        snprintf(mine.message, sizeof mine.message, "%s", cnn_message());
    const int failed = ranks->gather(ranks->context, &mine, sizeof mine, all);
    const int result = failed ? failed : tell_of(ranks, all, first);
    free(all);
    return result;
}

int cnn_ranks_agree(const cnn_ranks *ranks, int status)
{
    const size_t count = (size_t)ranks->count;
    int *statuses = calloc(count, sizeof *statuses);
    /* Without memory for so little the other ranks learn of it by this one's end. */
    if (!statuses)
        return cnn_fail(CNN_NO_MEMORY, NO_ROOM, ranks->count);
    int result = ranks->gather(ranks->context, &status, sizeof status, statuses);
    if (!result) {
        const int first = first_failed(statuses, ranks->count);
        result = first < ranks->count ? tell_all(ranks, first, status) : CNN_OK;
    }
    free(statuses);
    return result;
}

int cnn_ranks_send(const cnn_ranks *ranks, void *bytes, size_t size)
{
    return ranks->broadcast(ranks->context, bytes, size);
}

int cnn_order_give(const cnn_ranks *ranks, uint32_t kind, uint32_t detail, uint64_t step)
{
    cnn_order order = {kind, detail, step};
    return cnn_ranks_send(ranks, &order, sizeof order);
}

int cnn_order_take(const cnn_ranks *ranks, cnn_order *out)
{
    return cnn_ranks_send(ranks, out, sizeof *out);
}
