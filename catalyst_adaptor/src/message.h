/* SPDX-License-Identifier: BSD-3-Clause */
/* The message behind a status, and lines for people. */
#ifndef WEIGHTSCAPE_MESSAGE_H
#define WEIGHTSCAPE_MESSAGE_H

#include "weightscape/insitu.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WS_MESSAGE_SIZE 1024

/* Sets this thread's message and returns `status`. Control characters become '?': a message is one line. */
int ws_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Where lines for people go. */
typedef struct ws_log {
    void (*line)(void *context, ws_log_level level, const char *line);
    void *context;
} ws_log;

/* A log of which nobody hears. */
ws_log ws_log_silent(void);

/* The host's choice, or standard error. */
ws_log ws_log_of(const ws_options *options);

/* Tells one line; control characters become '?'. */
void ws_tell(const ws_log *log, ws_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#ifdef __cplusplus
}
#endif
#endif
