/* SPDX-License-Identifier: BSD-3-Clause */
/* The job that a launcher (mpirun, srun) has started, and of which this process is a rank. Without one, or in
 * a job of one, nothing of this costs anything, and MPI is not even loaded. */
#ifndef APP_LAUNCH_H
#define APP_LAUNCH_H

#include "cnn/ranks.h"

/* Orders of the program's own, beside those of cnn/ranks.h. */
enum {
    LAUNCH_ORDER_END = CNN_ORDER_OWN,
    LAUNCH_ORDER_LOAD, /* the data */
    LAUNCH_ORDER_LOOK, /* a share of what pictures show beside weights */
};

/* How many copies of this program a launcher has started, as the environment tells; 1: there was none. */
int launch_copies(void);

/* Joins the other copies, if there are any. From here on a rank other than 0 says nothing. CNN_BAD_ARGUMENT
 * if they cannot be joined: there is no MPI here, or another one than the launcher's; all copies but the
 * first say nothing then. */
int launch_join(void);

/* The ranks; NULL: this process is alone. */
const cnn_ranks *launch_ranks(void);

/* 1 if another rank decides. */
int launch_is_follower(void);

/* Threads for this process where `asked` (0: as many as make sense) were asked for; tells once, at rank 0, if
 * all of them together are more than processors. */
int launch_threads(int asked);

/* 1 if a rank is lost, so that no other can be reached any more; and as a status, CNN_RANKS_FAILED with the
 * rank and the cause. */
int launch_has_failed(void);
int launch_check(void);

/* This rank cannot go on: all learn of it. */
void launch_fail(const char *cause);

/* Leaves the job, at its end, and returns the exit status; at rank 0 the others end with the same one. Ends
 * all processes, and does not return, if the job has failed. */
int launch_leave(int exit_status);

#endif
