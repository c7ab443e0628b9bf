/* SPDX-License-Identifier: BSD-3-Clause */
#include "knobs.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include "memory_left.h"
#include "text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_STEPS 1000000000000.0

typedef enum knob_kind {
    KNOB_REAL,  /* least..most */
    KNOB_SHARE, /* least..most, without `most` itself, also as float32 */
    KNOB_WHOLE, /* least..most */
    KNOB_TEXT,
} knob_kind;

struct app_knob {
    const char *name;
    knob_kind kind;
    knob_reach reach;
    double least, most;
    double logged_most; /* that an option may have given; 0: no more than `most` */
    /* CNN_BAD_ARGUMENT for what kind and limits do not tell; NULL: they tell all. */
    int (*check)(const app_knobs *knobs, const char *text, double value);
    char *(*text)(const app_knobs *knobs);
    /* Cannot fail but for memory, and in the adaptor, after the check. */
    int (*set)(app_knobs *knobs, const char *text, double value);
};

/* ---- reading and setting, one pair for each knob ---- */

/* As people write it: 30, not 3e+01. */
static char *real_text(double value)
{
    char text[CNN_NUMBER_SIZE];
    if (value == floor(value) && fabs(value) < 1e15)
        return text_format("%.0f", value);
    return text_copy(cnn_format_real(value, text));
}

static char *whole_text(uint64_t value)
{
    return text_format("%llu", (unsigned long long)value);
}

static char *learning_rate_text(const app_knobs *knobs)
{
    return real_text(knobs->trainer->options.learning_rate);
}

static int set_learning_rate(app_knobs *knobs, const char *text, double value)
{
    (void)text;
    return cnn_trainer_set_learning_rate(knobs->trainer, value);
}

static int check_schedule(const app_knobs *knobs, const char *text, double value)
{
    (void)knobs;
    (void)value;
    cnn_schedule schedule;
    return cnn_schedule_parse(text, &schedule);
}

static char *schedule_text(const app_knobs *knobs)
{
    return text_copy(knobs->schedule);
}

static int set_schedule(app_knobs *knobs, const char *text, double value)
{
    (void)value;
    cnn_schedule schedule;
    int status = cnn_schedule_parse(text, &schedule);
    if (!status)
        status = cnn_trainer_set_schedule(knobs->trainer, &schedule);
    if (status)
        return status;
    char *copy = text_copy(text);
    free(knobs->schedule);
    knobs->schedule = copy;
    return CNN_OK;
}

static int has_momentum(const app_knobs *knobs)
{
    return knobs->trainer->optimizer->options.kind != CNN_SGD;
}

static int check_momentum(const app_knobs *knobs, const char *text, double value)
{
    (void)text;
    (void)value;
    return has_momentum(knobs) ? CNN_OK : cnn_fail(CNN_BAD_ARGUMENT, "momentum: the optimizer sgd has none");
}

static char *momentum_text(const app_knobs *knobs)
{
    return has_momentum(knobs) ? real_text(cnn_optimizer_momentum(knobs->trainer->optimizer)) : NULL;
}

static int set_momentum(app_knobs *knobs, const char *text, double value)
{
    (void)text;
    return cnn_trainer_set_momentum(knobs->trainer, value);
}

static char *weight_decay_text(const app_knobs *knobs)
{
    return real_text(knobs->trainer->optimizer->options.weight_decay);
}

static int set_weight_decay(app_knobs *knobs, const char *text, double value)
{
    (void)text;
    return cnn_trainer_set_weight_decay(knobs->trainer, value);
}

/* The dropout layer after layer `index`, NULL if there is none. */
static const cnn_layer *dropout_after(const app_knobs *knobs, int index)
{
    const cnn_net *net = knobs->trainer->net;
    for (int i = index + 1; i < net->layer_count; i++)
        if (net->layers[i].kind == CNN_DROPOUT)
            return &net->layers[i];
    return NULL;
}

static int check_dropout(const app_knobs *knobs, const char *text, double value)
{
    (void)text;
    (void)value;
    return dropout_after(knobs, -1) ? CNN_OK
                                    : cnn_fail(CNN_BAD_ARGUMENT, "dropout: the network has no such layer");
}

/* The shortest number of those that are the same in float32. */
static char *float_text(float value)
{
    double power = 1, rounded = 0;
    for (int digits = 0; digits < 12; digits++, power *= 10) {
        rounded = round((double)value * power) / power;
        if ((float)rounded == value)
            return real_text(rounded);
    }
    return real_text((double)value);
}

