/* SPDX-License-Identifier: BSD-3-Clause */
/* A rank other than 0: it decides nothing, and does what rank 0's trainer orders. */
#ifndef CNN_FOLLOWER_H
#define CNN_FOLLOWER_H

#include "cnn/trainer.h"

typedef struct cnn_follower {
    const cnn_ranks *ranks;                /* borrowed, as what follows */
    const cnn_dataset *train, *validation; /* the same as at rank 0 */
    cnn_threads *threads;                  /* may be NULL */
    cnn_net *net;                          /* owned; NULL before the first state */
    cnn_trainer *trainer;                  /* owned, too */
} cnn_follower;

/* Does what an order of the library (kind < CNN_ORDER_OWN) asks for; a step whose values are not finite is
 * one like any other. Errors: those of cnn_trainer_step and cnn_evaluate_shared; CNN_BAD_ARGUMENT for another
 * kind, or if there is no state yet; after any of them this rank cannot follow any more. */
int cnn_follower_obey(cnn_follower *follower, const cnn_order *order);

/* Frees what is owned. */
void cnn_follower_close(cnn_follower *follower);

#endif
