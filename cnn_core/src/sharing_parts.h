/* SPDX-License-Identifier: BSD-3-Clause */
/* What a trainer keeps about its ranks: sharing.c takes steps with it, sharing_state.c tells followers the
 * state and what was turned, sharing_check.c compares. Internal to cnn_core. */
#ifndef CNN_SHARING_PARTS_H
#define CNN_SHARING_PARTS_H

#include "sharing.h"

enum {
    CNN_SHARING_STRETCHES = 64
}; /* tasks in which squares are summed: the same for any number of threads */

struct cnn_sharing {
    const cnn_ranks *ranks; /* borrowed */
    cnn_rank_row *rows;     /* [ranks->count] of the last step */
    int has_rows;
    /* What the followers have, on rank 0. */
    int is_told;
    cnn_terms told;
    float *rates; /* [layers] of dropout */
    /* The step that is made. */
    cnn_net *net;
    cnn_threads *threads;
    size_t begun; /* gradients of parameters from here on are on their way */
    double squares, stretches[CNN_SHARING_STRETCHES];
    const float *stretched;
    size_t stretched_count, stretch;
    double since;
    int status;
};

/* Whether this trainer decides for others. */
static inline int cnn_sharing_leads(const cnn_trainer *trainer)
{
    return trainer->sharing && trainer->sharing->ranks->rank == 0;
}

/* Rank 0: what a step depends on now, whether that is other than what followers know, and what they take with
 * cnn_sharing_take_terms. */
cnn_terms cnn_sharing_terms(const cnn_trainer *trainer);
int cnn_sharing_has_turned(const cnn_trainer *trainer, const cnn_terms *terms);
int cnn_sharing_send_terms(cnn_trainer *trainer, const cnn_terms *terms);

#endif
