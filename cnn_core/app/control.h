/* SPDX-License-Identifier: BSD-3-Clause */
/* Serves those who ask a training for something through its socket: a line in, a line out.
 *
 * Nobody can hold the training up or end it: no call here blocks, each serving does a bounded amount of work,
 * a client has a bounded buffer, and whoever does not read its answers is asked nothing more until it does.
 */
#ifndef APP_CONTROL_H
#define APP_CONTROL_H

#include <stddef.h>
#include <sys/types.h>

typedef struct app_control app_control;

enum {
    CONTROL_LINE_MOST = 65536, /* bytes of a request with its newline */
    CONTROL_CLIENTS_MOST = 16,
    CONTROL_LINES_AT_ONCE = 8, /* requests of one client that are dealt with in one call */
};

/* What is done with a request. */
typedef struct control_desk {
    void *context;
    /* `line` has `length` bytes, any, without the newline, and a NUL after them. Returns the answer as a
     * fresh line without newline, or NULL if it must wait: then it is given again at the next serving. */
    char *(*answer)(void *context, const char *line, size_t length, pid_t process);
    /* The answer to a line that is too long; fresh. */
    char *(*refuse_long)(void *context);
} control_desk;

/* Makes the socket in the run's folder, which is open as `folder` and stays the caller's. CNN_IO_FAILED. */
int control_open(int folder, const char *path, const control_desk *desk, app_control **out);

/* From now on another desk deals with what comes. */
void control_serve_at(app_control *control, const control_desk *desk);

/* Deals with what has come, waiting up to `milliseconds` for something to come. NULL only waits. */
void control_serve(app_control *control, int milliseconds);

/* Closes all connections and removes the socket. NULL is allowed. */
void control_close(app_control *control);

#endif
