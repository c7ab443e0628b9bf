/* SPDX-License-Identifier: BSD-3-Clause */
/* Tasks of a backward pass and, beside them, those of somebody else. Internal to cnn_core. */
#ifndef CNN_BESIDE_H
#define CNN_BESIDE_H

#include "cnn/pass.h"

/* As cnn_threads_run on cnn_threads_for of `work`, with the tasks of `beside` (NULL: there are none) evenly
 * among the others, so that some threads wait for memory while others calculate. A thread alone leaves them
 * to their owner: it would only lose what is near. */
void cnn_beside_run(cnn_threads *threads, double work, int tasks, cnn_task *task, void *context,
                    cnn_beside *beside);

#endif
