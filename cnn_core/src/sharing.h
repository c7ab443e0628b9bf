/* SPDX-License-Identifier: BSD-3-Clause */
/* A trainer's part among several ranks. Every function takes NULL, or a trainer without ranks, as one process
 * alone. Internal to cnn_core. */
#ifndef CNN_SHARING_H
#define CNN_SHARING_H

#include "cnn/trainer.h"

/* What a step depends on besides network, moments and step. */
typedef struct cnn_terms {
    cnn_trainer_options options;
    cnn_optimizer_options optimizer;
    cnn_course course;
} cnn_terms;

/* Errors: CNN_NO_MEMORY. `ranks` is borrowed. */
int cnn_sharing_create(const cnn_ranks *ranks, const cnn_net *net, cnn_sharing **out);
void cnn_sharing_free(cnn_sharing *sharing);

/* Followers have another state from here on. */
void cnn_sharing_forget(cnn_sharing *sharing);

/* Rank 0: orders a step; followers have taken it. */
int cnn_sharing_begin(cnn_trainer *trainer);

/* Passes over this process's part of the batch; leaves the gradient of the whole, and its loss. */
int cnn_sharing_train(cnn_trainer *trainer, cnn_batch_part *part, uint64_t step, cnn_batch_result *out);

/* What each rank had of the last step; NULL for a process alone. */
const cnn_rank_row *cnn_sharing_rows(const cnn_sharing *sharing);

/* A follower's side of CNN_ORDER_STATE: a network and a trainer as rank 0's; what was there before is freed.
 * Errors are those of all ranks. */
int cnn_sharing_take_state(const cnn_ranks *ranks, const cnn_dataset *set, cnn_threads *threads,
                           cnn_net **net, cnn_trainer **trainer);

/* A follower's side of CNN_ORDER_STEP before the step: what was turned. */
int cnn_sharing_take_terms(cnn_trainer *trainer);

/* Every rank's side of CNN_ORDER_CHECK. */
int cnn_sharing_compare(const cnn_trainer *trainer);

#endif
