/* SPDX-License-Identifier: BSD-3-Clause */
/* A persistent pool of threads that shares out numbered tasks. Which thread runs a task is left open, so a
 * result may depend on the task's number only; then it is the same for any number of threads. */
#ifndef CNN_THREADS_H
#define CNN_THREADS_H

typedef struct cnn_threads cnn_threads;

/* One task: `index` in [0, tasks), `thread` in [0, cnn_threads_count), for scratch memory. */
typedef void cnn_task(void *context, int index, int thread);

/* Starts `count` - 1 threads beside the caller; count 0 means one for each processor the process may use.
 * Errors: CNN_BAD_ARGUMENT (count < 0 or > 256), CNN_NO_MEMORY. The caller frees with cnn_threads_free. */
int cnn_threads_create(int count, cnn_threads **out);
void cnn_threads_free(cnn_threads *threads);

/* Number of threads, the caller included; 1 for NULL. */
int cnn_threads_count(const cnn_threads *threads);

/* Runs task(context, 0..tasks-1, ...) and returns when all have ended. NULL threads: in order, in the caller.
 * Only one thread may call it at a time, and not from inside a task. */
void cnn_threads_run(cnn_threads *threads, int tasks, cnn_task *task, void *context);

/* What other work counts as, in multiplications with addition. */
enum {
    CNN_WORK_MOVE = 8,    /* a value is copied, compared or added */
    CNN_WORK_UPDATE = 32, /* a parameter is updated */
};

/* Whom to give to cnn_threads_run for tasks that together are `work` multiplications: `threads`, or NULL if
 * the caller is done with them before others are awake and have the data. Environment, for tests:
 * CNN_SHARE=all has all work shared out. */
cnn_threads *cnn_threads_for(cnn_threads *threads, double work);

#endif
