/* SPDX-License-Identifier: BSD-3-Clause */
/* The knobs of a session: as they were at its first step, as somebody turns them, as another run had them. */
#include "cnn/status.h"
#include "json_text.h"
#include "session_parts.h"
#include "tell.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

/* ---- turning ---- */

/* Writes down what has really changed. */
static int write_down(app_session *session, const knob_change *changes, size_t count, const char *origin)
{
    steering_entry *entries = memory_of(count, sizeof *entries);
    size_t changed = 0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(changes[i].before, changes[i].after))
            entries[changed++] = (steering_entry){.step = session->trainer->step,
                                                  .name = changes[i].name,
                                                  .before = changes[i].before,
                                                  .value = changes[i].after,
                                                  .origin = origin};
    const int status = changed ? steering_write(session->steering, entries, changed) : CNN_OK;
    free(entries);
    return status;
}

static void tell_changes(const app_session *session, const knob_change *changes, size_t count,
                         const char *origin)
{
    for (size_t i = 0; i < count && !session->plan->quiet; i++) {
        if (!strcmp(changes[i].before, changes[i].after))
            continue;
        char *line = text_format("%s: %s -> %s after step %llu (%s)", changes[i].name, changes[i].before,
                                 changes[i].after, (unsigned long long)session->trainer->step, origin);
        tell_line(line);
        free(line);
    }
}

int session_turn(app_session *session, knob_change *changes, size_t count, knob_source source,
                 const char *origin)
{
    knob_undo undo;
    int status = knobs_turn(&session->knobs, changes, count, source, &undo);
    if (status)
        return status;
    /* What is not written down could not be repeated, and so is not turned. */
    status = write_down(session, changes, count, origin);
    if (status) {
        knobs_undo(&session->knobs, changes, count, &undo);
        return status;
    }
    session->plan->insitu.overhead = session->knobs.overhead;
    session->steer.has_news = 1;
    tell_changes(session, changes, count, origin);
    return CNN_OK;
}

/* ---- the knobs at the first step ---- */

/* Turns one knob without a word in the log. */
static int restore(app_session *session, const char *name, const char *value)
{
    knob_change change = {.name = name, .value = value};
    knob_undo undo;
    const int status = knobs_turn(&session->knobs, &change, 1, KNOB_LOGGED, &undo);
    knobs_free_changes(&change, 1);
    return status;
}

/* One line of the run's own past. Only what changes bits must be possible again. */
static int restore_entry(app_session *session, const steering_entry *entry)
{
    const app_knob *knob = knob_find(entry->name);
    /* What this call says of viewers is the latest word. */
    const int is_overruled = !strcmp(entry->name, "overhead") && option_given(session->values, "overhead");
    if (!entry->before || is_overruled)
        return CNN_OK;
    session->trainer->step = entry->step;
    const int status = restore(session, entry->name, entry->value);
    if (!status)
        return CNN_OK;
    char *told = text_format("%s:%zu: %s", session->past.path, entry->line, cnn_message());
    const int matters = !knob || knob_reach_of(knob) == KNOB_TRAINS;
    if (!matters)
        tell_warning("%s (left out)", told);
    const int result = matters ? cnn_fail(status, "%s", told) : CNN_OK;
    free(told);
    return result;
}

static int restore_past(app_session *session)
{
    cnn_trainer *trainer = session->trainer;
    int status = CNN_OK;
    for (size_t i = 0; i < session->past.count && !status; i++)
        status = restore_entry(session, &session->past.entries[i]);
    trainer->step = session->first_step;
    /* It was reached, or will never be. */
    if (session->knobs.pause_at <= session->first_step)
        session->knobs.pause_at = 0;
    return status;
}

/* Options that are knobs, too, and that a resumption may change. */
static const struct {
    const char *option, *knob;
} shared[] = {{"lr", "learning_rate"}, {"schedule", "schedule"}};

enum { SHARED = sizeof shared / sizeof *shared };

/* What the run's record has for an option, as text; NULL without one. The caller frees it. */
static char *recorded_text(const json_t *record, const char *option)
{
    return json_text(json_object_get(json_object_get(record, "options"), option));
}

