/* SPDX-License-Identifier: BSD-3-Clause */
#include "picture_progress.h"
#include "clock.h"
#include "tell.h"
#include "text.h"
#include <stdlib.h>

#define LIVE_SECONDS  0.2
#define PLAIN_SECONDS 10.0

typedef unsigned long long number;

picture_progress picture_progress_begin(int quiet)
{
    const double now = clock_seconds();
    return (picture_progress){.quiet = quiet, .started = now, .told = now};
}

static int is_due(picture_progress *progress)
{
    const double now = clock_seconds();
    if (progress->quiet || now - progress->told < (tell_is_live() ? LIVE_SECONDS : PLAIN_SECONDS))
        return 0;
    progress->told = now;
    return 1;
}

/* Tells a fresh line and frees it. */
static void tell(char *line)
{
    if (tell_is_live())
        tell_live(line);
    else
        tell_line(line);
    free(line);
}

void picture_progress_tell(picture_progress *progress, uint64_t done, uint64_t total)
{
    if (!progress->begun) {
        progress->begun = 1;
        progress->first = done;
    }
    if (!is_due(progress))
        return;
    const number drawn = done, all = total;
    if (done <= progress->first || total < done) {
        tell(text_format("pictures: %llu of %llu steps drawn", drawn, all));
        return;
    }
    char left[TEXT_TIME_SIZE];
    const double spent = clock_seconds() - progress->started;
    text_of_time(spent / (double)(done - progress->first) * (double)(total - done), left);
    tell(text_format("pictures: %llu of %llu steps drawn, left %s", drawn, all, left));
}

void picture_progress_tell_step(picture_progress *progress, uint64_t drawn, uint64_t step)
{
    if (!is_due(progress))
        return;
    tell(drawn ? text_format("pictures: %llu steps drawn, the last one is step %llu", (number)drawn,
                             (number)step)
               : text_copy("pictures: none yet"));
}
