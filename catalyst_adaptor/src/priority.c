/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* SCHED_IDLE */
#include "priority.h"
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define VIEWER_NICENESS 10 /* a tenth of a processor that all want */

/* Threads that are there keep their own policy: each has to be told. */
static void schedule_all(int policy)
{
    DIR *threads = opendir("/proc/self/task");
    for (struct dirent *entry; threads && (entry = readdir(threads));) {
        const long thread = strtol(entry->d_name, NULL, 10);
        if (thread > 0 && sched_setscheduler((pid_t)thread, policy, &(struct sched_param){0}) != 0)
            break;
    }
    if (threads)
        closedir(threads);
}

void ws_priority_idle(void)
{
    schedule_all(SCHED_IDLE);
}

void ws_priority_normal(void)
{
    schedule_all(SCHED_OTHER);
}

void ws_priority_viewer(void)
{
    setpriority(PRIO_PROCESS, 0, VIEWER_NICENESS);
}

void ws_priority_expendable(void)
{
    const int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score < 0)
        return;
    if (write(score, "1000", 4) != 4)
        fprintf(stderr, "oom_score_adj cannot be written\n");
    close(score);
}
