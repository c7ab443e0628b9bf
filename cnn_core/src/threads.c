/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "cnn/threads.h"
#include "cnn/status.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    CNN_MOST_THREADS = 256,
    /* Looks for the next job, or for the end of this one, before a thread goes to sleep: some 50
     * microseconds, since jobs of a step follow each other more closely than the system wakes a thread. */
    LOOKS = 2000,
    /* Multiplications that are worth sharing out with a thread that looks for work, and with one that sleeps:
     * some 10 and 40 microseconds. To wake a thread takes 20. */
    ENOUGH = 1 << 19,
    ENOUGH_TO_WAKE = 1 << 21,
};

typedef struct worker {
    pthread_t thread;
    struct cnn_threads *pool;
    int number;
} worker;

struct cnn_threads {
    int count;
    int shares_all;  /* whatever the work */
    worker *workers; /* [count - 1] */
    pthread_mutex_t mutex;
    pthread_cond_t start, finished;
    atomic_int asleep; /* workers that wait for start; changed under the mutex */
    atomic_ulong job;  /* rises with each cnn_threads_run; changed under the mutex */
    atomic_int stop;   /* changed under the mutex */
    /* The current job: changes only when all of its tasks are done, so that whoever has taken one may read
     * it. */
    cnn_task *task;
    void *context;
    int tasks;
    atomic_int left; /* tasks that nobody has taken */
    atomic_int done;
};

/* The number of a task of the current job, which is now the caller's; -1 if all are taken. */
static int take_task(cnn_threads *pool)
{
    int left = atomic_load_explicit(&pool->left, memory_order_relaxed);
    while (left > 0 && !atomic_compare_exchange_weak_explicit(&pool->left, &left, left - 1,
                                                              memory_order_acquire, memory_order_relaxed))
        ;
    return left > 0 ? pool->tasks - left : -1;
}

/* Does tasks until all are taken; whether the last one to be done was among them. A job does not wait for
 * threads that come too late to have a task: the system may have given their processor to somebody else. */
static int do_tasks(cnn_threads *pool, int thread)
{
    int mine = 0, tasks = 0;
    for (int index = take_task(pool); index >= 0; index = take_task(pool)) {
        tasks = pool->tasks;
        pool->task(pool->context, index, thread);
        mine++;
    }
    return mine && atomic_fetch_add_explicit(&pool->done, mine, memory_order_acq_rel) + mine == tasks;
}

static void look_away(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int has_news(cnn_threads *pool, unsigned long seen)
{
    return atomic_load_explicit(&pool->job, memory_order_acquire) != seen || atomic_load(&pool->stop);
}

static void await_job(cnn_threads *pool, unsigned long seen)
{
    for (int i = 0; i < LOOKS && !has_news(pool, seen); i++)
        look_away();
    if (has_news(pool, seen))
        return;
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add_explicit(&pool->asleep, 1, memory_order_relaxed);
    while (!has_news(pool, seen))
        pthread_cond_wait(&pool->start, &pool->mutex);
    atomic_fetch_sub_explicit(&pool->asleep, 1, memory_order_relaxed);
    pthread_mutex_unlock(&pool->mutex);
}

static int is_done(cnn_threads *pool)
{
    return atomic_load_explicit(&pool->done, memory_order_acquire) == pool->tasks;
}

static void await_end(cnn_threads *pool)
{
    for (int i = 0; i < LOOKS && !is_done(pool); i++)
        look_away();
    if (is_done(pool))
        return;
    pthread_mutex_lock(&pool->mutex);
    while (!is_done(pool))
        pthread_cond_wait(&pool->finished, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
}

static void *work(void *argument)
{
    worker *self = argument;
    cnn_threads *pool = self->pool;
    for (unsigned long seen = 0;;) {
        await_job(pool, seen);
        if (atomic_load(&pool->stop))
            return NULL;
        seen = atomic_load_explicit(&pool->job, memory_order_acquire);
        if (do_tasks(pool, self->number)) {
            pthread_mutex_lock(&pool->mutex);
            pthread_cond_signal(&pool->finished);
            pthread_mutex_unlock(&pool->mutex);
        }
    }
}

static int usable_processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set) < CNN_MOST_THREADS ? CPU_COUNT(&set) : CNN_MOST_THREADS;
    return 1;
}

int cnn_threads_create(int count, cnn_threads **out)
{
    if (count < 0 || count > CNN_MOST_THREADS)
        return cnn_fail(CNN_BAD_ARGUMENT, "threads: %d is not in 0..%d", count, CNN_MOST_THREADS);
    if (count == 0)
        count = usable_processors();

    cnn_threads *pool = calloc(1, sizeof *pool);
    worker *workers = calloc((size_t)count, sizeof *workers);
    if (!pool || !workers) {
        free(pool);
        free(workers);
        return cnn_fail(CNN_NO_MEMORY, "threads: no memory for %d threads", count);
    }
    const char *share = getenv("CNN_SHARE");
    pool->shares_all = share && !strcmp(share, "all");
    pool->workers = workers;
    pool->count = 1;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->start, NULL);
    pthread_cond_init(&pool->finished, NULL);

    /* Signals are the caller's business: workers are born with all of them blocked. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = 0;
    while (pool->count < count && !failed) {
        worker *next = &workers[pool->count - 1];
        next->pool = pool;
        next->number = pool->count;
        failed = pthread_create(&next->thread, NULL, work, next);
        if (!failed)
            pool->count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        const int started = pool->count;
        cnn_threads_free(pool);
        return cnn_fail(CNN_NO_MEMORY, "threads: the system gave %d of %d threads: %s", started, count,
                        strerror(failed));
    }
    *out = pool;
    return CNN_OK;
}

void cnn_threads_free(cnn_threads *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->mutex);
    atomic_store(&pool->stop, 1);
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->count - 1; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->finished);
    pthread_cond_destroy(&pool->start);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->workers);
    free(pool);
}

int cnn_threads_count(const cnn_threads *pool)
{
    return pool ? pool->count : 1;
}

void cnn_threads_run(cnn_threads *pool, int tasks, cnn_task *task, void *context)
{
    if (!pool || pool->count == 1 || tasks <= 1) {
        for (int i = 0; i < tasks; i++)
            task(context, i, 0);
        return;
    }
    pool->task = task;
    pool->context = context;
    pool->tasks = tasks;
    atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
    atomic_store_explicit(&pool->left, tasks, memory_order_release);
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add_explicit(&pool->job, 1, memory_order_release);
    const int asleep = atomic_load_explicit(&pool->asleep, memory_order_relaxed);
    for (int i = 0; i < asleep && i < tasks - 1; i++)
        pthread_cond_signal(&pool->start);
    pthread_mutex_unlock(&pool->mutex);

    if (!do_tasks(pool, 0))
        await_end(pool);
}

cnn_threads *cnn_threads_for(cnn_threads *pool, double work)
{
    if (!pool)
        return NULL;
    const int asleep = atomic_load_explicit(&pool->asleep, memory_order_relaxed);
    return pool->shares_all || work >= (asleep ? ENOUGH_TO_WAKE : ENOUGH) ? pool : NULL;
}
