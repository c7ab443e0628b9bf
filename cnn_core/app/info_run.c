/* SPDX-License-Identifier: BSD-3-Clause */
#include "checkpoints.h"
#include "cnn/status.h"
#include "info_parts.h"
#include "recording_facts.h"
#include "run_folder.h"
#include "run_record.h"
#include "run_state.h"
#include "tell.h"
#include "text.h"
#include "warnings_text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The steps of which there are checkpoints. */
static json_t *steps_of(const char *folder)
{
    checkpoint_list list;
    json_t *steps = json_array();
    if (checkpoint_list_read(folder, &list)) {
        tell_warning("%s", cnn_message());
        return steps;
    }
    for (size_t i = 0; i < list.count; i++)
        json_array_append_new(steps, json_integer((json_int_t)list.files[i].step));
    checkpoint_list_free(&list);
    return steps;
}

/* What a recording in the folder holds; null without one, and a text that tells why if it cannot be read. */
static json_t *recording_of(const char *path)
{
    recording_facts facts;
    if (access(path, F_OK) < 0)
        return json_null();
    return recording_facts_read(path, &facts) ? json_string(cnn_message()) : recording_facts_to_json(&facts);
}

/* Steps to be drawn. The backlog also has some that are drawn: only a run that was killed could not tell how
 * many. */
static json_int_t waiting_of(const json_t *record, const json_t *backlog)
{
    const json_int_t kept = json_integer_value(json_object_get(backlog, "frames"));
    const char *status = run_record_text(record, "status");
    const json_t *told = json_object_get(json_object_get(record, "insitu"), "steps_waiting");
    const int is_known = status && strcmp(status, "running") && strcmp(status, "killed") && told;
    return is_known && json_integer_value(told) < kept ? json_integer_value(told) : kept;
}

int info_of_run(const char *path, json_t **out)
{
    run_folder folder = run_folder_of(path);
    json_t *record;
    const int status = run_record_read(folder.record, &record);
    if (!status) {
        /* The record of a run that was killed still says "running". */
        const run_state state = run_state_of(&folder, record);
        if (state.is_killed) {
            json_object_set_new(record, "status", json_string("killed"));
            json_object_set_new(record, "killed_at_step", json_integer((json_int_t)state.step));
        }
        json_object_set_new(record, "kind", json_string("run"));
        json_object_set_new(record, "checkpoints", steps_of(folder.checkpoints));
        json_object_set_new(record, "recording", recording_of(folder.recording));
        json_t *backlog = recording_of(folder.backlog);
        json_object_set_new(record, "backlog", backlog);
        json_object_set_new(record, "steps_waiting", json_integer(waiting_of(record, backlog)));
        *out = record;
    }
    run_folder_close(&folder);
    return status;
}

static void print_text(const char *label, const json_t *value)
{
    printf("  %-12s %s\n", label, json_is_string(value) ? json_string_value(value) : "not told");
}

static void print_status(const json_t *info)
{
    const json_t *step = json_object_get(info, "killed_at_step");
    if (step)
        printf("  %-12s killed at step %lld\n", "status", (long long)json_integer_value(step));
    else
        print_text("status", json_object_get(info, "status"));
}

static void print_recording(const json_t *recording)
{
    char bytes[TEXT_SIZE_SIZE];
    if (json_is_object(recording))
        printf("  %-12s %lld frames, %s\n", "recording",
               (long long)json_integer_value(json_object_get(recording, "frames")),
               text_of_size((double)json_integer_value(json_object_get(recording, "bytes")), bytes));
    else if (json_is_string(recording))
        print_text("recording", recording);
}

static void print_waiting(const json_t *info)
{
    const long long waiting = json_integer_value(json_object_get(info, "steps_waiting"));
    if (waiting)
        printf("  %-12s %lld steps (weightscape watch RUN draws them)\n", "to be drawn", waiting);
    else if (json_is_string(json_object_get(info, "backlog")))
        print_text("to be drawn", json_object_get(info, "backlog"));
}

void info_print_run(const json_t *info)
{
    const json_t *steps = json_object_get(info, "checkpoints"),
                 *validation = json_object_get(info, "validation"),
                 *accuracy = json_object_get(validation, "accuracy");
    puts("run");
    print_status(info);
    print_text("started", json_object_get(info, "started"));
    const json_t *now = json_object_get(json_object_get(info, "net"), "spec"),
                 *whole = json_object_get(json_object_get(info, "options"), "net");
    print_text("network", now);
    if (whole && !json_equal(now, whole))
        print_text("began as", whole);
    print_text("data", json_object_get(json_object_get(info, "options"), "data"));
    printf("  %-12s %lld of %lld, %lld in an epoch\n", "step",
           (long long)json_integer_value(json_object_get(info, "step")),
           (long long)json_integer_value(json_object_get(info, "total_steps")),
           (long long)json_integer_value(json_object_get(info, "steps_per_epoch")));
    if (json_is_number(accuracy))
        printf("  %-12s accuracy %.2f %%, loss %.4f\n", "validation", 100 * json_number_value(accuracy),
               json_number_value(json_object_get(validation, "loss")));
    warnings_print(json_object_get(info, "warnings"), "  ", "warning", 12);
    print_recording(json_object_get(info, "recording"));
    print_waiting(info);
    char *list = json_dumps(steps, JSON_COMPACT);
    printf("  %-12s %s\n", "checkpoints", list);
    free(list);
}
