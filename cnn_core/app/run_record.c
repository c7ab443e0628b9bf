/* SPDX-License-Identifier: BSD-3-Clause */
#include "run_record.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include "json_file.h"
#include "json_number.h"
#include "json_text.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *run_record_now(char out[RUN_RECORD_TIME_SIZE])
{
    struct tm utc;
    const time_t now = time(NULL);
    strftime(out, RUN_RECORD_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    return out;
}

/* ---- options to JSON and back ---- */

static json_t *value_to_json(const app_option *option, const char *text)
{
    double real = 0;
    uint64_t whole = 0;
    switch (option->kind) {
    case OPTION_FLAG:
        return json_true();
    case OPTION_WHOLE:
        cnn_parse_whole(option->name, text, option->least, option->most, &whole);
        return json_integer((json_int_t)whole);
    case OPTION_REAL:
        cnn_parse_real(option->name, text, option->low, option->high, &real);
        return json_real(real);
    case OPTION_TEXT:
    case OPTION_CHOICE:
        break;
    }
    return json_string(text);
}

static json_t *option_to_json(const option_values *values, const app_option *option)
{
    if (option->repeatable) {
        json_t *list = json_array();
        for (size_t i = 0; i < option_count(values, option->name); i++)
            json_array_append_new(list, value_to_json(option, option_at(values, option->name, i)));
        return list;
    }
    const char *text = option_text(values, option->name);
    if (text)
        return value_to_json(option, text);
    return option->kind == OPTION_FLAG ? json_false() : json_null();
}

/* The text that the call would give for a recorded value; NULL for none. The caller frees it. */
static char *json_to_text(const json_t *value)
{
    return json_is_true(value) ? text_copy("1") : json_text(value);
}

/* ---- writing ---- */

static json_t *options_to_json(const option_values *values)
{
    json_t *object = json_object();
    for (const app_option *option = option_table(values); option->name; option++)
        if (option->rule != OPTION_OF_CALL)
            json_object_set_new(object, option->name, option_to_json(values, option));
    return object;
}

static json_t *data_to_json(const data_print *data)
{
    char crc[16];
    snprintf(crc, sizeof crc, "%08x", data->crc32);
    return json_pack("{s:I, s:I, s:s}", "train", (json_int_t)data->train, "validation",
                     (json_int_t)data->validation, "crc32", crc);
}

static json_t *net_to_json(const cnn_net *net)
{
    return json_pack("{s:s, s:I, s:i, s:{s:i, s:i, s:i}}", "spec", net->spec, "parameters",
                     (json_int_t)net->parameter_count, "classes", net->classes, "input", "channels",
                     net->input.c, "height", net->input.h, "width", net->input.w);
}

static json_t *insitu_to_json(const run_facts *facts)
{
    const ws_report *report = &facts->report;
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {{"frames", report->frames},
                  {"images_written", report->images_written},
                  {"images_expected", report->images_expected},
                  {"script_failures", report->script_failures},
                  {"steps_waiting", report->steps_waiting},
                  {"steps_given_up", report->steps_given_up},
                  {"restarts", report->restarts},
                  {"live_dropped", report->live_dropped},
                  {"frames_spilled", report->frames_spilled},
                  {"frames_recorded", report->frames_recorded},
                  {"recording_bytes", report->recording_bytes}};
    json_t *object = json_pack("{s:s, s:o, s:b}", "transport", facts->transport, "budget",
                               json_number(facts->budget), "pictures", report->pictures);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        json_object_set_new(object, counts[i].name, json_integer((json_int_t)counts[i].value));
    json_object_set_new(object, "seconds", json_number(report->seconds));
    json_object_set_new(object, "dump_seconds", json_number(report->dump_seconds));
    json_object_set_new(object, "live_seconds", json_number(report->live_seconds));
    return object;
}

static json_t *facts_to_json(const option_values *values, const run_facts *facts)
{
    char now[RUN_RECORD_TIME_SIZE];
    return json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:o, s:s, s:s, s:i, s:i, s:o, s:o, s:o, s:{s:o, s:o}, s:O, s:o}",
        "weightscape", WEIGHTSCAPE_VERSION, "status", facts->status, "step", (json_int_t)facts->step,
        "total_steps", (json_int_t)facts->total_steps, "steps_per_epoch", (json_int_t)facts->steps_per_epoch,
        "seconds", json_number(facts->seconds), "started", facts->started, "updated", run_record_now(now),
        "threads", facts->threads, "ranks", facts->ranks, "options", options_to_json(values), "net",
        net_to_json(facts->net), "data", data_to_json(&facts->data), "validation", "loss",
        json_number(facts->validation.loss), "accuracy", json_number(facts->validation.accuracy), "warnings",
        facts->warnings, "insitu", insitu_to_json(facts));
}

