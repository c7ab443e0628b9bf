/* SPDX-License-Identifier: BSD-3-Clause */
/* The host's signal handlers, kept while code that changes them runs. */
#ifndef WEIGHTSCAPE_HANDLERS_H
#define WEIGHTSCAPE_HANDLERS_H

#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ws_handlers {
    struct sigaction action[NSIG];
    int known[NSIG];
    sigset_t mask; /* of the calling thread */
} ws_handlers;

void ws_handlers_keep(ws_handlers *out);

/* Puts back those that have changed; one that has not is never absent, not even for a moment. */
void ws_handlers_put_back(const ws_handlers *kept);

#ifdef __cplusplus
}
#endif
#endif