/* One rate where all layers have the same, else the list of them, which only a network that was never turned
 * has. */
static char *dropout_text(const app_knobs *knobs)
{
    const cnn_layer *layer = dropout_after(knobs, -1);
    if (!layer)
        return NULL;
    const float rate = layer->rate;
    char *list = float_text(rate);
    int is_same = 1;
    const cnn_layer *layers = knobs->trainer->net->layers;
    while ((layer = dropout_after(knobs, (int)(layer - layers)))) {
        char *one = float_text(layer->rate), *longer = text_format("%s/%s", list, one);
        is_same = is_same && layer->rate == rate;
        free(one);
        free(list);
        list = longer;
    }
    if (!is_same)
        return list;
    free(list);
    return float_text(rate);
}

/* Reads one rate, or, to take a change back, the list. */
static int set_dropout(app_knobs *knobs, const char *text, double value)
{
    if (!strchr(text, '/'))
        return cnn_trainer_set_dropout(knobs->trainer, value);
    cnn_layer *layers = knobs->trainer->net->layers;
    char *copy = text_copy(text), *rest = copy;
    for (const cnn_layer *layer = dropout_after(knobs, -1); layer;
         layer = dropout_after(knobs, (int)(layer - layers))) {
        double rate = 0;
        const char *word = strsep(&rest, "/");
        if (word && !cnn_parse_real("dropout", word, 0, 1, &rate))
            layers[layer - layers].rate = (float)rate;
    }
    free(copy);
    return CNN_OK;
}

/* The system gives more memory than there is, and ends a process when it is used. */
static int check_batch_memory(const app_knobs *knobs, const char *text, double value)
{
    const cnn_trainer *trainer = knobs->trainer;
    const double needed = (double)cnn_pass_bytes(trainer->pass) / trainer->room * value, left = memory_left();
    char needed_text[TEXT_SIZE_SIZE], left_text[TEXT_SIZE_SIZE];
    if (value <= trainer->room || needed <= left)
        return CNN_OK;
    return cnn_fail(CNN_BAD_ARGUMENT, "batch: %s takes %s of memory, and %s are left", text,
                    text_of_size(needed, needed_text), text_of_size(left, left_text));
}

static int check_batch(const app_knobs *knobs, const char *text, double value)
{
    const uint32_t most = knobs->trainer->set->count;
    if (value <= (double)most)
        return check_batch_memory(knobs, text, value);
    return cnn_fail(CNN_BAD_ARGUMENT, "batch: %s is not in 1..%u, the number of training images", text, most);
}

static char *batch_text(const app_knobs *knobs)
{
    return whole_text(knobs->trainer->options.batch);
}

static int set_batch(app_knobs *knobs, const char *text, double value)
{
    (void)text;
    cnn_trainer *trainer = knobs->trainer;
    const int status = cnn_trainer_set_batch(trainer, (uint32_t)value);
    if (!status && knobs->epochs)
        trainer->options.total_steps = cnn_course_end_of(&trainer->course, knobs->epochs);
    return status;
}

static int check_shows(const app_knobs *knobs, const char *text, double value)
{
    (void)text;
    (void)value;
    return knobs->shows ? CNN_OK
                        : cnn_fail(CNN_BAD_ARGUMENT, "overhead, live_rate: --insitu none shows nothing");
}

static char *overhead_text(const app_knobs *knobs)
{
    return knobs->shows ? real_text(knobs->overhead) : NULL;
}

/* Passes a number on to the adaptor. */
static int pass_on(app_knobs *knobs, const char *name, double value, double *keep)
{
    if (insitu_link_set(knobs->link, name, value))
        return cnn_fail(CNN_BAD_ARGUMENT, "%s", ws_message());
    *keep = value;
    return CNN_OK;
}

static int set_overhead(app_knobs *knobs, const char *text, double value)
{
    (void)text;
    return pass_on(knobs, "overhead", value, &knobs->overhead);
}

static char *live_rate_text(const app_knobs *knobs)
{
    return knobs->shows ? real_text(knobs->live_rate) : NULL;
}

static int set_live_rate(app_knobs *knobs, const char *text, double value)
{
    (void)text;
    return pass_on(knobs, "live_rate", value, &knobs->live_rate);
}

static int check_pause_at(const app_knobs *knobs, const char *text, double value)
{
    const uint64_t step = knobs->trainer->step;
    if (value <= 0 || value > (double)step)
        return CNN_OK;
    return cnn_fail(CNN_BAD_ARGUMENT, "pause_at: step %s is not after step %llu, which is done", text,
                    (unsigned long long)step);
}

