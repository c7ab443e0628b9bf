/* SPDX-License-Identifier: BSD-3-Clause */
/* The requests of the socket: one JSON object in, one out. docs/steering.md tells them to people. */
#include "cnn/status.h"
#include "control.h"
#include "json_text.h"
#include "session_parts.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

/* One request: what is asked, and by whom. */
typedef struct request {
    app_session *session;
    const json_t *object;
    const char *command;
    char origin[STEER_WHO_SIZE];
} request;

static json_t *good(const request *asked)
{
    return json_pack("{s:b, s:I}", "ok", 1, "step", (json_int_t)asked->session->trainer->step);
}

/* The answer to what was refused, from the message; the last refusal has it in ASCII. */
static json_t *bad(app_session *session)
{
    session_refuse(session);
    return json_pack("{s:b, s:s}", "ok", 0, "error", session->steer.refused);
}

/* ---- get, status ---- */

static int add_knob(const app_session *session, json_t *to, const char *name)
{
    const app_knob *knob = knob_find(name);
    if (!knob)
        return cnn_fail(CNN_BAD_ARGUMENT, "\"%.*s\" is no knob", WS_COMMAND_NAME, name);
    char *text = knob_text(knob, &session->knobs);
    json_object_set_new(to, knob_name(knob), text ? json_string(text) : json_null());
    free(text);
    return CNN_OK;
}

static int add_all(const app_session *session, json_t *to)
{
    const app_knob *knob;
    for (size_t i = 0; (knob = knob_at(i)); i++)
        add_knob(session, to, knob_name(knob));
    return CNN_OK;
}

static int add_named(const app_session *session, json_t *to, const json_t *names)
{
    int status = CNN_OK;
    if (!json_is_array(names))
        return cnn_fail(CNN_BAD_ARGUMENT, "get: names are no list");
    for (size_t i = 0; i < json_array_size(names) && !status; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        status = name ? add_knob(session, to, name)
                      : cnn_fail(CNN_BAD_ARGUMENT, "get: name %zu of the list is no text", i + 1);
    }
    return status;
}

static json_t *get(request *asked)
{
    json_t *knobs = json_object();
    const json_t *names = json_object_get(asked->object, "names");
    const int status = names ? add_named(asked->session, knobs, names) : add_all(asked->session, knobs);
    json_t *answer = status ? bad(asked->session) : good(asked);
    if (!status)
        json_object_set(answer, "knobs", knobs);
    json_decref(knobs);
    return answer;
}

static json_t *status(request *asked)
{
    json_t *answer = good(asked), *told = session_status(asked->session);
    json_object_update(answer, told);
    json_decref(told);
    return answer;
}

/* ---- set ---- */

/* A value as the text it would be on a command line, or NULL. The caller frees it. */
static char *text_of(const json_t *value)
{
    if (json_is_boolean(value))
        return text_copy(json_is_true(value) ? "1" : "0");
    return json_text(value);
}

static int read_changes(const json_t *values, knob_change *changes)
{
    const char *name;
    const json_t *value;
    size_t count = 0;
    json_object_foreach ((json_t *)values, name, value) {
        changes[count].name = name;
        changes[count].value = text_of(value);
        if (!changes[count++].value)
            return cnn_fail(CNN_BAD_ARGUMENT, "%.*s: its value is neither a text nor a number",
                            WS_COMMAND_NAME, name);
    }
    return CNN_OK;
}

static json_t *tell_changes(const request *asked, const knob_change *changes, size_t count)
{
    json_t *list = json_array(), *answer = good(asked);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", changes[i].name, "old",
                                              changes[i].before, "new", changes[i].after));
    json_object_set_new(answer, "changes", list);
    return answer;
}

static json_t *set(request *asked)
{
    app_session *session = asked->session;
    const json_t *values = json_object_get(asked->object, "values");
    const size_t count = json_object_size(values);
    int status = CNN_OK;
    if (!count)
        status = cnn_fail(CNN_BAD_ARGUMENT, "set: \"values\" is no object with a knob in it");
    else if (session->ended)
        status = cnn_fail(CNN_BAD_ARGUMENT, "set: the training has ended, only pictures are waited for");
    if (status)
        return bad(session);
    knob_change *changes = memory_of(count, sizeof *changes);
    status = read_changes(values, changes);
    if (!status)
        status = session_turn(session, changes, count, KNOB_ASKED, asked->origin);
    json_t *answer = status ? bad(session) : tell_changes(asked, changes, count);
    if (!status)
        session->steer.refused[0] = '\0';
    for (size_t i = 0; i < count; i++)
        free((char *)changes[i].value);
    knobs_free_changes(changes, count);
    free(changes);
    return answer;
}

