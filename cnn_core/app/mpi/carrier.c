/* SPDX-License-Identifier: BSD-3-Clause */
/* The thread that talks: it begins, goes on with and ends what the caller has to be carried, one after the
 * other, so that all ranks do the same in the same order. */
#define _GNU_SOURCE
#include "carrier.h"
#include "../clock.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define SPIN_SECONDS  50e-6 /* of looks without sleep: what follows at once is there by then */
#define SLEEP_LEAST   20e-6
#define SLEEP_MOST    2e-3
#define SLEEP_SHARE   8     /* of the time waited so far one such part is slept, once it is long */
#define LONG_SECONDS  20e-3 /* for what is small */
#define LEAST_RATE    100e6 /* bytes/s of what is not */
#define IDLE_SECONDS  0.05
#define PATIENCE_LAST 9.0 /* for rank 0 to end a failed job */

/* ---- the beginning ---- */

static void describe(rank_card *card)
{
    cpu_set_t set;
    memset(card, 0, sizeof *card);
    if (gethostname(card->host, sizeof card->host - 1))
        snprintf(card->host, sizeof card->host, "?");
    card->process = (long)getpid();
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set))
        return;
    for (int i = 0; i < MASK_SIZE * 8 && i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set))
            card->mask[i / 8] |= (unsigned char)(1 << i % 8);
}

static int make_room(mpi_job *job)
{
    const size_t count = (size_t)job->count;
    job->cards = calloc(count, sizeof *job->cards);
    job->names = calloc(count, sizeof *job->names);
    job->requests = calloc(2 * count, sizeof *job->requests);
    return job->cards && job->names && job->requests;
}

/* Returns 1, or 0 with the cause. */
static int begin(mpi_job *job)
{
    int provided, is_there = 0;
    rank_card own;
    MPI_Initialized(&is_there);
    /* Multiple: pictures that all ranks draw together talk in the caller's thread. */
    if (!is_there && MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &provided)) {
        snprintf(job->cause, sizeof job->cause, "MPI cannot be started");
        return 0;
    }
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &job->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &job->count);
    describe(&own);
    if (!make_room(job)) {
        snprintf(job->cause, sizeof job->cause, "no memory for %d ranks", job->count);
        return 0;
    }
    if (MPI_Comm_dup(MPI_COMM_WORLD, &job->data) || MPI_Comm_dup(MPI_COMM_WORLD, &job->talk) ||
        MPI_Allgather(&own, sizeof own, MPI_BYTE, job->cards, sizeof own, MPI_BYTE, job->talk) ||
        watch_begin(job)) {
        snprintf(job->cause, sizeof job->cause, "the ranks cannot talk to each other");
        return 0;
    }
    for (int i = 0; i < job->count; i++)
        snprintf(job->names[i], sizeof job->names[i], "rank %d on %s", i, job->cards[i].host);
    return 1;
}

static void tell_begun(mpi_job *job, int joined)
{
    pthread_mutex_lock(&job->mutex);
    job->joined = joined ? 1 : -1;
    pthread_cond_broadcast(&job->done);
    pthread_mutex_unlock(&job->mutex);
}

/* ---- what is carried ---- */

/* Begins a task, or its next stage; *is_done: there is none. */
static int go_on(mpi_job *job, mpi_task *task, int *is_done)
{
    job->request_count = 0;
    if (task->kind == TASK_SUM)
        return sum_go_on(job, task, is_done);
    if (task->kind == TASK_COLLECT)
        return collect_go_on(job, task, is_done);
    *is_done = task->stage == 1;
    if (task->stage++)
        return MPI_SUCCESS;
    MPI_Request *request = &job->requests[job->request_count++];
    switch (task->kind) {
    case TASK_BROADCAST:
        return MPI_Ibcast(task->to, (int)task->size, MPI_BYTE, 0, job->data, request);
    case TASK_GATHER:
        return MPI_Iallgather(task->from, (int)task->size, MPI_BYTE, task->to, (int)task->size, MPI_BYTE,
                              job->data, request);
    default:
        return MPI_Ibarrier(job->data, request);
    }
}

static void sleep_for(double seconds)
{
    const struct timespec time = {.tv_nsec = (long)(seconds * 1e9)};
    nanosleep(&time, NULL);
}

