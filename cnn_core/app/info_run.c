/* SPDX-License-Identifier: BSD-3-Clause */
#include "checkpoints.h"
#include "cnn/status.h"
#include "info_parts.h"
#include "run_folder.h"
#include "run_record.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The steps of which there are checkpoints. */
static json_t *steps_of(const char *folder)
{
    checkpoint_list list;
    json_t *steps = json_array();
    if (checkpoint_list_read(folder, &list))
        return steps;
    for (size_t i = 0; i < list.count; i++)
        json_array_append_new(steps, json_integer((json_int_t)list.files[i].step));
    checkpoint_list_free(&list);
    return steps;
}

int info_of_run(const char *path, json_t **out)
{
    run_folder folder = run_folder_of(path);
    json_t *record;
    const int status = run_record_read(folder.record, &record);
    if (!status) {
        /* The record of a run that was killed still says "running". */
        const char *told = run_record_text(record, "status");
        if (told && !strcmp(told, "running") && !run_folder_is_used(path))
            json_object_set_new(record, "status", json_string("killed"));
        json_object_set_new(record, "kind", json_string("run"));
        json_object_set_new(record, "checkpoints", steps_of(folder.checkpoints));
        *out = record;
    }
    run_folder_close(&folder);
    return status;
}

static void print_text(const char *label, const json_t *value)
{
    printf("  %-12s %s\n", label, json_is_string(value) ? json_string_value(value) : "not told");
}

void info_print_run(const json_t *info)
{
    const json_t *steps = json_object_get(info, "checkpoints"),
                 *validation = json_object_get(info, "validation"),
                 *accuracy = json_object_get(validation, "accuracy");
    puts("run");
    print_text("status", json_object_get(info, "status"));
    print_text("started", json_object_get(info, "started"));
    print_text("network", json_object_get(json_object_get(info, "net"), "spec"));
    print_text("data", json_object_get(json_object_get(info, "options"), "data"));
    printf("  %-12s %lld of %lld, %lld in an epoch\n", "step",
           (long long)json_integer_value(json_object_get(info, "step")),
           (long long)json_integer_value(json_object_get(info, "total_steps")),
           (long long)json_integer_value(json_object_get(info, "steps_per_epoch")));
    if (json_is_number(accuracy))
        printf("  %-12s accuracy %.2f %%, loss %.4f\n", "validation", 100 * json_number_value(accuracy),
               json_number_value(json_object_get(validation, "loss")));
    char *list = json_dumps(steps, JSON_COMPACT);
    printf("  %-12s %s\n", "checkpoints", list);
    free(list);
}
