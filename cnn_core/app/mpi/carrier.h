/* SPDX-License-Identifier: BSD-3-Clause */
/* What the plug-in consists of: door.c is what the program calls, carrier.c the thread that talks, sum.c how
 * it adds, collect.c how parts come to rank 0, watch.c how it looks after the others. */
#ifndef APP_MPI_CARRIER_H
#define APP_MPI_CARRIER_H

#include "../mpi_door.h"
#include <mpi.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    HOST_SIZE = 64,
    NAME_SIZE = HOST_SIZE + 32,
    MASK_SIZE = 128,
    MOST_BYTES = 1 << 30, /* at once: MPI counts by int */
};

/* Messages of the data. */
enum { TAG_PARTS = 1, TAG_SUMS, TAG_COLLECT };

/* What each rank tells of itself. */
typedef struct rank_card {
    char host[HOST_SIZE];
    long process;
    unsigned char mask[MASK_SIZE]; /* processors that it may use */
} rank_card;

/* What is carried: by MPI at once, or in stages. */
typedef enum task_kind { TASK_BROADCAST, TASK_GATHER, TASK_COLLECT, TASK_SUM, TASK_LEAVE } task_kind;

typedef struct mpi_task {
    task_kind kind;
    void *to;         /* what is sent or filled; the values of a sum */
    const void *from; /* gather, collect */
    size_t size;      /* bytes; of a sum: values; to collect: of one thing */
    size_t whole;     /* things to collect */
    int stage;        /* of a sum, and to collect */
    int is_done;
    struct mpi_task *next;
    struct mpi_task *before; /* the caller's: the sum that was begun before this one */
} mpi_task;

/* A message between carriers. */
typedef enum note_kind { NOTE_FAILED = 1, NOTE_SIGNAL } note_kind;

typedef struct mpi_note {
    int kind, rank, number; /* of the rank that it is about; the signal */
    char cause[MPI_CAUSE_SIZE];
} mpi_note;

typedef struct mpi_watch {
    double looked, beaten;
    double
        silent; /* seconds for which the rank before this one has not been heard, while this one was awake */
    int sent, heard;
    MPI_Request beat, hear, listen;
    mpi_note heard_note;
    int watches_process; /* the rank before is a process of this host */
    int told_signal;
} mpi_watch;

struct mpi_job {
    mpi_host host;
    pthread_t thread;
    int rank, count;
    rank_card *cards; /* [count] */
    char (*names)[NAME_SIZE];
    MPI_Comm data, talk;
    /* Between the caller and the carrier. */
    pthread_mutex_t mutex;
    pthread_cond_t news, done;
    mpi_task *first, *last; /* waiting or at work; under the mutex */
    mpi_task *last_sum;     /* begun and not yet waited for; the caller's */
    int joined;             /* 1: as told below, -1: not, `cause` tells why; under the mutex */
    /* The end. */
    atomic_int has_failed; /* set after what follows */
    int culprit;
    char cause[MPI_CAUSE_SIZE];
    atomic_int gives_up; /* the caller does: own_cause tells why */
    char own_cause[MPI_CAUSE_SIZE];
    atomic_int aborts; /* the caller has asked for the end, with this status + 1 */
    /* The carrier's own. */
    mpi_watch watch;
    MPI_Request *requests; /* [2 * count] */
    int request_count;
    float *scratch; /* of sums */
    size_t scratch_count;
};

/* The carrier thread; its argument is the job. */
void *carrier_live(void *argument);

/* Where a rank's share of `whole` things begins, as cnn_share_of has it; that of rank `count` is the end. */
static inline size_t share_begin(size_t whole, int rank, int count)
{
    return (size_t)((unsigned long long)whole * (unsigned)rank / (unsigned)count);
}

/* Begins to collect, or goes on with the next stage; *is_done is set when there is none. Returns a status of
 * MPI. */
int collect_go_on(mpi_job *job, mpi_task *task, int *is_done);

/* Begins a sum, or goes on with its next stage; *is_done is set when there is none. Returns a status of MPI.
 */
int sum_go_on(mpi_job *job, mpi_task *task, int *is_done);

/* Begins to look after the others, and looks. */
int watch_begin(mpi_job *job);
int watch_look(mpi_job *job);

/* Marks the job as failed here, after the others have been told; `rank` is the culprit. */
void watch_fail(mpi_job *job, int rank, const char *cause, int tells_others);

#endif
