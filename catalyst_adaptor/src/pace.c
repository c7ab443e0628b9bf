/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* sched_getaffinity */
#include "pace.h"
#include "clock.h"
#include <sched.h>

#define LOOK_SECONDS 0.2  /* processor times of less than that tell nothing */
#define FREE_SHARE   0.75 /* of one processor, from which on it counts as free */

static double seconds_of(clockid_t clock)
{
    struct timespec time;
    return clock_gettime(clock, &time) == 0 ? (double)time.tv_sec + 1e-9 * (double)time.tv_nsec : 0;
}

static int usable_processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : 1;
}

void ws_pace_begin(ws_pace *pace, pid_t host)
{
    *pace = (ws_pace){.share = 1, .processors = usable_processors()};
    pace->knows_host = clock_getcpuclockid(host, &pace->host) == 0;
    pace->looked_at = ws_clock();
    pace->host_time = pace->knows_host ? seconds_of(pace->host) : 0;
    pace->own_time = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

int ws_pace_look(ws_pace *pace, double now, double host_time, double own_time)
{
    const double passed = now - pace->looked_at;
    if (passed >= LOOK_SECONDS) {
        const double used = (host_time - pace->host_time) / passed;
        const int is_crowded = pace->processors - used < FREE_SHARE;
        const double allowed = pace->share * passed;
        const double debt = pace->debt + (own_time - pace->own_time) - allowed;
        pace->debt = is_crowded && pace->share < 1 && debt > 0 ? debt : 0;
        pace->looked_at = now;
        pace->host_time = host_time;
        pace->own_time = own_time;
    }
    return pace->debt > 0;
}

int ws_pace_is_to_rest(ws_pace *pace, double now)
{
    if (!pace->knows_host)
        return 0;
    if (now - pace->looked_at < LOOK_SECONDS)
        return pace->debt > 0;
    return ws_pace_look(pace, now, seconds_of(pace->host), seconds_of(CLOCK_PROCESS_CPUTIME_ID));
}

double ws_pace_rest(const ws_pace *pace)
{
    return pace->debt / pace->share;
}
