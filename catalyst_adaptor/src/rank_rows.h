/* SPDX-License-Identifier: BSD-3-Clause */
/* What each rank of a parallel host tells of itself, and means over the last steps: of a single step, times
 * are noise. */
#ifndef WEIGHTSCAPE_RANK_ROWS_H
#define WEIGHTSCAPE_RANK_ROWS_H

#include "weightscape/insitu.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WS_RANK_STEPS 100 /* that means are over, at most */

/* Columns of the array `ranks` of a frame, in order: the first six are those of ws_rank. */
#define WS_RANK_COLUMN_LIST(X)                                                                               \
    X(rank)                                                                                                  \
    X(images)                                                                                                \
    X(loss)                                                                                                  \
    X(gradient_norm)                                                                                         \
    X(step_seconds)                                                                                          \
    X(wait_seconds)                                                                                          \
    X(mean_step_seconds)                                                                                     \
    X(mean_wait_seconds)                                                                                     \
    X(mean_of)

enum {
#define WS_RANK_COLUMN(name) WS_RANK_##name,
    WS_RANK_COLUMN_LIST(WS_RANK_COLUMN)
#undef WS_RANK_COLUMN
        WS_RANK_COLUMNS
};

/* Zero-initialise: no ranks. Free with ws_rank_rows_free. */
typedef struct ws_rank_rows {
    uint32_t count;
    double *rows;   /* owned [count][WS_RANK_COLUMNS] */
    float *seconds; /* owned [WS_RANK_STEPS][count][2], round and round: step_seconds, wait_seconds */
    uint64_t told;  /* how often */
} ws_rank_rows;

/* Takes what is told now. WS_BAD_ARGUMENT: sizes, ranks that do not rise, or another count than before;
 * WS_NO_MEMORY. Nothing is taken on error. */
int ws_rank_rows_take(ws_rank_rows *ranks, const ws_rank *rows, uint32_t count);

/* Brings the means in `rows` up to date. */
void ws_rank_rows_average(ws_rank_rows *ranks);

void ws_rank_rows_free(ws_rank_rows *ranks);

#ifdef __cplusplus
}
#endif
#endif
