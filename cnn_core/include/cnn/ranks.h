/* SPDX-License-Identifier: BSD-3-Clause */
/* The processes, or whoever else, that share one training: how they talk, as a table of functions, so that
 * the training does not know over what.
 *
 * All ranks call the same functions in the same order. Each call of the table returns CNN_OK, or
 * CNN_RANKS_FAILED with a message that names the rank and the cause; after that every further one fails, too.
 */
#ifndef CNN_RANKS_H
#define CNN_RANKS_H

#include <stddef.h>
#include <stdint.h>

typedef struct cnn_ranks {
    void *context;
    int rank, count; /* 0 <= rank < count; rank 0 decides, the others follow */
    /* `size` bytes of rank 0 come to all. */
    int (*broadcast)(void *context, void *bytes, size_t size);
    /* `size` bytes of each rank, in the order of ranks, to all: all is [count][size]. */
    int (*gather)(void *context, const void *mine, size_t size, void *all);
    /* Of `whole` things of `size` bytes each rank has its share (cnn_share_of); they come to rank 0, in
     * order: all is [whole][size] there. A rank without any may pass any size, and NULL. */
    int (*collect)(void *context, const void *mine, size_t size, uint32_t whole, void *all);
    /* Begins to replace each value by its sum over ranks, added in an order that is a function of the count
     * alone, so that all ranks get the same bits. `values` belongs to the sum until finish_sums, which waits
     * for all sums that were begun. */
    int (*begin_sum)(void *context, float *values, size_t count);
    int (*finish_sums)(void *context);
    /* "rank 2 on HOST"; borrowed, as long as the table. */
    const char *(*name)(void *context, int rank);
} cnn_ranks;

/* What one of `count` has of `whole` things: [first, first + n), all of them once, in the order of ranks; n
 * may be 0. */
typedef struct cnn_share {
    uint32_t first, n;
} cnn_share;

cnn_share cnn_share_of(uint32_t whole, int rank, int count);

/* The largest share of `whole` things. */
uint32_t cnn_share_most(uint32_t whole, int count);

/* Every rank tells how it fared. CNN_OK if all did well; else the status of the lowest rank that failed, on
 * all ranks, with its message, in front of which its name stands unless it is rank 0. */
int cnn_ranks_agree(const cnn_ranks *ranks, int status);

/* `size` bytes of rank 0 come to all. CNN_OK, or CNN_RANKS_FAILED on each rank that learns of it. */
int cnn_ranks_send(const cnn_ranks *ranks, void *bytes, size_t size);

/* ---- orders: rank 0 tells what is to be done next ---- */

typedef enum cnn_order_kind {
    CNN_ORDER_STATE,      /* another state: network, optimiser, place */
    CNN_ORDER_STEP,       /* one step; what was turned before it comes with it */
    CNN_ORDER_EVALUATION, /* of the set that validates */
    CNN_ORDER_CHECK,      /* whether all ranks have the same parameters */
    CNN_ORDER_OWN = 64,   /* from here on: of whoever uses the library */
} cnn_order_kind;

typedef struct cnn_order {
    uint32_t kind, detail; /* the meaning of a detail is the kind's */
    uint64_t step;         /* at which the training is */
} cnn_order;

/* Rank 0 gives an order; the others take it. */
int cnn_order_give(const cnn_ranks *ranks, uint32_t kind, uint32_t detail, uint64_t step);
int cnn_order_take(const cnn_ranks *ranks, cnn_order *out);

#endif
