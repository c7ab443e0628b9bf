/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/schedule.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include <math.h>
#include <string.h>

enum { CNN_LONGEST_VALUE = 64 };

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
        return cnn_parse_real("schedule: factor", value, 1e-9, 1, &schedule->factor);
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
