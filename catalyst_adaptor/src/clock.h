/* SPDX-License-Identifier: BSD-3-Clause */
/* Seconds of the monotonic clock. */
#ifndef WEIGHTSCAPE_CLOCK_H
#define WEIGHTSCAPE_CLOCK_H

#include <time.h>

static inline double ws_clock(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

#endif
