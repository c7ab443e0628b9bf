/* SPDX-License-Identifier: BSD-3-Clause */
#include "beside.h"
#include <stdint.h>

typedef struct mixed {
    int tasks, all;
    cnn_task *task;
    void *context;
    const cnn_beside *beside;
} mixed;

/* Of `tasks`, number k comes at k * all / tasks, rounded down; between them the others in their order. */
static void mixed_task(void *context, int index, int thread)
{
    const mixed *m = context;
    const int before = (int)(((int64_t)index * m->tasks + m->all - 1) / m->all);
    if (before < m->tasks && (int64_t)before * m->all / m->tasks == index)
        m->task(m->context, before, thread);
    else
        m->beside->task(m->beside->context, m->beside->from + index - before, thread);
}

void cnn_beside_run(cnn_threads *threads, double work, int tasks, cnn_task *task, void *context,
                    cnn_beside *beside)
{
    const int others = beside && cnn_threads_count(threads) > 1 ? beside->to - beside->from : 0;
    if (!others) {
        cnn_threads_run(cnn_threads_for(threads, work), tasks, task, context);
        return;
    }
    mixed m = {tasks, tasks + others, task, context, beside};
    cnn_threads_run(cnn_threads_for(threads, work + others * beside->work), m.all, mixed_task, &m);
    beside->to = beside->from;
}
