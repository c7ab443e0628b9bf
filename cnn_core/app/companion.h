/* SPDX-License-Identifier: BSD-3-Clause */
/* Another program that runs beside this one, and ends with it. */
#ifndef APP_COMPANION_H
#define APP_COMPANION_H

#include <sys/types.h>

/* The program `name` on PATH, or `name` itself if it holds a slash; NULL if there is none that can be run.
 * The caller frees it. */
char *companion_find(const char *name);

/* Starts a program; arguments as of execv, and it gets SIGTERM when this process ends, however it does.
 * Returns its process id, or -1: the message (cnn/status.h) says why. */
pid_t companion_start(char *const arguments[]);

/* The same apart from this process: in a process group of its own, so that a key of the terminal does not
 * reach it; it reads nothing, what it prints is dropped, and what it tells goes to `errors`. */
pid_t companion_start_apart(char *const arguments[], int errors);

/* Without waiting: 1 if it has ended, then with *exit_status as of companion_wait, else 0. */
int companion_has_ended(pid_t companion, int *exit_status);

/* Waits until it has ended or a signal has asked this process to end (signals.h): 1 if it has ended, then
 * with *exit_status, 128 + its number if a signal ended it; else 0. */
int companion_wait(pid_t companion, int *exit_status);

/* Asks it to end, and waits for that; after some seconds it is killed. 0 is no program. */
void companion_end(pid_t companion);

#endif
