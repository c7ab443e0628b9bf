/* SPDX-License-Identifier: BSD-3-Clause */
/* The network of a run as it was at a step, from the run's record and checkpoints. */
#ifndef APP_RUN_NETWORK_H
#define APP_RUN_NETWORK_H

#include "cnn/net.h"
#include "run_folder.h"
#include <jansson.h>
#include <stdint.h>

/* The newest step that has a checkpoint, 0 without one. Errors: CNN_IO_FAILED. */
int run_network_newest(const run_folder *folder, uint64_t *step);

/* The network after `step`, for which there must be a checkpoint, with the gradients of that step as far as
 * it has them; 0: the initial state. The caller ends with cnn_net_free. Errors: CNN_BAD_FILE, CNN_IO_FAILED,
 * CNN_NO_MEMORY. */
int run_network_load(const run_folder *folder, const json_t *record, uint64_t step, cnn_net **out);

#endif
