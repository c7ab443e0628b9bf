/* SPDX-License-Identifier: BSD-3-Clause */
/* The command `diagnose`: what a run's walk says, from its folder. */
#include "cnn/status.h"
#include "command.h"
#include "diagnose_filters.h"
#include "diagnose_parts.h"
#include "exit_status.h"
#include "run_folder.h"
#include "run_record.h"
#include "run_state.h"
#include "tell.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char details[] =
    "RUN is the folder of a run, also while it trains. For each layer: the exponents with which the increase "
    "of its weights' norm and their distance from the start grow, with 95 % intervals, beside sqrt(t) and ln "
    "t; the local slope gamma = d ln D^2 / d ln t (2 drift, 1 diffusion, below 1 trapped); and of "
    "convolutions how straight the walk is and how much of it lies along its principal components, beside a "
    "random walk. Then the early warnings of the training. docs/diagnosis.md has the formulas.\n\n"
    "A run that is too short for a number has a dash there.\n\n"
    "Exit status: 0 done; 1 memory is exhausted; 2 the run cannot be read, or has no such layer.";

static const app_option options[] = {
    {.name = "json", .kind = OPTION_FLAG, .help = "Print an object"},
    {.name = "layer", .kind = OPTION_TEXT, .argument = "L", .help = "This layer only"},
    {.name = "window",
     .kind = OPTION_WHOLE,
     .argument = "N",
     .least = 8,
     .most = INT64_MAX,
     .help = "The last N steps are the window of gamma, straightness and updates; half of the run unless "
             "given"},
    {.name = "data",
     .kind = OPTION_TEXT,
     .argument = "DIR",
     .names = OPTION_NAMES_FOLDER,
     .help = "The run's images, to compare filters by what they say to 64 of them; where they were unless "
             "given"},
    {.name = "threshold",
     .kind = OPTION_REAL,
     .argument = "R",
     .fallback = "0.9",
     .low = 0,
     .high = 1,
     .help = "Filters whose activations correlate by this much are alike"},
    {0},
};

/* Fills *chosen with the number of the layer, -1 for all. */
static int choose_layer(const char *path, const ws_story *story, const char *wanted, int *chosen)
{
    *chosen = -1;
    if (!wanted)
        return CNN_OK;
    char *list = text_copy("");
    for (uint32_t i = 0; i < story->layer_count; i++) {
        if (!strcmp(story->layers[i].name, wanted))
            *chosen = (int)i;
        char *longer = text_format("%s%s%s", list, i ? ", " : "", story->layers[i].name);
        free(list);
        list = longer;
    }
    const int status = *chosen >= 0 ? CNN_OK
                                    : cnn_fail(CNN_BAD_ARGUMENT, "--layer: %s has no \"%s\"; there are %s",
                                               path, wanted, list);
    free(list);
    return status;
}

/* Of another host there is no record, only a history. */
static int read_record(const run_folder *folder, json_t **record)
{
    *record = NULL;
    return access(folder->record, F_OK) < 0 ? CNN_OK : run_record_read(folder->record, record);
}

static int read_story(const run_folder *folder, uint64_t window, ws_story **story)
{
    const int status = ws_story_read(folder->history, window, story);
    if (!status)
        return CNN_OK;
    return cnn_fail(status == WS_NO_MEMORY ? CNN_NO_MEMORY : CNN_BAD_FILE, "%s", ws_message());
}

static const char *status_of(const run_folder *folder, const json_t *record)
{
    if (!record)
        return "not told";
    const char *told = run_record_text(record, "status");
    return run_state_of(folder, record).is_killed ? "killed" : told ? told : "not told";
}

/* Whatever is wrong with checkpoints or images, the walk is told; only a --data that is no good is a bad
 * call. */
static int look_at_filters(const run_folder *folder, const json_t *record, const option_values *values,
                           json_t **out)
{
    *out = NULL;
    const filters_wish wish = {option_text(values, "data"), option_text(values, "layer"),
                               option_real(values, "threshold")};
    const int status = record ? diagnose_filters(folder, record, &wish, out) : CNN_OK;
    if (!status || wish.data)
        return status;
    tell_warning("filters are not compared: %s", cnn_message());
    return CNN_OK;
}

static int run(const app_command *self, option_values *values)
{
    (void)self;
    run_folder folder = run_folder_of(operand_at(values, 0));
    ws_story *story = NULL;
    diagnosis found = {.path = folder.path};
    json_t *record = NULL;
    int status = read_record(&folder, &record);
    if (!status)
        status =
            read_story(&folder, option_text(values, "window") ? option_whole(values, "window") : 0, &story);
    if (!status)
        status = choose_layer(folder.path, story, option_text(values, "layer"), &found.layer);
    if (!status)
        status = look_at_filters(&folder, record, values, &found.filters);
    if (status) {
        tell_error("%s", cnn_message());
    } else {
        found.threshold = option_real(values, "threshold");
        found.story = story;
        found.record = record;
        found.status = status_of(&folder, record);
        found.updates = record ? update_lengths(&folder, record, story) : NULL;
        if (option_text(values, "json"))
            diagnosis_print_json(&found);
        else
            diagnosis_print(&found);
        free(found.updates);
        json_decref(found.filters);
    }
    ws_story_free(story);
    json_decref(record);
    run_folder_close(&folder);
    return !status ? EXIT_DONE : status == CNN_NO_MEMORY ? EXIT_FAILED : EXIT_BAD_INPUT;
}

const app_command command_diagnose = {.name = "diagnose",
                                      .operands = "RUN",
                                      .least = 1,
                                      .most = 1,
                                      .summary = "what a run's walk says: growth, drift, warnings",
                                      .details = details,
                                      .options = options,
                                      .run = run};
