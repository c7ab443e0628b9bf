/* SPDX-License-Identifier: BSD-3-Clause */
/* How far the drawing of pictures is, in one line: rewritten on a terminal, else a new one every ten seconds.
 */
#ifndef APP_PICTURE_PROGRESS_H
#define APP_PICTURE_PROGRESS_H

#include <stdint.h>

typedef struct picture_progress {
    int quiet, begun;
    uint64_t first;       /* steps that were drawn already when it was first told */
    double started, told; /* seconds of the clock */
} picture_progress;

/* Starts the clock. */
picture_progress picture_progress_begin(int quiet);

/* Tells, if it is time to, that `done` of `total` steps are drawn, and how long the rest will take. */
void picture_progress_tell(picture_progress *progress, uint64_t done, uint64_t total);

/* The same where nobody knows how many there will be: `step` is the last one. */
void picture_progress_tell_step(picture_progress *progress, uint64_t drawn, uint64_t step);

#endif
