/* SPDX-License-Identifier: BSD-3-Clause */
/* What happens between two steps besides training: those who ask are heard, and the training rests. */
#include "session_steer.h"
#include "clock.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include "launch.h"
#include "session_parts.h"
#include "signals.h"
#include "tell.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

#define LOOK_SECONDS    0.001 /* between two looks for those who ask: steps may be shorter */
#define REST_MILLIS     50    /* a round of rest */
#define STATUS_SECONDS  0.25
#define REFUSAL_SECONDS 1.0 /* between two that are told on standard error */
#define MOST_STEPS      ((uint64_t)1000000000000)

enum { COMMANDS_AT_ONCE = 64 };

typedef unsigned long long number;

int session_is_to_end(const app_session *session)
{
    return signals_caught() || session->steer.stopped || session_is_to_return(session) || launch_has_failed();
}

void session_refuse(app_session *session)
{
    char *to = session->steer.refused;
    snprintf(to, STEER_REFUSAL_SIZE, "%s", cnn_message());
    /* It may quote whatever was sent. */
    for (; *to; to++)
        if (*to < ' ' || *to > '~')
            *to = '?';
    session->steer.has_news = 1;
}

/* ---- actions ---- */

static void name_who(char to[STEER_WHO_SIZE], const char *who)
{
    snprintf(to, STEER_WHO_SIZE, "%.*s", STEER_WHO_SIZE - 1, who);
}

static void go_on(app_session *session)
{
    app_steer *steer = &session->steer;
    steer->paused = 0;
    steer->rest_after = 0;
    steer->ignores_hold = insitu_link_is_held(session->link, NULL);
}

static int pause_now(app_session *session, const char *value, const char *origin)
{
    (void)value;
    app_steer *steer = &session->steer;
    if (!steer->paused)
        name_who(steer->paused_by, origin);
    steer->paused = 1;
    steer->rest_after = 0;
    return CNN_OK;
}

static int continue_now(app_session *session, const char *value, const char *origin)
{
    (void)value;
    (void)origin;
    go_on(session);
    return CNN_OK;
}

static int step_on(app_session *session, const char *value, const char *origin)
{
    uint64_t steps;
    const int status = cnn_parse_whole("step", *value ? value : "1", 1, MOST_STEPS, &steps);
    if (status)
        return status;
    go_on(session);
    session->steer.rest_after = session->trainer->step + steps;
    name_who(session->steer.stepped_by, origin);
    return CNN_OK;
}

static int save_now(app_session *session, const char *value, const char *origin)
{
    (void)value;
    (void)origin;
    return session_save_now(session);
}

static int stop_now(app_session *session, const char *value, const char *origin)
{
    (void)value;
    session->steer.stopped = 1;
    name_who(session->steer.stopped_by, origin);
    return CNN_OK;
}

static int merge_now(app_session *session, const char *value, const char *origin)
{
    return session_merge_now(session, value, origin);
}

static int undo_merge(app_session *session, const char *value, const char *origin)
{
    (void)value;
    if (session->steer.stopped)
        return cnn_fail(CNN_BAD_ARGUMENT, "undo_merge: the training is about to end");
    return session_undo_merge(session, origin);
}

static const struct {
    const char *name;
    int has_value;
    int works_at_end;  /* also while only pictures are waited for */
    int writes_itself; /* into the log */
    int (*act)(app_session *session, const char *value, const char *origin);
} actions[] = {
    {"pause", 0, 0, 0, pause_now},
    {"continue", 0, 0, 0, continue_now},
    {"step", 1, 0, 0, step_on},
    {"checkpoint", 0, 1, 0, save_now},
    {"stop", 0, 1, 0, stop_now},
    {"merge", 1, 0, 1, merge_now},
    /* What the panel of viewers calls it. */
    {"merge_now", 1, 0, 1, merge_now},
    {"undo_merge", 0, 0, 1, undo_merge},
};

enum { ACTION_COUNT = sizeof actions / sizeof *actions };

/* Such an action changes no bit, so that one that cannot be written down is told, and done all the same. */
static void write_action(app_session *session, const char *name, const char *value, const char *origin)
{
    const steering_entry entry = {
        .step = session->trainer->step, .name = name, .value = value, .origin = origin};
    if (steering_write(session->steering, &entry, 1))
        tell_warning("%s", cnn_message());
}

int session_act(app_session *session, const char *name, const char *value, const char *origin)
{
    size_t i = 0;
    while (i < ACTION_COUNT && strcmp(actions[i].name, name))
        i++;
    if (i == ACTION_COUNT)
        return cnn_fail(CNN_BAD_ARGUMENT, "\"%.*s\" is neither a knob nor an action", WS_COMMAND_NAME, name);
    if (*value && !actions[i].has_value)
        return cnn_fail(CNN_BAD_ARGUMENT, "%s: takes no value", name);
    if (session->ended && !actions[i].works_at_end)
        return cnn_fail(CNN_BAD_ARGUMENT, "%s: the training has ended, only pictures are waited for", name);
    const int status = actions[i].act(session, value, origin);
    if (!status) {
        if (!actions[i].writes_itself)
            write_action(session, name, value, origin);
        session->steer.has_news = 1;
    }
    return status;
}

/* ---- viewers ---- */

