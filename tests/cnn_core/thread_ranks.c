/* SPDX-License-Identifier: BSD-3-Clause */
#include "thread_ranks.h"
#include "cmocka_headers.h"
#include "cnn/status.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SUMS = 64 };

/* What all ranks see. */
typedef struct job {
    int count;
    pthread_barrier_t barrier;
    const void **slots; /* [count] */
    atomic_int ended;
} job;

typedef struct sum {
    float *values;
    size_t count;
} sum;

typedef struct member {
    job *job;
    cnn_ranks ranks;
    pthread_t thread;
    rank_work *work;
    void *context;
    int status;
    char message[512], name[32];
    sum sums[SUMS];
    int begun;
} member;

static void meet(const member *m)
{
    pthread_barrier_wait(&m->job->barrier);
}

static int broadcast(void *context, void *bytes, size_t size)
{
    member *m = context;
    if (m->ranks.rank == 0)
        m->job->slots[0] = bytes;
    meet(m);
    if (m->ranks.rank)
        memcpy(bytes, m->job->slots[0], size);
    meet(m);
    return CNN_OK;
}

static int gather(void *context, const void *mine, size_t size, void *all)
{
    member *m = context;
    m->job->slots[m->ranks.rank] = mine;
    meet(m);
    for (int i = 0; i < m->job->count; i++)
        memcpy((char *)all + (size_t)i * size, m->job->slots[i], size);
    meet(m);
    return CNN_OK;
}

static int collect(void *context, const void *mine, size_t size, uint32_t whole, void *all)
{
    member *m = context;
    m->job->slots[m->ranks.rank] = mine;
    meet(m);
    for (int i = 0; i < m->job->count && m->ranks.rank == 0; i++) {
        const cnn_share share = cnn_share_of(whole, i, m->job->count);
        if (share.n)
            memcpy((char *)all + share.first * size, m->job->slots[i], share.n * size);
    }
    meet(m);
    return CNN_OK;
}

static int begin_sum(void *context, float *values, size_t count)
{
    member *m = context;
    if (m->begun == SUMS)
        return cnn_fail(CNN_RANKS_FAILED, "too many sums");
    m->sums[m->begun++] = (sum){values, count};
    return CNN_OK;
}

static int finish_sums(void *context)
{
    member *m = context;
    for (int i = 0; i < m->begun; i++) {
        const sum s = m->sums[i];
        float *total = malloc(s.count * sizeof *total);
        m->job->slots[m->ranks.rank] = s.values;
        meet(m);
        for (size_t j = 0; j < s.count; j++) {
            total[j] = ((const float *)m->job->slots[0])[j];
            for (int rank = 1; rank < m->job->count; rank++)
                total[j] += ((const float *)m->job->slots[rank])[j];
        }
        meet(m);
        memcpy(s.values, total, s.count * sizeof *total);
        meet(m);
        free(total);
    }
    m->begun = 0;
    return CNN_OK;
}

static const char *name(void *context, int rank)
{
    member *m = context;
    snprintf(m->name, sizeof m->name, "rank %d on HERE", rank);
    return m->name;
}

static void *live(void *argument)
{
    member *m = argument;
    m->status = m->work(m->context, &m->ranks);
    snprintf(m->message, sizeof m->message, "%.500s", cnn_message());
    atomic_fetch_add(&m->job->ended, 1);
    return NULL;
}

/* A rank that waits in vain cannot be ended. */
static void await(job *of)
{
    for (int i = 0; i < 10000 && atomic_load(&of->ended) < of->count; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    if (atomic_load(&of->ended) < of->count) {
        print_error("%d of %d ranks wait in vain\n", of->count - atomic_load(&of->ended), of->count);
        _exit(1);
    }
}

void run_as_ranks(int count, rank_work *work, void *context, int *statuses, char (*messages)[512])
{
    job shared = {.count = count, .slots = calloc((size_t)count, sizeof *shared.slots)};
    member *members = calloc((size_t)count, sizeof *members);
    pthread_barrier_init(&shared.barrier, NULL, (unsigned)count);
    for (int i = 0; i < count; i++) {
        members[i] = (member){.job = &shared, .work = work, .context = context};
        members[i].ranks = (cnn_ranks){.context = &members[i],
                                       .rank = i,
                                       .count = count,
                                       .broadcast = broadcast,
                                       .gather = gather,
                                       .collect = collect,
                                       .begin_sum = begin_sum,
                                       .finish_sums = finish_sums,
                                       .name = name};
        assert_int_equal(pthread_create(&members[i].thread, NULL, live, &members[i]), 0);
    }
    await(&shared);
    for (int i = 0; i < count; i++) {
        pthread_join(members[i].thread, NULL);
        statuses[i] = members[i].status;
        if (messages)
            memcpy(messages[i], members[i].message, sizeof members[i].message);
    }
    pthread_barrier_destroy(&shared.barrier);
    free(members);
    free(shared.slots);
}
