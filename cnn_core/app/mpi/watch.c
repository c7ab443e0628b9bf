/* SPDX-License-Identifier: BSD-3-Clause */
/* Each carrier sends a sign of life to the rank after it, and so hears the one before it: a rank that
 * computes for long is not silent, one that was stopped is. */
#define _GNU_SOURCE
#include "../clock.h"
#include "carrier.h"
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TAG_BEAT = 1, TAG_NOTE = 2 };

#define LOOK_SECONDS   0.05
#define BEAT_SECONDS   0.5
#define SILENT_SECONDS 5.0
#define TELL_SECONDS   0.3 /* for the others to be told */

static int before(const mpi_job *job)
{
    return (job->rank + job->count - 1) % job->count;
}

static int after(const mpi_job *job)
{
    return (job->rank + 1) % job->count;
}

/* Whether a process of this host is there and not dead. */
static int is_alive(long process)
{
    char path[48], text[512];
    snprintf(path, sizeof path, "/proc/%ld/stat", process);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    const size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    /* The state follows the name, which may hold anything. */
    const char *name_end = strrchr(text, ')');
    return name_end && name_end[1] == ' ' && name_end[2] != 'Z' && name_end[2] != 'X';
}

static int await_note(mpi_job *job)
{
    mpi_watch *watch = &job->watch;
    return MPI_Irecv(&watch->heard_note, sizeof watch->heard_note, MPI_BYTE, MPI_ANY_SOURCE, TAG_NOTE,
                     job->talk, &watch->listen);
}

static int hear(mpi_job *job)
{
    mpi_watch *watch = &job->watch;
    return MPI_Irecv(&watch->heard, 1, MPI_INT, before(job), TAG_BEAT, job->talk, &watch->hear);
}

int watch_begin(mpi_job *job)
{
    mpi_watch *watch = &job->watch;
    const rank_card *own = &job->cards[job->rank], *other = &job->cards[before(job)];
    *watch = (mpi_watch){.looked = clock_seconds(), .beat = MPI_REQUEST_NULL, .hear = MPI_REQUEST_NULL};
    /* Another container may have the host's name, and processes of its own. */
    watch->watches_process = !strcmp(own->host, other->host) && is_alive(other->process);
    const int status = await_note(job);
    return status ? status : hear(job);
}

/* ---- failure ---- */

/* Gives MPI some time to deliver what was sent. */
static void flush(MPI_Request *requests, int count)
{
    const double until = clock_seconds() + TELL_SECONDS;
    int all = 0;
    while (!all && clock_seconds() < until) {
        if (MPI_Testall(count, requests, &all, MPI_STATUSES_IGNORE))
            return;
        sched_yield();
    }
}

static void tell_others(mpi_job *job, mpi_note *note)
{
    MPI_Request requests[64];
    int count = 0;
    for (int rank = 0; rank < job->count; rank++) {
        if (rank == job->rank || rank == note->rank)
            continue;
        if (MPI_Isend(note, sizeof *note, MPI_BYTE, rank, TAG_NOTE, job->talk, &requests[count]) ==
            MPI_SUCCESS)
            count++;
        if (count == 64) {
            flush(requests, count);
            count = 0;
        }
    }
    flush(requests, count);
}

void watch_fail(mpi_job *job, int rank, const char *cause, int tells_others)
{
    if (atomic_load(&job->has_failed))
        return;
    /* Static: a send that was not completed in time may still read it. */
    static mpi_note note;
    note = (mpi_note){.kind = NOTE_FAILED, .rank = rank};
    snprintf(note.cause, sizeof note.cause, "%s", cause);
    if (tells_others)
        tell_others(job, &note);
    job->culprit = rank;
    snprintf(job->cause, sizeof job->cause, "%s", cause);
    atomic_store(&job->has_failed, 1);
}

/* ---- looks ---- */

static int take_notes(mpi_job *job)
{
    mpi_watch *watch = &job->watch;
    int is_here = 0;
    const int status = MPI_Test(&watch->listen, &is_here, MPI_STATUS_IGNORE);
    if (status || !is_here)
        return status;
    const mpi_note note = watch->heard_note;
    if (note.kind == NOTE_FAILED)
        watch_fail(job, note.rank, note.cause, 0);
    else if (job->rank == 0)
        job->host.signalled(note.number);
    return note.kind == NOTE_FAILED ? MPI_SUCCESS : await_note(job);
}

static int take_beats(mpi_job *job, double passed)
{
    mpi_watch *watch = &job->watch;
    int is_here = 0;
    const int status = MPI_Test(&watch->hear, &is_here, MPI_STATUS_IGNORE);
    if (status)
        return status;
    /* When this process was stopped, too, the time does not count. */
    watch->silent = is_here ? 0 : watch->silent + (passed < 4 * LOOK_SECONDS ? passed : 4 * LOOK_SECONDS);
    return is_here ? hear(job) : MPI_SUCCESS;
}

static int send_beat(mpi_job *job, double now)
{
    mpi_watch *watch = &job->watch;
    int is_gone = 0;
    if (now < watch->beaten + BEAT_SECONDS)
        return MPI_SUCCESS;
    const int status = MPI_Test(&watch->beat, &is_gone, MPI_STATUS_IGNORE);
    if (status || !is_gone)
        return status;
    watch->beaten = now;
    watch->sent++;
    return MPI_Isend(&watch->sent, 1, MPI_INT, after(job), TAG_BEAT, job->talk, &watch->beat);
}

/* Rank 0 decides what follows from a signal. */
static int tell_signal(mpi_job *job)
{
    static mpi_note note;
    static MPI_Request request;
    mpi_watch *watch = &job->watch;
    const int number = job->rank ? job->host.signal() : 0;
    if (!number || watch->told_signal)
        return MPI_SUCCESS;
    watch->told_signal = 1;
    note = (mpi_note){.kind = NOTE_SIGNAL, .rank = job->rank, .number = number};
    return MPI_Isend(&note, sizeof note, MPI_BYTE, 0, TAG_NOTE, job->talk, &request);
}

static void look_at_rank_before(mpi_job *job)
{
    char cause[MPI_CAUSE_SIZE];
    const mpi_watch *watch = &job->watch;
    const int rank = before(job);
    const char *name = job->names[rank];
    if (watch->watches_process && !is_alive(job->cards[rank].process)) {
        snprintf(cause, sizeof cause, "%s is gone: its process %ld has ended", name,
                 job->cards[rank].process);
        watch_fail(job, rank, cause, 1);
    } else if (watch->silent >= SILENT_SECONDS) {
        snprintf(cause, sizeof cause, "%s has been silent for %.0f s", name, SILENT_SECONDS);
        watch_fail(job, rank, cause, 1);
    }
}

int watch_look(mpi_job *job)
{
    mpi_watch *watch = &job->watch;
    const double now = clock_seconds(), passed = now - watch->looked;
    if (passed < LOOK_SECONDS)
        return MPI_SUCCESS;
    watch->looked = now;
    int status = take_notes(job);
    if (atomic_load(&job->has_failed))
        return MPI_SUCCESS;
    if (!status)
        status = take_beats(job, passed);
    if (!status)
        status = send_beat(job, now);
    if (!status)
        status = tell_signal(job);
    if (!status && atomic_load(&job->gives_up))
        watch_fail(job, job->rank, job->own_cause, 1);
    else if (!status)
        look_at_rank_before(job);
    return status;
}
