/* SPDX-License-Identifier: BSD-3-Clause */
/* What a session does about pictures besides showing steps: the budget, the wait at the end, what is missing.
 */
#include "clock.h"
#include "session_parts.h"
#include "tell.h"
#include "text.h"
#include <math.h>

#define FIRST_LOOK   10.0 /* seconds of training: earlier shares tell little */
#define LOOK_SECONDS 1.0

void session_check_budget(app_session *session)
{
    const insitu_choice *insitu = &session->plan->insitu;
    const double seconds = progress_seconds(&session->progress);
    if (!insitu->is_on || seconds < FIRST_LOOK || seconds < session->budget_looked + LOOK_SECONDS)
        return;
    session->budget_looked = seconds;
    const double share = insitu_link_report(session->link).dump_seconds / seconds;
    if (share <= insitu->overhead)
        return;
    session->budget_looked = INFINITY;
    char measured[TEXT_SHARE_SIZE], budget[TEXT_SHARE_SIZE];
    tell_warning("what the scripts and the recording ask for takes %s of the time, more than the %s of "
                 "--overhead; it is "
                 "made all the same",
                 text_of_share(share, measured), text_of_share(insitu->overhead, budget));
}

void session_finish_pictures(app_session *session)
{
    session->pictures = picture_progress_begin(session->plan->quiet);
    const int status = insitu_link_finish(session->link);
    session->cut_short = status == WS_STOPPED;
    /* The adaptor has told the death of what draws, and the report counts it. */
    if (!status || status == WS_STOPPED || status == WS_SCRIPT_FAILED)
        return;
    tell_error("%s", ws_message());
    session->failed = 1;
}

int session_misses_pictures(const app_session *session)
{
    const ws_report report = insitu_link_report(session->link);
    return session->plan->insitu.draws &&
           (!report.pictures || report.script_failures || report.images_written < report.images_expected ||
            report.steps_waiting || report.steps_given_up);
}
