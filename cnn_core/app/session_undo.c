/* SPDX-License-Identifier: BSD-3-Clause */
/* The way back to the state before a merge: the session ends, and another one begins there as --resume would.
 */
#include "checkpoints.h"
#include "cnn/status.h"
#include "merge_states.h"
#include "session_merge.h"
#include "session_parts.h"
#include "tell.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int session_undo_merge(app_session *session, const char *origin)
{
    app_merging *merging = &session->merging;
    if (!merging->number)
        return cnn_fail(CNN_BAD_ARGUMENT, "undo_merge: nothing was merged");
    char *path = merge_state_path(session->folder->checkpoints, merging->number);
    checkpoint_state state = {0};
    cnn_net *whole = NULL;
    int status = access(path, F_OK) < 0
                     ? cnn_fail(CNN_BAD_ARGUMENT, "undo_merge: the state before merge %zu is not kept: %s",
                                merging->number, path)
                     : cnn_net_create(session->whole, session->net->input, session->net->classes,
                                      session->net->seed, &whole);
    /* Nothing is given up for a file that is damaged. */
    if (!status)
        status = checkpoint_load(path, whole, &session->trainer->optimizer->options, &state);
    if (!status) {
        merging->undoes = 1;
        merging->undo_step = state.step;
        snprintf(merging->undone_by, sizeof merging->undone_by, "%s", origin);
    }
    checkpoint_state_free(&state);
    cnn_net_free(whole);
    free(path);
    return status;
}

int session_is_to_return(const app_session *session)
{
    return session->merging.undoes;
}

int session_take_legacy(app_session *session, const session_legacy *legacy)
{
    char *value = text_format("%zu", legacy->undone);
    const steering_entry entry = {
        .step = session->trainer->step, .name = STEERING_UNDO, .value = value, .origin = legacy->undone_by};
    const int status = steering_write(session->steering, &entry, 1);
    char *line = text_format("merge %zu undone: back after step %llu (%s)", legacy->undone,
                             (unsigned long long)session->trainer->step, legacy->undone_by);
    if (!status && !session->plan->quiet)
        tell_line(line);
    session->failed = legacy->failed;
    session->steer.paused = legacy->paused;
    snprintf(session->steer.paused_by, sizeof session->steer.paused_by, "%s", legacy->paused_by);
    session->steer.has_news = 1;
    free(line);
    free(value);
    return status;
}

/* Takes over what outlives the session. */
static session_legacy take_legacy(app_session *session)
{
    session_legacy legacy = {.data = session->data,
                             .control = session->control,
                             .paused = session->steer.paused,
                             .failed = session->failed,
                             .undone = session->merging.number};
    snprintf(legacy.paused_by, sizeof legacy.paused_by, "%s", session->steer.paused_by);
    snprintf(legacy.undone_by, sizeof legacy.undone_by, "%s", session->merging.undone_by);
    session->data = (cnn_data){0};
    session->control = NULL;
    return legacy;
}

/* A knob that an option of this call had turned after the merge, but not before it, was as in the log. */
static int restore_options(app_session *session)
{
    static const char *const shared[][2] = {{"lr", "learning_rate"}, {"schedule", "schedule"}};
    steering_log log = {0};
    int status = steering_read(session->folder->steering, &log);
    for (size_t k = 0; k < 2 && !status; k++) {
        size_t merges = 0;
        for (size_t i = 0; i < log.count; i++) {
            const steering_entry *entry = &log.entries[i];
            merges += (size_t)steering_is_merge(entry);
            if (!entry->before || strcmp(entry->name, shared[k][1]))
                continue;
            if (merges >= session->merging.number)
                status = option_set(session->values, shared[k][0], entry->before);
            break;
        }
    }
    steering_log_free(&log);
    return status;
}

int session_return(app_session **session)
{
    app_session *old = *session;
    train_plan *plan = old->plan;
    option_values *values = old->values;
    run_folder *folder = old->folder;
    const uint64_t step = old->merging.undo_step;
    int status = restore_options(old);
    session_legacy legacy = take_legacy(old);
    *session = NULL;
    session_close(old);
    json_t *record = NULL;
    if (!status)
        status = merge_state_return(folder->checkpoints, legacy.undone, step);
    if (!status)
        status = run_record_read(folder->record, &record);
    if (!status) {
        options_forget_call(values);
        status = train_plan_go_on(values, plan);
    }
    if (!status)
        status = session_open(plan, values, folder, record, &legacy, session);
    control_close(legacy.control);
    cnn_data_free(&legacy.data);
    json_decref(record);
    return status;
}
