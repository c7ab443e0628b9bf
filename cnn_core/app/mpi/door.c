/* SPDX-License-Identifier: BSD-3-Clause */
/* What the program calls: each call hands something to the carrier, and waits for it or not. */
#include "carrier.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_VALUES = 1 << 22 /* of a sum: its scratch memory */ };

extern const mpi_door weightscape_mpi_door;

/* ---- joining ---- */

static void make_talk(mpi_job *job)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&job->mutex, NULL);
    pthread_cond_init(&job->news, &attributes);
    pthread_cond_init(&job->done, NULL);
    pthread_condattr_destroy(&attributes);
}

/* Signals are the caller's business. */
static int start_carrier(mpi_job *job)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(&job->thread, NULL, carrier_live, job);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

static int join(const mpi_host *host, mpi_job **out, char *why, size_t size)
{
    mpi_job *job = calloc(1, sizeof *job);
    if (!job) {
        snprintf(why, size, "no memory");
        return -1;
    }
    job->host = *host;
    make_talk(job);
    const int failed = start_carrier(job);
    if (failed) {
        snprintf(why, size, "no thread: %s", strerror(failed));
        free(job);
        return -1;
    }
    pthread_mutex_lock(&job->mutex);
    while (!job->joined)
        pthread_cond_wait(&job->done, &job->mutex);
    pthread_mutex_unlock(&job->mutex);
    if (job->joined < 0) {
        snprintf(why, size, "%s", job->cause);
        return -1;
    }
    *out = job;
    return 0;
}

static int rank_of(const mpi_job *job)
{
    return job->rank;
}

static int count_of(const mpi_job *job)
{
    return job->count;
}

static const char *name(const mpi_job *job, int rank)
{
    return job->names[rank];
}

static int shares(const rank_card *a, const rank_card *b)
{
    int common = 0;
    for (int i = 0; i < MASK_SIZE; i++)
        common |= a->mask[i] & b->mask[i];
    return common && !strcmp(a->host, b->host);
}

static int processors(const mpi_job *job, int *sharers)
{
    const rank_card *own = &job->cards[job->rank];
    int count = 0;
    *sharers = 0;
    for (int i = 0; i < MASK_SIZE; i++)
        count += __builtin_popcount(own->mask[i]);
    for (int i = 0; i < job->count; i++)
        *sharers += i == job->rank || shares(own, &job->cards[i]);
    return count ? count : 1;
}

/* ---- what is carried ---- */

/* Hands a task over; the caller frees it. NULL: there is no memory, which ends the job. */
static mpi_task *hand_over(mpi_job *job, const mpi_task *asked)
{
    mpi_task *task = malloc(sizeof *task);
    if (!task)
        return NULL;
    *task = *asked;
    pthread_mutex_lock(&job->mutex);
    if (job->last)
        job->last->next = task;
    else
        job->first = task;
    job->last = task;
    pthread_cond_signal(&job->news);
    pthread_mutex_unlock(&job->mutex);
    return task;
}

/* 0, or -1: the job has failed. */
static int await(mpi_job *job, const mpi_task *task)
{
    pthread_mutex_lock(&job->mutex);
    while (!task->is_done && !atomic_load(&job->has_failed))
        pthread_cond_wait(&job->done, &job->mutex);
    const int is_done = task->is_done;
    pthread_mutex_unlock(&job->mutex);
    return is_done ? 0 : -1;
}

static void fail(mpi_job *job, const char *cause)
{
    snprintf(job->own_cause, sizeof job->own_cause, "%s: %s", job->names[job->rank], cause);
    atomic_store(&job->gives_up, 1);
    pthread_mutex_lock(&job->mutex);
    while (!atomic_load(&job->has_failed))
        pthread_cond_wait(&job->done, &job->mutex);
    pthread_mutex_unlock(&job->mutex);
}

static int carry(mpi_job *job, const mpi_task *asked)
{
    mpi_task *task = hand_over(job, asked);
    if (!task) {
        fail(job, "no memory");
        return -1;
    }
    const int status = await(job, task);
    if (!status)
        free(task);
    return status;
}

static int broadcast(mpi_job *job, void *bytes, size_t size)
{
    int status = 0;
    for (size_t at = 0; at < size && !status; at += MOST_BYTES) {
        const size_t here = size - at < MOST_BYTES ? size - at : MOST_BYTES;
        status = carry(job, &(mpi_task){.kind = TASK_BROADCAST, .to = (char *)bytes + at, .size = here});
    }
    return status;
}

static int gather(mpi_job *job, const void *mine, size_t size, void *all)
{
    return carry(job, &(mpi_task){.kind = TASK_GATHER, .from = mine, .to = all, .size = size});
}

static int collect(mpi_job *job, const void *mine, size_t size, size_t whole, void *all)
{
    return carry(job,
                 &(mpi_task){.kind = TASK_COLLECT, .from = mine, .to = all, .size = size, .whole = whole});
}

/* They are done one after the other, so that the last one is waited for. */
static int begin_sum(mpi_job *job, float *values, size_t count)
{
    for (size_t at = 0; at < count; at += MOST_VALUES) {
        const size_t here = count - at < MOST_VALUES ? count - at : MOST_VALUES;
        mpi_task *task = hand_over(job, &(mpi_task){.kind = TASK_SUM, .to = values + at, .size = here});
        if (!task) {
            fail(job, "no memory");
            return -1;
        }
        task->before = job->last_sum;
        job->last_sum = task;
    }
    return atomic_load(&job->has_failed) ? -1 : 0;
}

static int finish_sums(mpi_job *job)
{
    if (job->last_sum && await(job, job->last_sum))
        return -1;
    for (mpi_task *task = job->last_sum; task;) {
        mpi_task *before = task->before;
        free(task);
        task = before;
    }
    job->last_sum = NULL;
    return 0;
}

/* ---- the end ---- */

static const char *failure(mpi_job *job, int *is_teller)
{
    if (!atomic_load(&job->has_failed))
        return NULL;
    *is_teller = job->rank == (job->culprit ? 0 : 1);
    return job->cause;
}

static void leave(mpi_job *job)
{
    if (carry(job, &(mpi_task){.kind = TASK_LEAVE}))
        return;
    pthread_join(job->thread, NULL);
}

static void abort_job(mpi_job *job, int exit_status)
{
    /* Who is not to tell anything leaves the end to those who are. */
    int is_teller = 0;
    failure(job, &is_teller);
    if (is_teller || job->rank == 0)
        atomic_store(&job->aborts, exit_status + 1);
    pthread_join(job->thread, NULL);
    _exit(exit_status);
}

const mpi_door weightscape_mpi_door = {.version = MPI_DOOR_VERSION,
#ifdef OPEN_MPI
                                       .is_open_mpi = 1,
#endif
                                       .join = join,
                                       .rank = rank_of,
                                       .count = count_of,
                                       .name = name,
                                       .processors = processors,
                                       .broadcast = broadcast,
                                       .gather = gather,
                                       .collect = collect,
                                       .begin_sum = begin_sum,
                                       .finish_sums = finish_sums,
                                       .failure = failure,
                                       .fail = fail,
                                       .leave = leave,
                                       .abort = abort_job};
