/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads of this process as the ranks of one training. */
#ifndef THREAD_RANKS_H
#define THREAD_RANKS_H

#include "cnn/ranks.h"

/* What one rank does, in a thread of its own; its result is a status. It must not use asserts of cmocka. */
typedef int rank_work(void *context, const cnn_ranks *ranks);

/* Runs `work` as ranks 0..count - 1, and fails the test if it takes more than ten seconds. statuses: [count];
 * messages, [count][512], may be NULL: what cnn_message told each of them. */
void run_as_ranks(int count, rank_work *work, void *context, int *statuses, char (*messages)[512]);

#endif
