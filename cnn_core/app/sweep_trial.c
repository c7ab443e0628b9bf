/* SPDX-License-Identifier: BSD-3-Clause */
#include "sweep_trial.h"
#include "cnn/dataset.h"
#include "cnn/net.h"
#include "cnn/status.h"
#include "command.h"
#include "data_source.h"
#include "tell.h"
#include "text.h"
#include "train_options.h"
#include <stdlib.h>
#include <string.h>

/* The data of the last run that was tried, which most often is that of the next one, too. */
typedef struct trial_data {
    char *folder; /* NULL: none is loaded */
    int classes;
    uint32_t validation;
    cnn_data data;
} trial_data;

static void forget(trial_data *held)
{
    if (held->folder)
        cnn_data_free(&held->data);
    free(held->folder);
    *held = (trial_data){0};
}

static int hold_data(const train_plan *train, trial_data *held)
{
    if (held->folder && !strcmp(held->folder, train->data) && held->classes == train->classes &&
        held->validation == train->validation)
        return CNN_OK;
    forget(held);
    cnn_data data;
    const int status = data_source_load(train->data, train->classes, train->validation, 0, &data);
    if (!status)
        *held = (trial_data){text_copy(train->data), train->classes, train->validation, data};
    return status;
}

static int try_net(const train_plan *train, const trial_data *held)
{
    cnn_net *net;
    const int status = cnn_net_create(train->net, held->data.train.shape, train->classes, train->seed, &net);
    if (!status)
        cnn_net_free(net);
    return status;
}

static int try_options(const option_values *values, trial_data *held, sweep_run *run)
{
    train_plan train = {0};
    int status = train_options_check(values);
    if (!status)
        status = train_plan_make(values, &train);
    if (!status)
        status = hold_data(&train, held);
    if (!status)
        status = try_net(&train, held);
    if (!status) {
        const cnn_course course = cnn_course_begin(held->data.train.count, train.trainer.batch);
        status = train_plan_total(&train, &course, 0);
        run->steps = train.trainer.total_steps;
        run->images = cnn_course_epochs(&course, run->steps) * held->data.train.count;
    }
    train_plan_free(&train);
    return status;
}

static int try_run(sweep_plan *plan, size_t index, trial_data *held)
{
    char **arguments = sweep_plan_arguments(plan, index);
    int argc = 0;
    while (arguments[argc])
        argc++;
    char **call = memory_of((size_t)argc + 2, sizeof *call);
    call[0] = (char *)command_train.name;
    memcpy(call + 1, arguments, (size_t)argc * sizeof *call);
    option_values *values;
    int result = options_parse(&command_train, argc + 1, call, &values);
    if (result == OPTIONS_GOOD) {
        if (try_options(values, held, &plan->runs[index])) {
            char *words = sweep_plan_words(plan, index);
            tell_error("%s: %s", words, cnn_message());
            free(words);
            result = OPTIONS_BAD;
        }
        options_free(values);
    }
    for (int i = 0; i < argc; i++)
        free(arguments[i]);
    free(arguments);
    free(call);
    return result;
}

int sweep_trial(sweep_plan *plan)
{
    trial_data held = {0};
    int result = OPTIONS_GOOD;
    for (size_t i = 0; i < plan->run_count && result == OPTIONS_GOOD; i++)
        result = try_run(plan, i, &held);
    forget(&held);
    return result;
}
