/* SPDX-License-Identifier: BSD-3-Clause */
/* A child process that answers on a pipe. Internal to catalyst_adaptor. */
#ifndef WS_CHILD_H
#define WS_CHILD_H

#include <stddef.h>
#include <sys/types.h>

enum { WS_ANSWER_FD = 3 };

typedef struct ws_child {
    pid_t pid;
    int answer; /* read end of the pipe whose write end is WS_ANSWER_FD in the
                   child */
} ws_child;

/* Starts `arguments` (NULL-terminated; [0] is a path, or a name looked up on
 * PATH). Its standard input is empty, standard output and error go to
 * /dev/null; it dies with this thread's process. 0, or an errno. */
int ws_child_start(char *const arguments[], ws_child *out);

/* Reads one line of the answer into line, without the newline. 1: a line; 0:
 * the child closed the pipe; -1: `seconds` went by. */
int ws_child_line(ws_child *child, double seconds, char *line, size_t size);

/* Waits up to `seconds` for its end, then kills it. Returns the status of
 * waitpid, or -1 if it had to be killed. */
int ws_child_end(ws_child *child, double seconds);

#endif
