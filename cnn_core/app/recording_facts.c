/* SPDX-License-Identifier: BSD-3-Clause */
#include "recording_facts.h"
#include "cnn/status.h"
#include "text.h"
#include <stdio.h>

typedef void frame_visitor(void *context, uint64_t step, uint64_t bytes, uint64_t raw);

static int describe(const char *path, recording_facts *out, frame_visitor *visit, void *context)
{
    recording_facts facts = {.size = sizeof facts};
    const int status = ws_recording_describe(path, &facts, visit, context);
    if (status)
        return cnn_fail(status == WS_BAD_FILE    ? CNN_BAD_FILE
                        : status == WS_NO_MEMORY ? CNN_NO_MEMORY
                                                 : CNN_IO_FAILED,
                        "%s", ws_message());
    *out = facts;
    return CNN_OK;
}

int recording_facts_read(const char *path, recording_facts *out)
{
    return describe(path, out, NULL, NULL);
}

static void add_step(void *context, uint64_t step, uint64_t bytes, uint64_t raw)
{
    (void)bytes;
    (void)raw;
    json_array_append_new(context, json_integer((json_int_t)step));
}

int recording_facts_steps(const char *path, recording_facts *out, json_t **steps)
{
    json_t *list = json_array();
    const int status = describe(path, out, add_step, list);
    if (status)
        json_decref(list);
    else
        *steps = list;
    return status;
}

typedef struct step_search {
    uint64_t step;
    int found;
} step_search;

static void compare_step(void *context, uint64_t step, uint64_t bytes, uint64_t raw)
{
    (void)bytes;
    (void)raw;
    step_search *search = context;
    search->found = search->found || step == search->step;
}

int recording_has_step(const char *path, uint64_t step)
{
    recording_facts facts;
    step_search search = {step, 0};
    return describe(path, &facts, compare_step, &search) == CNN_OK && search.found;
}

json_t *recording_facts_to_json(const recording_facts *facts)
{
    json_t *object =
        json_pack("{s:I, s:I}", "version", (json_int_t)facts->version, "frames", (json_int_t)facts->frames);
    json_object_set_new(object, "first_step",
                        facts->frames ? json_integer((json_int_t)facts->first_step) : json_null());
    json_object_set_new(object, "last_step",
                        facts->frames ? json_integer((json_int_t)facts->last_step) : json_null());
    json_object_set_new(object, "bytes", json_integer((json_int_t)facts->bytes));
    json_object_set_new(object, "raw_bytes", json_integer((json_int_t)facts->raw));
    return object;
}

void recording_facts_print(const recording_facts *facts)
{
    char bytes[TEXT_SIZE_SIZE], each[TEXT_SIZE_SIZE], raw[TEXT_SIZE_SIZE];
    const double count = (double)facts->frames;
    if (!facts->frames) {
        printf("  %-12s none\n", "frames");
        return;
    }
    printf("  %-12s %llu, steps %llu to %llu\n", "frames", (unsigned long long)facts->frames,
           (unsigned long long)facts->first_step, (unsigned long long)facts->last_step);
    printf("  %-12s %s, %s per frame; in memory %s per frame\n", "size",
           text_of_size((double)facts->bytes, bytes), text_of_size((double)facts->bytes / count, each),
           text_of_size((double)facts->raw / count, raw));
}