/* ---- actions ---- */

static json_t *act(request *asked)
{
    char *value = NULL;
    const json_t *count = json_object_get(asked->object, "count");
    int status = CNN_OK;
    if (count && !(value = text_of(count)))
        status = cnn_fail(CNN_BAD_ARGUMENT, "%s: \"count\" is no number", asked->command);
    if (!status)
        status = session_act(asked->session, asked->command, value ? value : "", asked->origin);
    free(value);
    return status ? bad(asked->session) : good(asked);
}

/* ---- merges ---- */

static json_t *merge(request *asked)
{
    app_session *session = asked->session;
    const json_t *spec = json_object_get(asked->object, "spec");
    int status = CNN_OK;
    if (spec && !json_is_string(spec))
        status = cnn_fail(CNN_BAD_ARGUMENT, "merge: \"spec\" is no text");
    if (!status)
        status = session_act(session, "merge", spec ? json_string_value(spec) : "", asked->origin);
    if (status)
        return bad(session);
    json_t *answer = good(asked);
    json_object_set(answer, "merge", session->merging.told);
    return answer;
}

static json_t *undo(request *asked)
{
    if (session_act(asked->session, "undo_merge", "", asked->origin))
        return bad(asked->session);
    const app_merging *merging = &asked->session->merging;
    json_t *answer = good(asked);
    json_object_set_new(answer, "undone", json_integer((json_int_t)merging->number));
    json_object_set_new(answer, "back_to", json_integer((json_int_t)merging->undo_step));
    return answer;
}

/* ---- the desk ---- */

static const struct {
    const char *name;
    const char *key;   /* the one that is allowed beside `command`; NULL: none */
    int between_steps; /* waits for the end of the step */
    json_t *(*answer)(request *asked);
} table[] = {
    {"get", "names", 0, get},      {"set", "values", 1, set},  {"status", NULL, 0, status},
    {"pause", NULL, 0, act},       {"continue", NULL, 0, act}, {"step", "count", 1, act},
    {"checkpoint", NULL, 1, act},  {"stop", NULL, 0, act},     {"merge", "spec", 1, merge},
    {"undo_merge", NULL, 1, undo},
};

enum { TABLE_COUNT = sizeof table / sizeof *table };

static int check_keys(const json_t *object, size_t row)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)object, key, value) {
        if (strcmp(key, "command") && (!table[row].key || strcmp(key, table[row].key)))
            return cnn_fail(CNN_BAD_ARGUMENT, "%s: \"%.*s\" is not among its keys", table[row].name,
                            WS_COMMAND_NAME, key);
    }
    return CNN_OK;
}

/* Finds the row of the table that a request is for. */
static int find_row(const json_t *object, size_t *row)
{
    const char *name = json_string_value(json_object_get(object, "command"));
    if (!json_is_object(object) || !name)
        return cnn_fail(CNN_BAD_ARGUMENT, "the line is no object with the text \"command\"");
    for (*row = 0; *row < TABLE_COUNT; ++*row)
        if (!strcmp(table[*row].name, name))
            return check_keys(object, *row);
    return cnn_fail(CNN_BAD_ARGUMENT, "\"%.*s\" is no command", WS_COMMAND_NAME, name);
}

/* Answers an object; NULL: later. */
static json_t *answer_object(app_session *session, const json_t *object, pid_t process)
{
    size_t row = 0;
    if (find_row(object, &row))
        return bad(session);
    /* A session that goes back leaves what is asked meanwhile to the one that begins there. */
    if ((table[row].between_steps && session->steer.in_step) || session_is_to_return(session))
        return NULL;
    request asked = {.session = session, .object = object, .command = table[row].name};
    snprintf(asked.origin, sizeof asked.origin, "ctl, process %ld", (long)process);
    return table[row].answer(&asked);
}

/* The line that is sent; frees the object. */
static char *line_of(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(object);
    return text ? text : text_copy("{\"ok\":false,\"error\":\"no memory\"}");
}

char *session_answer(void *context, const char *line, size_t length, pid_t process)
{
    app_session *session = context;
    json_error_t error;
    json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error), *answer;
    if (object) {
        answer = answer_object(session, object, process);
    } else {
        cnn_fail(CNN_BAD_ARGUMENT, "the line is no JSON object: %s", error.text);
        answer = bad(session);
    }
    json_decref(object);
    return answer ? line_of(answer) : NULL;
}

char *session_refuse_long(void *context)
{
    cnn_fail(CNN_BAD_ARGUMENT, "a line is longer than %d bytes", CONTROL_LINE_MOST - 1);
    return line_of(bad(context));
}