/* The trainer was made with the options of this call: a knob that the past did not turn was as in the record.
 */
static int restore_recorded(app_session *session, const json_t *record)
{
    int status = CNN_OK;
    for (size_t i = 0; i < SHARED && !status; i++) {
        char *text =
            option_given(session->values, shared[i].option) ? recorded_text(record, shared[i].option) : NULL;
        if (text)
            status = restore(session, shared[i].knob, text);
        free(text);
    }
    return status;
}

/* ---- a log to be replayed ---- */

/* Refuses what could not be turned, before anything is begun. */
static int check_replay(const app_session *session)
{
    const steering_log *log = &session->replay;
    for (size_t i = 0; i < log->count; i++) {
        const steering_entry *entry = &log->entries[i];
        const app_knob *knob = knob_find(entry->name);
        int status = CNN_OK;
        if (entry->before && !knob)
            status = cnn_fail(CNN_BAD_ARGUMENT, "\"%s\" is no knob", entry->name);
        else if (entry->before && knob_reach_of(knob) == KNOB_TRAINS)
            status = knob_check(&session->knobs, entry->name, entry->value, KNOB_LOGGED);
        if (!status)
            continue;
        char *told = text_copy(cnn_message());
        status = cnn_fail(CNN_BAD_FILE, "%s:%zu: %s", log->path, entry->line, told);
        free(told);
        return status;
    }
    return CNN_OK;
}

void session_replay(app_session *session)
{
    const steering_log *log = &session->replay;
    const uint64_t step = session->trainer->step;
    for (; session->replayed < log->count && log->entries[session->replayed].step <= step;
         session->replayed++) {
        const steering_entry *entry = &log->entries[session->replayed];
        const app_knob *knob = entry->before ? knob_find(entry->name) : NULL;
        if (entry->step < step || !knob || knob_reach_of(knob) != KNOB_TRAINS)
            continue;
        knob_change change = {.name = entry->name, .value = entry->value};
        char *origin = text_format("replay of %s:%zu", log->path, entry->line);
        if (session_turn(session, &change, 1, KNOB_LOGGED, origin)) {
            tell_error("%s:%zu: cannot be replayed: %s", log->path, entry->line, cnn_message());
            session->failed = 1;
        }
        knobs_free_changes(&change, 1);
        free(origin);
    }
}

/* ---- opening ---- */

int session_open_knobs(app_session *session, const json_t *record)
{
    const train_plan *plan = session->plan;
    session->knobs = (app_knobs){.trainer = session->trainer,
                                 .link = session->link,
                                 .shows = plan->insitu.is_on,
                                 .epochs = plan->epochs,
                                 .schedule = text_copy(option_text(session->values, "schedule")),
                                 .overhead = plan->insitu.overhead,
                                 .live_rate = WS_LIVE_RATE,
                                 .merge = plan->merge};
    int status = record ? restore_recorded(session, record) : CNN_OK;
    if (!status)
        status = restore_past(session);
    session->plan->insitu.overhead = session->knobs.overhead;
    if (session->knobs.merge.has_threshold)
        insitu_link_set_threshold(session->link, session->knobs.merge.options.threshold);
    return status ? status : check_replay(session);
}

/* What this call asks for is a turn at its first step, so that a replay repeats it. */
static int turn_to_options(app_session *session)
{
    int status = CNN_OK;
    for (size_t i = 0; i < SHARED && !status; i++) {
        if (!option_given(session->values, shared[i].option))
            continue;
        char *origin = text_format("train --resume --%s", shared[i].option);
        knob_change change = {.name = shared[i].knob,
                              .value = option_text(session->values, shared[i].option)};
        status = session_turn(session, &change, 1, KNOB_LOGGED, origin);
        knobs_free_changes(&change, 1);
        free(origin);
    }
    return status;
}

int session_open_steering(app_session *session, const json_t *record)
{
    const char *path = session->folder->steering;
    int status = record ? steering_resume(path, session->first_step, session->past.count, &session->steering)
                        : steering_create(path, &session->steering);
    if (!status && record)
        status = turn_to_options(session);
    return status;
}