static char *pause_at_text(const app_knobs *knobs)
{
    return whole_text(knobs->pause_at);
}

static int set_pause_at(app_knobs *knobs, const char *text, double value)
{
    (void)text;
    knobs->pause_at = (uint64_t)value;
    return CNN_OK;
}

static char *stop_after_epoch_text(const app_knobs *knobs)
{
    return whole_text((uint64_t)knobs->stop_after_epoch);
}

static int set_stop_after_epoch(app_knobs *knobs, const char *text, double value)
{
    (void)text;
    knobs->stop_after_epoch = value > 0;
    return CNN_OK;
}

static int check_merge_threshold(const app_knobs *knobs, const char *text, double value)
{
    (void)text;
    (void)value;
    return knobs->merge.has_threshold
               ? CNN_OK
               : cnn_fail(CNN_BAD_ARGUMENT,
                          "merge_threshold: --merge tells how many filters go, and no threshold");
}

static char *merge_threshold_text(const app_knobs *knobs)
{
    return knobs->merge.has_threshold ? real_text(knobs->merge.options.threshold) : NULL;
}

static int set_merge_threshold(app_knobs *knobs, const char *text, double value)
{
    (void)text;
    knobs->merge.options.threshold = value;
    insitu_link_set_threshold(knobs->link, value);
    return CNN_OK;
}

/* ---- the table ---- */

static const app_knob table[] = {
    {"learning_rate", KNOB_REAL, KNOB_TRAINS, 1e-30, 1000, 1e38, NULL, learning_rate_text, set_learning_rate},
    {"schedule", KNOB_TEXT, KNOB_TRAINS, 0, 0, 0, check_schedule, schedule_text, set_schedule},
    {"momentum", KNOB_SHARE, KNOB_TRAINS, 0, 1, 0, check_momentum, momentum_text, set_momentum},
    {"weight_decay", KNOB_REAL, KNOB_TRAINS, 0, 1, 0, NULL, weight_decay_text, set_weight_decay},
    {"dropout", KNOB_SHARE, KNOB_TRAINS, 0, 1, 0, check_dropout, dropout_text, set_dropout},
    {"batch", KNOB_WHOLE, KNOB_TRAINS, 1, 1e9, 0, check_batch, batch_text, set_batch},
    {"merge_threshold", KNOB_REAL, KNOB_TRAINS, 0, 1, 0, check_merge_threshold, merge_threshold_text,
     set_merge_threshold},
    {"overhead", KNOB_REAL, KNOB_SHOWS, 1e-6, 1, 0, check_shows, overhead_text, set_overhead},
    {"live_rate", KNOB_REAL, KNOB_SHOWS, 0.1, 1000, 0, check_shows, live_rate_text, set_live_rate},
    {"pause_at", KNOB_WHOLE, KNOB_GUIDES, 0, MOST_STEPS, 0, check_pause_at, pause_at_text, set_pause_at},
    {"stop_after_epoch", KNOB_WHOLE, KNOB_GUIDES, 0, 1, 0, NULL, stop_after_epoch_text, set_stop_after_epoch},
};

enum { KNOB_COUNT = sizeof table / sizeof *table };

const app_knob *knob_at(size_t index)
{
    return index < KNOB_COUNT ? &table[index] : NULL;
}

const app_knob *knob_find(const char *name)
{
    size_t i = 0;
    while (i < KNOB_COUNT && strcmp(table[i].name, name))
        i++;
    return knob_at(i);
}

const char *knob_name(const app_knob *knob)
{
    return knob->name;
}

knob_reach knob_reach_of(const app_knob *knob)
{
    return knob->reach;
}

char *knob_text(const app_knob *knob, const app_knobs *knobs)
{
    return knob->text(knobs);
}

/* ---- checking ---- */

/* Limits as people write them. */
static int tell_limits(const app_knob *knob, const char *text, double most)
{
    char *low = real_text(knob->least), *high = real_text(most);
    const int status =
        cnn_fail(CNN_BAD_ARGUMENT, "%s: \"%s\" is not a number in %s%s..%s%s", knob->name, text,
                 knob->kind == KNOB_SHARE ? "[" : "", low, high, knob->kind == KNOB_SHARE ? ")" : "");
    free(low);
    free(high);
    return status;
}

