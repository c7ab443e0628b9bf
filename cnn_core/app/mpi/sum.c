/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums over ranks whose bits depend on nothing but the number of ranks: each rank adds one block of the
 * values of all, in the order of ranks, and sends it back to all. As much travels as in any other way to add,
 * 2 (n - 1) / n of the values each way; MPI's own sums promise no order. */
#include "carrier.h"
#include <stdlib.h>
#include <string.h>

enum { STRETCH = 1024 };

/* Where the block of a rank begins. */
static size_t block_at(const mpi_task *task, int rank, int count)
{
    return share_begin(task->size, rank, count);
}

static size_t block_size(const mpi_task *task, int rank, int count)
{
    return block_at(task, rank + 1, count) - block_at(task, rank, count);
}

static int make_room(mpi_job *job, size_t count)
{
    if (count <= job->scratch_count)
        return MPI_SUCCESS;
    free(job->scratch);
    job->scratch = malloc(count * sizeof *job->scratch);
    job->scratch_count = job->scratch ? count : 0;
    return job->scratch ? MPI_SUCCESS : MPI_ERR_NO_MEM;
}

/* Everybody's part of this rank's block comes; this rank's parts of the others' blocks go. */
static int send_parts(mpi_job *job, mpi_task *task)
{
    float *values = task->to;
    const size_t own = block_size(task, job->rank, job->count);
    int status = make_room(job, own * (size_t)job->count);
    for (int step = 1; step < job->count && !status; step++) {
        /* Each rank begins with another one, so that not all send to the same. */
        const int from = (job->rank + job->count - step) % job->count, to = (job->rank + step) % job->count;
        status = MPI_Irecv(job->scratch + (size_t)from * own, (int)own, MPI_FLOAT, from, TAG_PARTS, job->data,
                           &job->requests[job->request_count++]);
        if (!status)
            status = MPI_Isend(values + block_at(task, to, job->count), (int)block_size(task, to, job->count),
                               MPI_FLOAT, to, TAG_PARTS, job->data, &job->requests[job->request_count++]);
    }
    return status;
}

static void add_parts(mpi_job *job, mpi_task *task)
{
    float *values = (float *)task->to + block_at(task, job->rank, job->count), sum[STRETCH];
    const size_t own = block_size(task, job->rank, job->count);
    for (size_t at = 0; at < own; at += STRETCH) {
        const size_t here = own - at < STRETCH ? own - at : STRETCH;
        for (int rank = 0; rank < job->count; rank++) {
            const float *part = rank == job->rank ? values + at : job->scratch + (size_t)rank * own + at;
            if (rank == 0)
                memcpy(sum, part, here * sizeof *sum);
            else
                for (size_t i = 0; i < here; i++)
                    sum[i] += part[i];
        }
        memcpy(values + at, sum, here * sizeof *sum);
    }
}

static int send_sums(mpi_job *job, mpi_task *task)
{
    float *values = task->to;
    int status = MPI_SUCCESS;
    for (int step = 1; step < job->count && !status; step++) {
        const int from = (job->rank + job->count - step) % job->count, to = (job->rank + step) % job->count;
        status = MPI_Irecv(values + block_at(task, from, job->count), (int)block_size(task, from, job->count),
                           MPI_FLOAT, from, TAG_SUMS, job->data, &job->requests[job->request_count++]);
        if (!status)
            status = MPI_Isend(values + block_at(task, job->rank, job->count),
                               (int)block_size(task, job->rank, job->count), MPI_FLOAT, to, TAG_SUMS,
                               job->data, &job->requests[job->request_count++]);
    }
    return status;
}

int sum_go_on(mpi_job *job, mpi_task *task, int *is_done)
{
    *is_done = task->stage == 2;
    switch (task->stage++) {
    case 0:
        return send_parts(job, task);
    case 1:
        add_parts(job, task);
        return send_sums(job, task);
    default:
        return MPI_SUCCESS;
    }
}
