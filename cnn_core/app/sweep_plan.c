/* SPDX-License-Identifier: BSD-3-Clause */
#include "sweep_plan.h"
#include "cnn/status.h"
#include "command.h"
#include "sweep_trial.h"
#include "tell.h"
#include "text.h"
#include "train_paths.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_PART = 40, /* bytes of a value that a folder's name tells */
    DRAWS = 100,    /* tries for each run that must differ from all others */
};

/* ---- axes, and what all runs share ---- */

static int add_axis(sweep_plan *plan, const char *text)
{
    if (plan->axis_count == SWEEP_MOST_AXES)
        return cnn_fail(CNN_BAD_ARGUMENT, "--vary: more than %d options", SWEEP_MOST_AXES);
    sweep_axis axis;
    const int status = sweep_axis_parse(text, plan->random != 0, &axis);
    if (status)
        return status;
    const char *name = axis.option->name;
    int is_twice = 0;
    for (size_t i = 0; i < plan->axis_count; i++)
        is_twice |= plan->axes[i].option == axis.option;
    plan->axes[plan->axis_count++] = axis;
    if (is_twice)
        return cnn_fail(CNN_BAD_ARGUMENT, "--vary %s: it is varied twice", name);
    if (option_count(plan->shared, name))
        return cnn_fail(CNN_BAD_ARGUMENT, "--vary %s: --%s is given, too", name, name);
    return CNN_OK;
}

static int add_axes(const option_values *call, sweep_plan *plan)
{
    int status = CNN_OK;
    if (!option_count(call, "vary"))
        status = cnn_fail(CNN_BAD_ARGUMENT, "--vary is missing: what the runs are to differ in");
    for (size_t i = 0; i < option_count(call, "vary") && !status; i++)
        status = add_axis(plan, option_at(call, "vary", i));
    return status;
}

/* Options for train that follow `--`, and the folder of the data. */
static int parse_shared(const option_values *call, sweep_plan *plan)
{
    const size_t count = operand_count(call);
    char **arguments = memory_of(count + 3, sizeof *arguments), *data = NULL;
    int argc = 0;
    arguments[argc++] = (char *)command_train.name;
    if (option_text(call, "data"))
        arguments[argc++] = data = text_format("--data=%s", option_text(call, "data"));
    for (size_t i = 0; i < count; i++)
        arguments[argc++] = (char *)operand_at(call, i);
    const int result = options_parse(&command_train, argc, arguments, &plan->shared);
    free(data);
    free(arguments);
    return result;
}

