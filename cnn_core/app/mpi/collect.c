/* SPDX-License-Identifier: BSD-3-Clause */
/* Parts of all ranks come to rank 0, where they belong: nothing is sent to those who do not want it. */
#include "carrier.h"
#include <string.h>

/* Where a rank's part begins, in bytes. */
static size_t part_at(const mpi_job *job, const mpi_task *task, int rank)
{
    return share_begin(task->whole, rank, job->count) * task->size;
}

static size_t part_size(const mpi_job *job, const mpi_task *task, int rank)
{
    return part_at(job, task, rank + 1) - part_at(job, task, rank);
}

/* What is left of a part from byte `at` on, as far as it goes at once; 0: nothing. */
static int bytes_from(size_t at, size_t size)
{
    const size_t left = at < size ? size - at : 0;
    return (int)(left < MOST_BYTES ? left : MOST_BYTES);
}

static int receive(mpi_job *job, mpi_task *task, size_t at)
{
    int status = MPI_SUCCESS;
    for (int rank = 1; rank < job->count && !status; rank++) {
        const int bytes = bytes_from(at, part_size(job, task, rank));
        if (bytes)
            status = MPI_Irecv((char *)task->to + part_at(job, task, rank) + at, bytes, MPI_BYTE, rank,
                               TAG_COLLECT, job->data, &job->requests[job->request_count++]);
    }
    return status;
}

static int send(mpi_job *job, const mpi_task *task, size_t at)
{
    const int bytes = bytes_from(at, part_size(job, task, job->rank));
    return bytes ? MPI_Isend((const char *)task->from + at, bytes, MPI_BYTE, 0, TAG_COLLECT, job->data,
                             &job->requests[job->request_count++])
                 : MPI_SUCCESS;
}

int collect_go_on(mpi_job *job, mpi_task *task, int *is_done)
{
    const size_t at = (size_t)task->stage * MOST_BYTES;
    const int status = job->rank ? send(job, task, at) : receive(job, task, at);
    if (job->rank == 0 && task->stage == 0 && part_size(job, task, 0))
        memcpy(task->to, task->from, part_size(job, task, 0));
    task->stage++;
    *is_done = job->request_count == 0;
    return status;
}