int run_record_write(const char *path, const option_values *values, const run_facts *facts)
{
    return json_file_write(path, facts_to_json(values, facts));
}

/* ---- reading ---- */

int run_record_read(const char *path, json_t **out)
{
    json_t *record;
    const int status = json_file_read(path, &record);
    if (status)
        return status;
    if (!json_is_object(json_object_get(record, "options"))) {
        json_decref(record);
        return cnn_fail(CNN_BAD_FILE, "%s: has no object \"options\"", path);
    }
    *out = record;
    return CNN_OK;
}

/* A call's value of an option that must not change. */
static int check_fixed(const option_values *values, const app_option *option, const json_t *recorded)
{
    const char *given = option_text(values, option->name);
    json_t *value = value_to_json(option, given);
    const int same = json_equal(value, recorded);
    json_decref(value);
    if (same)
        return CNN_OK;
    char *before = json_to_text(recorded);
    const int status = cnn_fail(CNN_BAD_ARGUMENT, "--%s: %s contradicts the run, which has %s", option->name,
                                given, before ? before : "none");
    free(before);
    return status;
}

static int take_recorded(const char *path, option_values *values, const app_option *option,
                         const json_t *recorded)
{
    int status = CNN_OK;
    const size_t count = option->repeatable ? json_array_size(recorded) : 1;
    for (size_t i = 0; i < count && !status; i++) {
        char *text = json_to_text(option->repeatable ? json_array_get(recorded, i) : recorded);
        if (option->repeatable && text)
            status = option_add(values, option->name, text);
        else
            status = option_set(values, option->name, text);
        free(text);
    }
    return status ? cnn_fail(CNN_BAD_FILE, "%s: options: %s", path, cnn_message()) : CNN_OK;
}

int run_record_apply(const char *path, const json_t *record, option_values *values)
{
    const json_t *options = json_object_get(record, "options");
    const int other_length = option_given(values, "steps") || option_given(values, "epochs");
    for (const app_option *option = option_table(values); option->name; option++) {
        const json_t *recorded = json_object_get(options, option->name);
        int status = CNN_OK;
        if (option->rule == OPTION_OF_CALL || (other_length && !strcmp(option->name, "steps")) || !recorded)
            continue;
        if (!option_given(values, option->name))
            status = take_recorded(path, values, option, recorded);
        else if (option->rule == OPTION_FIXED)
            status = check_fixed(values, option, recorded);
        if (status)
            return status;
    }
    return CNN_OK;
}

char *run_record_other(const json_t *record, const option_values *values, const app_option *option)
{
    const json_t *recorded = json_object_get(json_object_get(record, "options"), option->name);
    json_t *value = option_to_json(values, option);
    const int is_same = json_equal(value, recorded) || (!recorded && json_is_null(value));
    json_decref(value);
    if (is_same)
        return NULL;
    char *text = json_to_text(recorded);
    return text ? text : text_copy("none");
}

int run_record_check_data(const json_t *record, const data_print *now)
{
    const json_t *data = json_object_get(record, "data");
    char crc[16];
    snprintf(crc, sizeof crc, "%08x", now->crc32);
    const char *before = json_string_value(json_object_get(data, "crc32"));
    const json_int_t train = json_integer_value(json_object_get(data, "train"));
    if (before && !strcmp(before, crc) && train == (json_int_t)now->train)
        return CNN_OK;
    return cnn_fail(CNN_BAD_ARGUMENT,
                    "--data: %u training images with checksum %s are not the run's, %lld with %s", now->train,
                    crc, (long long)train, before ? before : "none");
}

const char *run_record_text(const json_t *record, const char *key)
{
    return json_string_value(json_object_get(record, key));
}