/* What each run has of its own. */
static int check_shared(const sweep_plan *plan)
{
    static const char *const own[] = {"run", "resume"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (option_count(plan->shared, own[i]))
            return cnn_fail(CNN_BAD_ARGUMENT, "--%s: every run of a sweep has its own folder, in --output",
                            own[i]);
    return CNN_OK;
}

/* ---- runs ---- */

/* A value as a part of a file's name. */
static char *name_part(const char *value)
{
    char *part = text_format("%.*s", NAME_PART, value);
    for (char *c = part; *c; c++)
        if (!isascii((unsigned char)*c) || (!isalnum((unsigned char)*c) && !strchr(".+-,", *c)))
            *c = '-';
    return part;
}

static void name_run(const sweep_plan *plan, size_t index)
{
    int digits = 2;
    for (size_t most = 100; most <= plan->run_count; most *= 10)
        digits++;
    char *name = text_format("%0*zu", digits, index + 1);
    for (size_t i = 0; i < plan->axis_count; i++) {
        char *part = name_part(plan->runs[index].values[i]);
        char *longer = text_format("%s_%s=%s", name, plan->axes[i].option->name, part);
        free(name);
        free(part);
        name = longer;
    }
    plan->runs[index].name = name;
}

/* All combinations; the last axis varies fastest. */
static int make_grid(sweep_plan *plan)
{
    double count = 1;
    for (size_t i = 0; i < plan->axis_count; i++)
        count *= (double)plan->axes[i].count;
    if (count > SWEEP_MOST_RUNS)
        return cnn_fail(CNN_BAD_ARGUMENT, "--vary: %.0f runs, at most %d", count, SWEEP_MOST_RUNS);
    plan->run_count = (size_t)count;
    plan->runs = memory_of(plan->run_count, sizeof *plan->runs);
    for (size_t run = 0; run < plan->run_count; run++) {
        plan->runs[run].values = memory_of(plan->axis_count, sizeof(char *));
        size_t rest = run;
        for (size_t i = plan->axis_count; i-- > 0; rest /= plan->axes[i].count)
            plan->runs[run].values[i] = text_copy(plan->axes[i].values[rest % plan->axes[i].count]);
    }
    return CNN_OK;
}

static void free_values(const sweep_plan *plan, char **values)
{
    for (size_t i = 0; values && i < plan->axis_count; i++)
        free(values[i]);
    free(values);
}

static int is_there(const sweep_plan *plan, char **values)
{
    for (size_t run = 0; run < plan->run_count; run++) {
        size_t same = 0;
        while (same < plan->axis_count && !strcmp(plan->runs[run].values[same], values[same]))
            same++;
        if (same == plan->axis_count)
            return 1;
    }
    return 0;
}

/* Runs that all differ. */
static int make_random(sweep_plan *plan)
{
    double size = 1;
    for (size_t i = 0; i < plan->axis_count; i++)
        size *= sweep_axis_size(&plan->axes[i]);
    if ((double)plan->random > size)
        return cnn_fail(CNN_BAD_ARGUMENT, "--random: %llu runs, but there are only %.0f different ones",
                        (unsigned long long)plan->random, size);
    plan->runs = memory_of(plan->random, sizeof *plan->runs);
    for (uint64_t draw = 0; plan->run_count < plan->random; draw++) {
        if (draw == DRAWS * plan->random)
            return cnn_fail(CNN_BAD_ARGUMENT, "--random: only %zu different runs were found in %llu draws",
                            plan->run_count, (unsigned long long)draw);
        char **values = memory_of(plan->axis_count, sizeof *values);
        for (size_t i = 0; i < plan->axis_count; i++)
            values[i] = sweep_axis_draw(&plan->axes[i], plan->seed, draw, (uint32_t)i);
        if (is_there(plan, values))
            free_values(plan, values);
        else
            plan->runs[plan->run_count++].values = values;
    }
    return CNN_OK;
}

/* ---- the plan ---- */

static int make(const option_values *call, sweep_plan *plan)
{
    if (option_text(call, "random"))
        plan->random = option_whole(call, "random");
    plan->seed = option_whole(call, "seed");
    int status = CNN_OK;
    if (option_given(call, "seed") && !plan->random)
        status = cnn_fail(CNN_BAD_ARGUMENT,
                          "--seed: only --random draws (the runs' own seed is an option of "
                          "train: -- --seed %llu, or --vary seed=1,2,3)",
                          (unsigned long long)plan->seed);
    if (!status)
        status = check_shared(plan);
    if (!status)
        status = add_axes(call, plan);
    if (!status)
        status = train_paths_make_absolute(plan->shared);
    if (!status)
        status = plan->random ? make_random(plan) : make_grid(plan);
    for (size_t i = 0; i < plan->run_count && !status; i++)
        name_run(plan, i);
    return status;
}

int sweep_plan_make(const option_values *call, sweep_plan *out)
{
    sweep_plan plan = {0};
    int result = parse_shared(call, &plan);
    if (result != OPTIONS_GOOD)
        return result;
    if (make(call, &plan)) {
        tell_error("%s", cnn_message());
        result = OPTIONS_BAD;
    } else {
        result = sweep_trial(&plan);
    }
    if (result == OPTIONS_GOOD)
        *out = plan;
    else
        sweep_plan_free(&plan);
    return result;
}

void sweep_plan_free(sweep_plan *plan)
{
    for (size_t i = 0; i < plan->run_count; i++) {
        free_values(plan, plan->runs[i].values);
        free(plan->runs[i].name);
    }
    free(plan->runs);
    for (size_t i = 0; i < plan->axis_count; i++)
        sweep_axis_free(&plan->axes[i]);
    options_free(plan->shared);
    *plan = (sweep_plan){0};
}

static json_t *texts_json(const option_values *values, const char *name)
{
    json_t *list = json_array();
    for (size_t i = 0; i < option_count(values, name); i++)
        json_array_append_new(list, json_string(option_at(values, name, i)));
    return list;
}

static json_t *shared_json(const option_values *shared)
{
    /* What does not change what a run is. */
    static const char *const not_asked[] = {"threads", "quiet"};
    json_t *object = json_object();
    for (const app_option *option = option_table(shared); option->name; option++)
        if (option_count(shared, option->name) && strcmp(option->name, not_asked[0]) &&
            strcmp(option->name, not_asked[1]))
            json_object_set_new(object, option->name, texts_json(shared, option->name));
    return object;
}

static json_t *run_json(const sweep_plan *plan, const sweep_run *run)
{
    json_t *values = json_object();
    for (size_t i = 0; i < plan->axis_count; i++)
        json_object_set_new(values, plan->axes[i].option->name, json_string(run->values[i]));
    return json_pack("{s:s, s:o}", "name", run->name, "values", values);
}

json_t *sweep_plan_json(const sweep_plan *plan)
{
    json_t *axes = json_array(), *runs = json_array();
    for (size_t i = 0; i < plan->axis_count; i++)
        json_array_append_new(axes, sweep_axis_json(&plan->axes[i]));
    for (size_t i = 0; i < plan->run_count; i++)
        json_array_append_new(runs, run_json(plan, &plan->runs[i]));
    json_t *object = json_pack("{s:o, s:o}", "vary", axes, "options", shared_json(plan->shared));
    if (plan->random)
        json_object_set_new(
            object, "random",
            json_pack("{s:I, s:I}", "runs", (json_int_t)plan->random, "seed", (json_int_t)plan->seed));
    json_object_set_new(object, "runs", runs);
    return object;
}

char *sweep_plan_words(const sweep_plan *plan, size_t run)
{
    char *words = text_copy("");
    for (size_t i = 0; i < plan->axis_count; i++) {
        char *longer = text_format("%s%s%s=%s", words, *words ? " " : "", plan->axes[i].option->name,
                                   plan->runs[run].values[i]);
        free(words);
        words = longer;
    }
    return words;
}

char **sweep_plan_arguments(const sweep_plan *plan, size_t run)
{
    size_t count = plan->axis_count, at = 0;
    const app_option *table = option_table(plan->shared);
    for (const app_option *option = table; option->name; option++)
        count += option_count(plan->shared, option->name);
    char **arguments = memory_of(count + 1, sizeof *arguments);
    for (const app_option *option = table; option->name; option++) {
        if (!strcmp(option->name, "threads") || !strcmp(option->name, "quiet"))
            continue;
        for (size_t i = 0; i < option_count(plan->shared, option->name); i++)
            arguments[at++] =
                option->kind == OPTION_FLAG
                    ? text_format("--%s", option->name)
                    : text_format("--%s=%s", option->name, option_at(plan->shared, option->name, i));
    }
    for (size_t i = 0; i < plan->axis_count; i++)
        arguments[at++] = text_format("--%s=%s", plan->axes[i].option->name, plan->runs[run].values[i]);
    return arguments;
}
