/* SPDX-License-Identifier: BSD-3-Clause */
#include "info_parts.h"
#include "recording_facts.h"
#include <stdio.h>

int info_of_recording(const char *path, json_t **out)
{
    recording_facts facts;
    json_t *steps;
    const int status = recording_facts_steps(path, &facts, &steps);
    if (status)
        return status;
    *out = recording_facts_to_json(&facts);
    json_object_set_new(*out, "kind", json_string("recording"));
    json_object_set_new(*out, "steps", steps);
    return status;
}

static uint64_t number_of(const json_t *info, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(info, key));
}

void info_print_recording(const json_t *info)
{
    const recording_facts facts = {.frames = number_of(info, "frames"),
                                   .first_step = number_of(info, "first_step"),
                                   .last_step = number_of(info, "last_step"),
                                   .bytes = number_of(info, "bytes"),
                                   .raw = number_of(info, "raw_bytes")};
    puts("recording");
    recording_facts_print(&facts);
}
