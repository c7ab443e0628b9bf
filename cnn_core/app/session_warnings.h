/* SPDX-License-Identifier: BSD-3-Clause */
/* Early warnings of a session: told once each, kept in run.json. */
#ifndef APP_SESSION_WARNINGS_H
#define APP_SESSION_WARNINGS_H

#include "cnn/trainer.h"
#include "session.h"

/* Begins; of a resumed run's record it takes the warnings up to the first step. */
void session_open_warnings(app_session *session, const json_t *record);

/* Looks at a step, and tells and writes down what is new. Cheap. */
void session_warn(app_session *session, const cnn_step *step);

void session_close_warnings(app_session *session);

#endif
