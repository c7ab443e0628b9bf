/* SPDX-License-Identifier: BSD-3-Clause */
/* The one door to the plug-in that holds MPI: a table of C functions, found by name after dlopen. Nothing of
 * MPI is seen through it, and the plug-in needs nothing of the program.
 *
 * In it a thread of its own, the carrier, makes all calls of MPI: gradients travel while the caller computes,
 * and whoever waits sleeps, so that ranks may be more than processors. It also watches the other ranks. When
 * one is gone, silent or gives up, the job has failed for all: each call that waits or comes later returns
 * -1, and failure() tells the rank and the cause. */
#ifndef APP_MPI_DOOR_H
#define APP_MPI_DOOR_H

#include <stddef.h>

#define MPI_DOOR_SYMBOL "weightscape_mpi_door"

enum { MPI_DOOR_VERSION = 2, MPI_CAUSE_SIZE = 2048 };

typedef struct mpi_job mpi_job;

/* What the carrier asks of the program, in its own thread. */
typedef struct mpi_host {
    /* The signal that this process was asked to end by, 0: none. Rank 0 learns it. */
    int (*signal)(void);
    /* At rank 0: another rank was. */
    void (*signalled)(int number);
} mpi_host;

typedef struct mpi_door {
    int version;
    /* 1: it is Open MPI, which without a launcher of its own starts a daemon for a job of one. */
    int is_open_mpi;
    /* Joins the job that a launcher has started; -1: `why` tells. Once in a process. */
    int (*join)(const mpi_host *host, mpi_job **out, char *why, size_t size);
    int (*rank)(const mpi_job *job);
    int (*count)(const mpi_job *job);
    /* "rank 2 on HOST" */
    const char *(*name)(const mpi_job *job, int rank);
    /* Processors that this process may use, and how many ranks of the job share some of them, it included. */
    int (*processors)(const mpi_job *job, int *sharers);
    /* As in cnn/ranks.h; 0 or -1. */
    int (*broadcast)(mpi_job *job, void *bytes, size_t size);
    int (*gather)(mpi_job *job, const void *mine, size_t size, void *all);
    int (*collect)(mpi_job *job, const void *mine, size_t size, size_t whole, void *all);
    int (*begin_sum)(mpi_job *job, float *values, size_t count);
    int (*finish_sums)(mpi_job *job);
    /* Any thread: NULL, or which rank has failed and why, and whether it is this rank's part to tell people.
     */
    const char *(*failure)(mpi_job *job, int *is_teller);
    /* This rank cannot go on; all learn the cause. */
    void (*fail)(mpi_job *job, const char *cause);
    /* All leave together, at the end of a job that has not failed. A rank that is missed for too long then is
     * no matter any more. */
    void (*leave)(mpi_job *job);
    /* Ends a job that has failed, everywhere, with this status. Rank 0 does it as soon as it has saved what
     * it can; the others give it time for that. Does not return. */
    void (*abort)(mpi_job *job, int exit_status);
} mpi_door;

#endif