static size_t bytes_of(const mpi_task *task)
{
    return task->kind == TASK_SUM       ? task->size * sizeof(float)
           : task->kind == TASK_COLLECT ? task->size * task->whole
                                        : task->size;
}

/* Where a process may not read another's memory a large message goes in pieces, some at each look: looks come
 * close upon each other for as long as it may take. */
static double pause_after(double waited, size_t bytes)
{
    if (waited < LONG_SECONDS + (double)bytes / LEAST_RATE)
        return SLEEP_LEAST;
    return waited / SLEEP_SHARE < SLEEP_MOST ? waited / SLEEP_SHARE : SLEEP_MOST;
}

/* Waits for the requests of a stage, and looks after the others meanwhile. */
static int await_stage(mpi_job *job, size_t bytes)
{
    const double since = clock_seconds();
    int all = 0, status = MPI_SUCCESS;
    while (!status && !all) {
        status = MPI_Testall(job->request_count, job->requests, &all, MPI_STATUSES_IGNORE);
        if (status || all)
            break;
        const double waited = clock_seconds() - since;
        if (waited < SPIN_SECONDS)
            sched_yield();
        else
            sleep_for(pause_after(waited, bytes));
        status = watch_look(job);
        if (atomic_load(&job->has_failed))
            break;
    }
    return status;
}

static int carry(mpi_job *job, mpi_task *task)
{
    int is_done = 0, status = MPI_SUCCESS;
    while (!status && !is_done && !atomic_load(&job->has_failed)) {
        status = go_on(job, task, &is_done);
        if (!status && !is_done)
            status = await_stage(job, bytes_of(task));
    }
    return status;
}

/* What MPI itself reports does not tell whose fault it is; whoever looks after that rank knows better, and is
 * heard first if it is quick. */
static void fail_of(mpi_job *job, int status)
{
    char text[MPI_MAX_ERROR_STRING] = "", cause[MPI_CAUSE_SIZE];
    int length;
    MPI_Error_string(status, text, &length);
    for (int i = 0; i < 10 && !atomic_load(&job->has_failed); i++) {
        sleep_for(IDLE_SECONDS);
        watch_look(job);
    }
    snprintf(cause, sizeof cause, "%s: MPI: %s", job->names[job->rank], text);
    watch_fail(job, job->rank, cause, 1);
}

/* ---- the loop ---- */

/* The next task; NULL: there is none yet. */
static mpi_task *await_task(mpi_job *job)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(IDLE_SECONDS * 1e9);
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&job->mutex);
    if (!job->first)
        pthread_cond_timedwait(&job->news, &job->mutex, &until);
    mpi_task *task = job->first;
    pthread_mutex_unlock(&job->mutex);
    return task;
}

static void end_task(mpi_job *job, mpi_task *task)
{
    pthread_mutex_lock(&job->mutex);
    job->first = task->next;
    if (!job->first)
        job->last = NULL;
    task->is_done = 1;
    pthread_cond_broadcast(&job->done);
    pthread_mutex_unlock(&job->mutex);
}

/* Nothing of MPI is called any more: memory that it might still fill may be gone. */
static void wait_for_end(mpi_job *job)
{
    const double since = clock_seconds();
    pthread_mutex_lock(&job->mutex);
    pthread_cond_broadcast(&job->done);
    pthread_mutex_unlock(&job->mutex);
    while (!atomic_load(&job->aborts) && clock_seconds() < since + PATIENCE_LAST)
        sleep_for(IDLE_SECONDS);
    MPI_Abort(MPI_COMM_WORLD, atomic_load(&job->aborts) ? atomic_load(&job->aborts) - 1 : 1);
    _exit(1);
}

void *carrier_live(void *argument)
{
    mpi_job *job = argument;
    int leaves = 0;
    /* Short sleeps are meant to be short. */
    prctl(PR_SET_TIMERSLACK, 1000ul);
    const int joined = begin(job);
    tell_begun(job, joined);
    while (joined && !leaves && !atomic_load(&job->has_failed)) {
        mpi_task *task = await_task(job);
        int status = task ? carry(job, task) : watch_look(job);
        if (status && !atomic_load(&job->has_failed))
            fail_of(job, status);
        if (task && !atomic_load(&job->has_failed)) {
            leaves = task->kind == TASK_LEAVE;
            end_task(job, task);
        }
    }
    if (atomic_load(&job->has_failed))
        wait_for_end(job);
    MPI_Finalize();
    return NULL;
}
