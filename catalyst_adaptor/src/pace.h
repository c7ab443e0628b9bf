/* SPDX-License-Identifier: BSD-3-Clause */
/* How fast a process may work beside another one that wants all processors.
 *
 * At idle priority a process gets only what a training's threads leave, but it is not free: they find its
 * data in their caches, and its memory being cleared. So, while the training uses all processors but less
 * than one, this process works for a given share of the time and rests for the rest of it. A second of its
 * work costs the training a second at most, where all threads wait for the one whose processor was taken: the
 * share is the bound. */
#ifndef WEIGHTSCAPE_PACE_H
#define WEIGHTSCAPE_PACE_H

#include <sys/types.h>
#include <time.h>

typedef struct ws_pace {
    double share;     /* of the time, (0, 1]; 1: no rest; it may be changed at any time */
    int processors;   /* that both may use */
    clockid_t host;   /* processor time of the training */
    int knows_host;   /* 0: it cannot be read; then there is no rest */
    double looked_at; /* all in seconds: the monotonic clock, */
    double host_time; /* the training's processor time then, */
    double own_time;  /* and this process's */
    double debt;      /* processor time that this process has had too much */
} ws_pace;

/* From now on; what was worked before does not count. */
void ws_pace_begin(ws_pace *pace, pid_t host);

/* 1 if this process is to rest now; `now` is the monotonic clock. A system call or two, a few times a second.
 */
int ws_pace_is_to_rest(ws_pace *pace, double now);

/* How long it is to rest still, in seconds, if nothing changes. */
double ws_pace_rest(const ws_pace *pace);

/* What ws_pace_is_to_rest does, with the times given: for tests. */
int ws_pace_look(ws_pace *pace, double now, double host_time, double own_time);

#endif
