/* SPDX-License-Identifier: BSD-3-Clause */
/* Does the runs of a sweep, some at a time, and tells how far they are. */
#ifndef APP_SWEEP_RUNS_H
#define APP_SWEEP_RUNS_H

#include "sweep_folder.h"
#include "sweep_result.h"

typedef struct sweep_manner {
    int jobs; /* runs at a time */
    int quiet;
} sweep_manner;

/* Does what is not complete yet, until all is or a signal (signals.h) asks for the end: then the trainings
 * end after their step, with a checkpoint. Fills results[run_count]. */
void sweep_runs_do(const sweep_plan *plan, const sweep_folder *folder, const sweep_manner *manner,
                   sweep_result *results);

#endif
