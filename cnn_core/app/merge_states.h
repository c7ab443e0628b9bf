/* SPDX-License-Identifier: BSD-3-Clause */
/* The states that merges have left, so that they can be undone: before_merge_N.safetensors among the
 * checkpoints, for merge number N of the run, from 1. */
#ifndef APP_MERGE_STATES_H
#define APP_MERGE_STATES_H

#include "cnn/checkpoint.h"
#include <stddef.h>
#include <stdint.h>

/* The caller frees it. */
char *merge_state_path(const char *folder, size_t number);

/* Saves the state that merge `number` is about to leave, and removes the oldest of such states so that `keep`
 * stay (0: all). Errors as cnn_checkpoint_save. */
int merge_state_save(const char *folder, size_t number, const cnn_net *net, const cnn_optimizer *optimizer,
                     uint64_t step, size_t keep);

/* Removes the states of merges after number `last`, which are not of this past. */
void merge_states_forget(const char *folder, size_t last);

/* Makes the state before merge `number`, which is of step `step`, the newest checkpoint: later ones go, and
 * so do the states of this merge and of later ones. Killed in between, a run goes on as if it had not been
 * asked for. CNN_IO_FAILED. */
int merge_state_return(const char *folder, size_t number, uint64_t step);

#endif
