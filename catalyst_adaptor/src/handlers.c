/* SPDX-License-Identifier: BSD-3-Clause */
#include "handlers.h"
#include <stddef.h>

void ws_handlers_keep(ws_handlers *out)
{
    for (int i = 1; i < NSIG; i++)
        out->known[i] = sigaction(i, NULL, &out->action[i]) == 0;
    pthread_sigmask(SIG_SETMASK, NULL, &out->mask);
}

static int differ(const struct sigaction *a, const struct sigaction *b)
{
    return a->sa_handler != b->sa_handler || a->sa_flags != b->sa_flags;
}

void ws_handlers_put_back(const ws_handlers *kept)
{
    for (int i = 1; i < NSIG; i++) {
        struct sigaction now;
        if (kept->known[i] && sigaction(i, NULL, &now) == 0 && differ(&now, &kept->action[i]))
            sigaction(i, &kept->action[i], NULL);
    }
    pthread_sigmask(SIG_SETMASK, &kept->mask, NULL);
}
