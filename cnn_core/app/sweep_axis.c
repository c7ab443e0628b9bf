/* SPDX-License-Identifier: BSD-3-Clause */
#include "sweep_axis.h"
#include "cnn/number.h"
#include "cnn/random.h"
#include "cnn/status.h"
#include "text.h"
#include "train_options.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_REALS 1e15 /* that a range of them is taken to hold */

/* ---- values ---- */

/* Of a value that was checked. */
static double number_of(const char *text)
{
    double value = 0;
    cnn_parse_real("value", text, -HUGE_VAL, HUGE_VAL, &value);
    return value;
}

static int is_number(const app_option *option)
{
    return option->kind == OPTION_WHOLE || option->kind == OPTION_REAL;
}

/* The one text of a value, however it was written: 0.1 for 1e-1. The caller frees it. */
static char *normal_form(const app_option *option, const char *text)
{
    char number[CNN_NUMBER_SIZE];
    double value = 0;
    if (option->kind != OPTION_REAL)
        return text_copy(text);
    cnn_parse_real(option->name, text, option->low, option->high, &value);
    return text_copy(cnn_format_real(value, number));
}

/* The nearest whole number that the option takes: at 2^63 no double is below a limit of 2^63 - 1. */
static uint64_t whole_of(const app_option *option, double value)
{
    if (value >= (double)option->most)
        return option->most;
    return value <= (double)option->least ? option->least : (uint64_t)round(value);
}

/* A number of a range: whole where the option is; else of four digits, which names and tables can hold, but
 * for the ends, which are exact. The caller frees it. */
static char *text_of(const sweep_axis *axis, double value)
{
    char number[CNN_NUMBER_SIZE];
    if (axis->option->kind == OPTION_WHOLE)
        return text_format("%llu", (unsigned long long)whole_of(axis->option, value));
    char *digits = text_format("%.4g", value);
    double rounded = value;
    cnn_parse_real(axis->option->name, digits, axis->low, axis->high, &rounded);
    free(digits);
    const int is_end = value <= axis->low || value >= axis->high;
    return text_copy(cnn_format_real(is_end ? value : rounded, number));
}

static int holds(const sweep_axis *axis, const char *value)
{
    for (size_t i = 0; i < axis->count; i++)
        if (!strcmp(axis->values[i], value))
            return 1;
    return 0;
}

/* Takes over `value`. */
static int add_value(sweep_axis *axis, char *value)
{
    int status = CNN_OK;
    if (axis->count == SWEEP_MOST_VALUES)
        status = cnn_fail(CNN_BAD_ARGUMENT, "--vary %s: more than %d values", axis->option->name,
                          SWEEP_MOST_VALUES);
    else if (holds(axis, value))
        status = cnn_fail(CNN_BAD_ARGUMENT, "--vary %s: has the value %s twice", axis->text, value);
    if (status)
        free(value);
    else
        axis->values[axis->count++] = value;
    return status;
}

/* ---- lists ---- */

static int add_text(sweep_axis *axis, const char *text)
{
    if (!*text)
        return cnn_fail(CNN_BAD_ARGUMENT, "--vary %s: a value is empty", axis->text);
    if (option_check(axis->option, text))
        return cnn_fail(CNN_BAD_ARGUMENT, "--vary %s: %s", axis->text, cnn_message());
    return add_value(axis, normal_form(axis->option, text));
}

static int parse_list(const char *text, sweep_axis *axis)
{
    const char *separator = strchr(text, '|') ? "|" : ",";
    axis->scale = SWEEP_LIST;
    for (int status = CNN_OK, more = 1; more; text++) {
        const size_t length = strcspn(text, separator);
        char *value = text_format("%.*s", (int)length, text);
        status = add_text(axis, value);
        free(value);
        if (status)
            return status;
        text += length;
        more = *text != '\0';
    }
    return CNN_OK;
}

/* ---- ranges ---- */

/* What follows LOW..HIGH. */
static int parse_manner(const char *text, sweep_axis *axis, uint64_t *count)
{
    axis->scale = SWEEP_LINEAR;
    *count = 0;
    if (!strncmp(text, ":log", strlen(":log"))) {
        axis->scale = SWEEP_LOG;
        text += strlen(":log");
    }
    if (*text == ':')
        return cnn_parse_whole("its count", text + 1, 2, SWEEP_MOST_VALUES, count);
    if (*text)
        return cnn_fail(CNN_BAD_ARGUMENT, "\"%s\" is not [:log][:COUNT]", text);
    return CNN_OK;
}

static int parse_end(const app_option *option, const char *from, size_t length, double *out)
{
    char *text = text_format("%.*s", (int)length, from);
    int status = option_check(option, text);
    if (!status)
        status = cnn_parse_real(option->name, text, -HUGE_VAL, HUGE_VAL, out);
    free(text);
    return status;
}

static int check_range(const sweep_axis *axis, uint64_t count, int is_drawn)
{
    if (!(axis->low < axis->high))
        return cnn_fail(CNN_BAD_ARGUMENT, "the range is empty: its low end is not below its high one");
    if (axis->scale == SWEEP_LOG && axis->low <= 0)
        return cnn_fail(CNN_BAD_ARGUMENT, "a logarithmic range begins above 0");
    if (is_drawn && count)
        return cnn_fail(CNN_BAD_ARGUMENT, "--random draws from the range, a count is for a grid");
    if (!is_drawn && !count)
        return cnn_fail(CNN_BAD_ARGUMENT,
                        "a count is missing: LOW..HIGH[:log]:COUNT (or --random N, which draws)");
    return CNN_OK;
}

