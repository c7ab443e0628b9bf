/* SPDX-License-Identifier: BSD-3-Clause */
/* One `weightscape train` of a sweep, in a process of its own. */
#ifndef APP_SWEEP_CHILD_H
#define APP_SWEEP_CHILD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SWEEP_LINE = 4096 };

typedef struct sweep_child {
    pid_t pid;  /* 0: none */
    int errors; /* where its standard error arrives; does not block */
    char line[SWEEP_LINE];
    size_t length;
} sweep_child;

/* 1 if the folder holds a run to be resumed, 0 if one is to be begun there, -1 if somebody writes there now.
 */
int sweep_child_prepare(const char *path);

/* Starts train on the folder `path`: with `options` (a list that ends with NULL), or, for `resume`, with
 * those that the run has recorded. threads 0: as the options say. CNN_IO_FAILED. */
int sweep_child_start(const char *path, char *const *options, int resume, int threads, sweep_child *out);

/* Passes on the lines that have arrived, each after `name`. `is_ending`: only those that are no notes. */
void sweep_child_listen(sweep_child *child, const char *name, int is_ending);

/* 1 once it has ended, with its exit status as of companion_wait; what it said last is passed on. */
int sweep_child_has_ended(sweep_child *child, const char *name, int is_ending, int *exit_status);

/* The step of the last whole row of the metrics in the run's folder; 0 if there is none. */
uint64_t sweep_child_step(const char *path);

#endif