static int take_command(app_session *session, const ws_command *command)
{
    if (!knob_find(command->name))
        return session_act(session, command->name, command->value, command->origin);
    knob_change change = {.name = command->name, .value = command->value};
    const int status = session_turn(session, &change, 1, KNOB_ASKED, command->origin);
    knobs_free_changes(&change, 1);
    return status;
}

/* Somebody who drags a slider must not fill the terminal. */
static void tell_refusal(app_session *session, const char *origin)
{
    const double now = clock_seconds();
    if (now < session->steer.refusal_told + REFUSAL_SECONDS)
        return;
    session->steer.refusal_told = now;
    tell_warning("%s: refused: %s", origin, session->steer.refused);
}

static void hear_viewers(app_session *session)
{
    ws_command command;
    for (int i = 0;
         i < COMMANDS_AT_ONCE && !session_is_to_return(session) && insitu_link_poll(session->link, &command);
         i++) {
        if (!take_command(session, &command)) {
            session->steer.refused[0] = '\0';
            continue;
        }
        session_refuse(session);
        tell_refusal(session, command.origin);
    }
}

static void tell_viewers(app_session *session)
{
    session_measure_rate(session);
    if (session->steer.has_news || clock_seconds() >= session->steer.told + STATUS_SECONDS)
        session_tell_viewers(session);
}

/* ---- rest ---- */

/* Pauses for a reason that is not a command. */
static void pause_for(app_session *session, const char *reason)
{
    pause_now(session, "", reason);
    write_action(session, "pause", "", reason);
    session->steer.has_news = 1;
}

/* What is due at the step that was made last. */
static void reach_step(app_session *session)
{
    app_steer *steer = &session->steer;
    const uint64_t step = session->trainer->step;
    if (session->knobs.pause_at && step >= session->knobs.pause_at) {
        session->knobs.pause_at = 0;
        pause_for(session, "pause_at");
    }
    if (steer->rest_after && step >= steer->rest_after) {
        char who[STEER_WHO_SIZE + 8];
        snprintf(who, sizeof who, "step of %s", steer->stepped_by);
        pause_for(session, who);
    }
}

/* Why the training is to rest now; "": it is not. */
static void find_reason(app_session *session, char reason[STEER_WHO_SIZE])
{
    app_steer *steer = &session->steer;
    char who[WS_VIEWER_SIZE] = "";
    const int is_held = insitu_link_is_held(session->link, who);
    if (!is_held)
        steer->ignores_hold = 0;
    name_who(reason, steer->paused ? steer->paused_by : is_held && !steer->ignores_hold ? who : "");
}

/* A viewer's hold is written down like a pause, although it is a state and no command. */
static void write_hold(app_session *session, const char *reason)
{
    app_steer *steer = &session->steer;
    const int is_hold = *reason && !steer->paused;
    if (is_hold != steer->is_held)
        write_action(session, is_hold ? "pause" : "continue", "", is_hold ? reason : steer->held_by);
    if (is_hold)
        name_who(steer->held_by, reason);
    steer->is_held = is_hold;
}

/* Takes up another reason, and tells it. */
static void rest_for(app_session *session, const char *reason)
{
    app_steer *steer = &session->steer;
    const number step = session->trainer->step;
    char before[STEER_WHO_SIZE];
    if (!strcmp(steer->rests_for, reason))
        return;
    name_who(before, steer->rests_for);
    name_who(steer->rests_for, reason);
    steer->has_news = 1;
    write_hold(session, reason);
    if (session->plan->quiet || (!*reason && session_is_to_end(session)))
        return;
    char *folder = text_shell_word(session->folder->path);
    char *line = *reason ? text_format("paused by %s after step %llu (weightscape ctl %s continue goes on)",
                                       reason, step, folder)
                         : text_format("goes on after step %llu (was paused by %s)", step, before);
    tell_line(line);
    free(line);
    free(folder);
}

/* Whoever looks gets the state at which the training rests. */
static void show_state(app_session *session, const cnn_observer *observer)
{
    insitu_link_idle(session->link);
    if (*observer->next_frame > session->trainer->step)
        return;
    session->steer.in_step = 1;
    cnn_trainer_show(session->trainer, observer);
    session->steer.in_step = 0;
}

static void rest(app_session *session, const cnn_observer *observer)
{
    char reason[STEER_WHO_SIZE];
    find_reason(session, reason);
    if (!*reason)
        return;
    progress_rest(&session->progress);
    while (*reason && !session_is_to_end(session)) {
        rest_for(session, reason);
        tell_viewers(session);
        show_state(session, observer);
        control_serve(session->control, REST_MILLIS);
        hear_viewers(session);
        find_reason(session, reason);
    }
    progress_go_on(&session->progress);
    rest_for(session, "");
    tell_viewers(session);
}

/* ---- the loop's part ---- */

void session_listen(app_session *session)
{
    const double now = clock_seconds();
    if (!session->control || now < session->steer.looked + LOOK_SECONDS)
        return;
    session->steer.looked = now;
    control_serve(session->control, 0);
}

void session_steer(app_session *session, const cnn_observer *observer)
{
    app_steer *steer = &session->steer;
    session_replay(session);
    reach_step(session);
    const double now = clock_seconds();
    if (!steer->paused && now < steer->looked + LOOK_SECONDS)
        return;
    steer->looked = now;
    if (session->control)
        control_serve(session->control, 0);
    hear_viewers(session);
    tell_viewers(session);
    rest(session, observer);
}