static int read_real(const app_knob *knob, const char *text, double most, double *out)
{
    return cnn_parse_real(knob->name, text, knob->least, most, out) ? tell_limits(knob, text, most) : CNN_OK;
}

static int read_share(const app_knob *knob, const char *text, double *out)
{
    const int status = read_real(knob, text, knob->most, out);
    if (status || (float)*out < (float)knob->most)
        return status;
    return *out < knob->most ? cnn_fail(CNN_BAD_ARGUMENT, "%s: \"%s\" is 1 in float32", knob->name, text)
                             : tell_limits(knob, text, knob->most);
}

/* The number in `text`, or 0 for a knob that has none. */
static int read_value(const app_knob *knob, const char *text, knob_source source, double *out)
{
    const double most = source == KNOB_LOGGED && knob->logged_most > 0 ? knob->logged_most : knob->most;
    uint64_t whole;
    int status = CNN_OK;
    *out = 0;
    switch (knob->kind) {
    case KNOB_REAL:
        return read_real(knob, text, most, out);
    case KNOB_SHARE:
        return read_share(knob, text, out);
    case KNOB_WHOLE:
        status = cnn_parse_whole(knob->name, text, (uint64_t)knob->least, (uint64_t)most, &whole);
        if (!status)
            *out = (double)whole;
        return status;
    case KNOB_TEXT:
        break;
    }
    return CNN_OK;
}

/* Finds the knob and its new number. */
static int examine(const app_knobs *knobs, const char *name, const char *text, knob_source source,
                   const app_knob **knob, double *value)
{
    *knob = knob_find(name);
    if (!*knob)
        return cnn_fail(CNN_BAD_ARGUMENT, "\"%.*s\" is no knob", WS_COMMAND_NAME, name);
    if (strlen(text) >= KNOB_VALUE_SIZE)
        return cnn_fail(CNN_BAD_ARGUMENT, "%s: a value of %zu bytes is longer than %d", name, strlen(text),
                        KNOB_VALUE_SIZE - 1);
    const int status = read_value(*knob, text, source, value);
    return status || !(*knob)->check ? status : (*knob)->check(knobs, text, *value);
}

int knob_check(const app_knobs *knobs, const char *name, const char *value, knob_source source)
{
    const app_knob *knob;
    double number;
    return examine(knobs, name, value, source, &knob, &number);
}

/* Nobody means two values of one knob. */
static int check_repeats(const knob_change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (!strcmp(changes[i].name, changes[j].name))
                return cnn_fail(CNN_BAD_ARGUMENT, "%.*s: is set twice", WS_COMMAND_NAME, changes[i].name);
    return CNN_OK;
}

/* ---- turning ---- */

int knobs_turn(app_knobs *knobs, knob_change *changes, size_t count, knob_source source, knob_undo *undo)
{
    int status = check_repeats(changes, count);
    double value;
    for (size_t i = 0; i < count && !status; i++)
        status = examine(knobs, changes[i].name, changes[i].value, source, &changes[i].knob, &value);
    if (status)
        return status;
    *undo = (knob_undo){knobs->trainer->course, knobs->trainer->options.total_steps};
    size_t done = 0;
    while (done < count && !status) {
        knob_change *change = &changes[done];
        read_value(change->knob, change->value, source, &value);
        change->before = knob_text(change->knob, knobs);
        status = change->knob->set(knobs, change->value, value);
        if (!status)
            change->after = knob_text(change->knob, knobs);
        done += !status;
    }
    if (status)
        knobs_undo(knobs, changes, done, undo);
    return status;
}

void knobs_undo(app_knobs *knobs, const knob_change *changes, size_t count, const knob_undo *undo)
{
    for (size_t i = 0; i < count; i++) {
        double value = 0;
        /* A list of rates is no number; its setter reads it. */
        if (changes[i].knob->kind != KNOB_TEXT && !strchr(changes[i].before, '/'))
            cnn_parse_real(changes[i].name, changes[i].before, -HUGE_VAL, HUGE_VAL, &value);
        changes[i].knob->set(knobs, changes[i].before, value);
    }
    cnn_trainer *trainer = knobs->trainer;
    trainer->course = undo->course;
    trainer->options.batch = undo->course.batch;
    trainer->options.total_steps = undo->total_steps;
}

void knobs_free_changes(knob_change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(changes[i].before);
        free(changes[i].after);
    }
}

void knobs_close(app_knobs *knobs)
{
    free(knobs->schedule);
    knobs->schedule = NULL;
}
