/* SPDX-License-Identifier: BSD-3-Clause */
/* How the adaptor reports a failure. Internal to catalyst_adaptor. */
#ifndef WS_STATUS_H
#define WS_STATUS_H

#include "weightscape/insitu.h"

/* Sets this thread's message, one line, and returns `status`. */
int ws_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