/* The value at a part of the range, 0 to 1. */
static double at(const sweep_axis *axis, double part)
{
    if (axis->scale == SWEEP_LOG)
        return exp(log(axis->low) + part * (log(axis->high) - log(axis->low)));
    return axis->low + part * (axis->high - axis->low);
}

static int add_range(sweep_axis *axis, uint64_t count)
{
    int status = CNN_OK;
    for (uint64_t i = 0; i < count && !status; i++) {
        const double value = i == 0           ? axis->low
                             : i == count - 1 ? axis->high
                                              : at(axis, (double)i / (double)(count - 1));
        status = add_value(axis, text_of(axis, value));
    }
    return status;
}

static int parse_range(const char *text, const char *dots, int is_drawn, sweep_axis *axis)
{
    uint64_t count;
    const char *high = dots + strlen("..");
    const size_t length = strcspn(high, ":");
    int status = parse_end(axis->option, text, (size_t)(dots - text), &axis->low);
    if (!status)
        status = parse_end(axis->option, high, length, &axis->high);
    if (!status)
        status = parse_manner(high + length, axis, &count);
    if (!status)
        status = check_range(axis, count, is_drawn);
    if (status)
        return cnn_fail(CNN_BAD_ARGUMENT, "--vary %s: %s", axis->text, cnn_message());
    return is_drawn ? CNN_OK : add_range(axis, count);
}

/* ---- the axis ---- */

/* The option of train called so, or as its knob is; NULL. */
static const app_option *find_option(const char *name, size_t length)
{
    static const char knob[] = "learning_rate";
    if (length == strlen(knob) && !memcmp(name, knob, length))
        return find_option("lr", strlen("lr"));
    for (const app_option *option = train_option_table; option->name; option++)
        if (strlen(option->name) == length && !memcmp(option->name, name, length))
            return option;
    return NULL;
}

int sweep_axis_parse(const char *text, int is_drawn, sweep_axis *out)
{
    const char *equals = strchr(text, '=');
    if (!equals)
        return cnn_fail(CNN_BAD_ARGUMENT, "--vary: \"%s\" is not OPTION=VALUES", text);
    const app_option *option = find_option(text, (size_t)(equals - text));
    if (!option || option->kind == OPTION_FLAG || option->rule == OPTION_OF_CALL)
        return cnn_fail(CNN_BAD_ARGUMENT, "--vary: \"%.*s\" is no option of train that can be varied",
                        (int)(equals - text), text);
    sweep_axis axis = {.option = option,
                       .text = text_copy(text),
                       .values = memory_of(SWEEP_MOST_VALUES, sizeof *axis.values)};
    const char *dots = is_number(option) ? strstr(equals + 1, "..") : NULL;
    const int status = dots ? parse_range(equals + 1, dots, is_drawn, &axis) : parse_list(equals + 1, &axis);
    if (status) {
        sweep_axis_free(&axis);
        return status;
    }
    if (!axis.count) {
        free(axis.values);
        axis.values = NULL;
    }
    *out = axis;
    return CNN_OK;
}

void sweep_axis_free(sweep_axis *axis)
{
    for (size_t i = 0; i < axis->count; i++)
        free(axis->values[i]);
    free(axis->values);
    free(axis->text);
    *axis = (sweep_axis){0};
}

/* In [0, 1), with the 53 bits of a double. */
static double unit(uint64_t seed, uint64_t draw, uint32_t number)
{
    uint32_t words[4];
    cnn_random_block(seed, CNN_STREAM_SWEEP, draw, number, words);
    return (double)(((uint64_t)words[0] << 21) | (words[1] >> 11)) * 0x1p-53;
}

char *sweep_axis_draw(const sweep_axis *axis, uint64_t seed, uint64_t draw, uint32_t number)
{
    const double part = unit(seed, draw, number);
    if (axis->values)
        return text_copy(axis->values[(size_t)(part * (double)axis->count)]);
    if (axis->option->kind == OPTION_REAL || axis->scale == SWEEP_LOG)
        return text_of(axis, at(axis, part));
    return text_of(axis, axis->low + floor(part * (axis->high - axis->low + 1)));
}

int sweep_axis_is_end(const sweep_axis *axis, const char *value)
{
    int below = 0, above = 0;
    if (!is_number(axis->option) || axis->count < 3 || !strcmp(axis->option->name, "seed"))
        return 0;
    for (size_t i = 0; i < axis->count; i++) {
        const double difference = number_of(axis->values[i]) - number_of(value);
        below += difference < 0;
        above += difference > 0;
    }
    return !below ? -1 : !above;
}

double sweep_axis_size(const sweep_axis *axis)
{
    if (axis->values)
        return (double)axis->count;
    return axis->option->kind == OPTION_WHOLE ? axis->high - axis->low + 1 : MOST_REALS;
}

json_t *sweep_axis_json(const sweep_axis *axis)
{
    static const char *const scales[] = {"list", "linear", "log"};
    json_t *object = json_pack("{s:s, s:s, s:s}", "option", axis->option->name, "asked", axis->text, "scale",
                               scales[axis->scale]);
    if (!axis->values)
        return object;
    json_t *values = json_array();
    for (size_t i = 0; i < axis->count; i++)
        json_array_append_new(values, json_string(axis->values[i]));
    json_object_set_new(object, "values", values);
    return object;
}
