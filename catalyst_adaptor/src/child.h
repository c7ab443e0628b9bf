/* SPDX-License-Identifier: BSD-3-Clause */
/* Child processes: no zombie, no signal handler of the host touched, nothing of the host's files inherited.
 */
#ifndef WEIGHTSCAPE_CHILD_H
#define WEIGHTSCAPE_CHILD_H

#include "weightscape/insitu.h"
#include <sys/types.h>

/* Starts argv[0] (a path) in a process group of its own, so that a key of the terminal does not reach it; it
 * gets `death_signal` when this thread ends. Descriptors 0, 1, 2 are `standard`, descriptor 3 is `fourth`
 * (-1: none). Its environment is this process's without what makes it a rank of a parallel job. WS_IO_FAILED,
 * WS_NO_MEMORY. */
int ws_child_start(char *const argv[], const int standard[3], int fourth, int death_signal, pid_t *out);

/* A file in memory that holds `count` bytes, read from its start; -1 if there can be none. */
int ws_child_memory_file(const char *name, const void *bytes, size_t count);

/* Seconds that a child has to end after SIGTERM. */
#define WS_CHILD_STOP_SECONDS 2

/* Ends a child: asks it to (SIGTERM), kills it if it does not within that time, and waits for it. */
void ws_child_stop(pid_t child);

/* How a child ended; where the host ignores SIGCHLD, the system does not tell by which signal. */
typedef struct ws_child_end {
    int timed_out;
    int signal;           /* 0: none */
    char last_words[256]; /* last line of its standard error */
} ws_child_end;

/* Runs argv with `input` as its standard input, and collects what it writes to standard output (*output,
 * NUL-terminated, to be freed). A child that takes longer than `seconds` is killed. WS_IO_FAILED,
 * WS_NO_MEMORY. */
int ws_child_run(char *const argv[], const void *input, size_t input_bytes, double seconds, ws_child_end *end,
                 char **output);

#endif
