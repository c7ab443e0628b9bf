/* SPDX-License-Identifier: BSD-3-Clause */
/* One process's part of a run: from its first step, or from a checkpoint, to its end or a signal. */
#ifndef APP_SESSION_H
#define APP_SESSION_H

#include "options.h"
#include "run_folder.h"
#include "train_options.h"
#include <jansson.h>

typedef struct app_session app_session;

/* Checks and loads all, then makes the run's folder (or, with the `record` of a run, mends it), starts the
 * scripts and the threads. `folder` is open for a resumed run, else it is made here; the caller closes it.
 * Plan, values and folder are borrowed. Errors of any cnn_status, after which a new folder is gone and an old
 * one is unchanged. */
int session_open(train_plan *plan, option_values *values, run_folder *folder, const json_t *record,
                 app_session **out);

/* Trains to the end; returns the exit status. */
int session_run(app_session *session);

void session_close(app_session *session);

#endif
