/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/schedule.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include <math.h>
#include <string.h>

enum { CNN_LONGEST_VALUE = 64 };
#define LEAST_FACTOR 1e-9

/* Reads one "key=value" into the schedule. */
static int parse_pair(const char *pair, size_t length, cnn_schedule *schedule)
{
    const char *equals = memchr(pair, '=', length);
    if (!equals || (size_t)(pair + length - equals - 1) >= CNN_LONGEST_VALUE)
        return cnn_fail(CNN_BAD_ARGUMENT, "schedule: \"%.*s\" is not key=value", (int)length, pair);
    const size_t key = (size_t)(equals - pair);
    char value[CNN_LONGEST_VALUE] = "";
    memcpy(value, equals + 1, length - key - 1);

    if (key == 6 && !memcmp(pair, "warmup", key))
        return cnn_parse_whole("schedule: warmup", value, 0, UINT64_MAX / 2, &schedule->warmup);
    if (schedule->kind == CNN_STEPWISE && key == 5 && !memcmp(pair, "every", key))
        return cnn_parse_whole("schedule: every", value, 1, UINT64_MAX / 2, &schedule->every);
    if (schedule->kind == CNN_STEPWISE && key == 6 && !memcmp(pair, "factor", key))
        return cnn_parse_real("schedule: factor", value, LEAST_FACTOR, 1, &schedule->factor);
    if (schedule->kind == CNN_COSINE && key == 5 && !memcmp(pair, "floor", key))
        return cnn_parse_real("schedule: floor", value, 0, 1, &schedule->floor);
    return cnn_fail(CNN_BAD_ARGUMENT,
                    "schedule: unknown key \"%.*s\" (all know warmup; step: every, factor; cosine: floor)",
                    (int)key, pair);
}

int cnn_schedule_parse(const char *text, cnn_schedule *out)
{
    static const struct {
        const char *name;
        cnn_schedule_kind kind;
    } names[] = {{"constant", CNN_CONSTANT}, {"step", CNN_STEPWISE}, {"cosine", CNN_COSINE}};

    cnn_schedule schedule = {.kind = CNN_CONSTANT, .every = 0, .factor = 0.1, .floor = 0};
    size_t length = strcspn(text, ",");
    size_t known = 0;
    while (known < 3 && !(strlen(names[known].name) == length && !memcmp(names[known].name, text, length)))
        known++;
    if (known == 3)
        return cnn_fail(CNN_BAD_ARGUMENT, "schedule: \"%.*s\" is not one of constant, step, cosine",
                        (int)length, text);
    schedule.kind = names[known].kind;

    while (text[length]) {
        text += length + 1;
        length = strcspn(text, ",");
        const int status = parse_pair(text, length, &schedule);
        if (status)
            return status;
    }
    if (schedule.kind == CNN_STEPWISE && schedule.every == 0)
        return cnn_fail(CNN_BAD_ARGUMENT, "schedule: step needs every=STEPS");
    *out = schedule;
    return CNN_OK;
}

/* One number of a schedule that was not read from text. */
static int check(const char *key, double value, double low, double high)
{
    if (value >= low && value <= high)
        return CNN_OK;
    char text[3][CNN_NUMBER_SIZE];
    return cnn_fail(CNN_BAD_ARGUMENT, "schedule: %s: %s is not in %s..%s", key,
                    cnn_format_real(value, text[0]), cnn_format_real(low, text[1]),
                    cnn_format_real(high, text[2]));
}

int cnn_schedule_check(const cnn_schedule *schedule)
{
    int status = CNN_OK;
    if (schedule->kind != CNN_CONSTANT && schedule->kind != CNN_STEPWISE && schedule->kind != CNN_COSINE)
        return cnn_fail(CNN_BAD_ARGUMENT, "schedule: kind %d is not one of constant, step, cosine",
                        (int)schedule->kind);
    if (schedule->kind == CNN_STEPWISE && schedule->every < 1)
        status = cnn_fail(CNN_BAD_ARGUMENT, "schedule: every: 0 is not at least 1");
    if (!status && schedule->kind == CNN_STEPWISE)
        status = check("factor", schedule->factor, LEAST_FACTOR, 1);
    if (!status && schedule->kind == CNN_COSINE)
        status = check("floor", schedule->floor, 0, 1);
    return status;
}

double cnn_schedule_rate(const cnn_schedule *schedule, double base, uint64_t step, uint64_t total)
{
    double rate = base;
    if (schedule->kind == CNN_STEPWISE)
        rate *= pow(schedule->factor, (double)((step - 1) / schedule->every));
    if (schedule->kind == CNN_COSINE && step > schedule->warmup && total > schedule->warmup) {
        /* The first step after warm-up has the full rate, the last one the floor. */
        const uint64_t span = total - schedule->warmup, done = step - schedule->warmup - 1;
        const double share = span > 1 ? (double)(done < span ? done : span - 1) / (double)(span - 1) : 0;
        rate *= schedule->floor + (1 - schedule->floor) * 0.5 * (1 + cos(M_PI * share));
    }
    if (step < schedule->warmup)
        rate *= (double)step / (double)schedule->warmup;
    return rate;
}
