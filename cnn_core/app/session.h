/* SPDX-License-Identifier: BSD-3-Clause */
/* One process's part of a run: from its first step, or from a checkpoint, to its end or a signal. */
#ifndef APP_SESSION_H
#define APP_SESSION_H

#include "options.h"
#include "run_folder.h"
#include "train_options.h"
#include <jansson.h>

typedef struct app_session app_session;
typedef struct session_legacy session_legacy;

/* Checks and loads all, then makes the run's folder (or, with the `record` of a run, mends it), starts the
 * scripts and the threads. `folder` is open for a resumed run, else it is made here; the caller closes it.
 * Plan, values and folder are borrowed. `legacy`: what a session before this one, in this process, has left
 * to it, and which is empty afterwards; NULL: nothing. Errors of any cnn_status, after which a new folder is
 * gone and an old one is unchanged. */
int session_open(train_plan *plan, option_values *values, run_folder *folder, const json_t *record,
                 session_legacy *legacy, app_session **out);

/* Trains to the end, or until a merge is to be undone; returns the exit status. */
int session_run(app_session *session);

/* 1 if it has ended because a merge is to be undone. */
int session_is_to_return(const app_session *session);

/* Closes that session and opens one that goes on from the state before the merge, as --resume would. *session
 * is NULL after an error, which is of any cnn_status. */
int session_return(app_session **session);

void session_close(app_session *session);

#endif
