/* SPDX-License-Identifier: BSD-3-Clause */
/* What the processes beside a training are told when they start. */
#ifndef WEIGHTSCAPE_SIDECAR_REQUEST_H
#define WEIGHTSCAPE_SIDECAR_REQUEST_H

#include "transport.h"

/* The request of the process that draws the scripts in `tried`, as one line of JSON; steps up to
 * `shown_until` may have been drawn. live: of the one that shows them in the ParaView at HOST:PORT instead;
 * NULL: not. Owned by the caller; NULL if the name of the run's folder is no UTF-8. */
char *ws_sidecar_request(const ws_setup *setup, const ws_pictures *tried, uint64_t shown_until,
                         const char *live);

#endif
