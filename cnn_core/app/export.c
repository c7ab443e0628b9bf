/* SPDX-License-Identifier: BSD-3-Clause */
/* The command `export`: what the channels held at a step, as files for the ParaView GUI. */
#include "checkpoints.h"
#include "cnn/status.h"
#include "command.h"
#include "exit_status.h"
#include "folders.h"
#include "insitu_link.h"
#include "recording_facts.h"
#include "run_folder.h"
#include "run_network.h"
#include "run_record.h"
#include "tell.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char details[] = "Writes a .vti file for each image channel and a .csv file for each table. "
                              "Open them in ParaView, build a pipeline on "
                              "them, give each source its channel's name, and save it as a Catalyst script: "
                              "`train --pipeline` runs it.\n\n"
                              "The weights come from the checkpoint of that step (0: the initial state), or, "
                              "where it has none, from the run's recording; the "
                              "curves from the run's history.\n\n"
                              "Exit status: 0 done; 1 failed; 2 the call or the run cannot be used.";

static const app_option options[] = {
    {.name = "step",
     .kind = OPTION_WHOLE,
     .argument = "N",
     .most = INT64_MAX,
     .help = "A step that has a checkpoint or is recorded, or 0; the newest checkpoint's unless given"},
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .argument = "DIR",
     .names = OPTION_NAMES_FOLDER,
     .help = "Folder for the files; RUN/export/step_N unless given"},
    {0},
};

/* A step of a run, and where its values are. */
typedef struct run_step {
    uint64_t step;
    int is_recorded; /* in the recording, as no checkpoint has it */
    cnn_net *net;    /* owned, as what follows; NULL if it is recorded */
    merged_filters *merged;
} run_step;

/* Tells which steps there are. */
static int no_such_step(const checkpoint_list *list, uint64_t step, const run_folder *folder)
{
    char *steps = text_copy("0");
    for (size_t i = 0; i < list->count; i++) {
        char *longer = text_format("%s, %llu", steps, (unsigned long long)list->files[i].step);
        free(steps);
        steps = longer;
    }
    recording_facts facts = {0};
    const int recorded = access(folder->recording, F_OK) == 0;
    int status = recorded ? recording_facts_read(folder->recording, &facts) : CNN_OK;
    if (!status && facts.frames)
        status = cnn_fail(
            CNN_BAD_ARGUMENT,
            "--step: %llu has no checkpoint in %s (there are %s), and is not among the %llu recorded "
            "steps from %llu to %llu",
            (unsigned long long)step, folder->checkpoints, steps, (unsigned long long)facts.frames,
            (unsigned long long)facts.first_step, (unsigned long long)facts.last_step);
    else if (!status)
        status = cnn_fail(CNN_BAD_ARGUMENT, "--step: %llu has no checkpoint in %s; there are %s",
                          (unsigned long long)step, folder->checkpoints, steps);
    free(steps);
    return status;
}

static int has_checkpoint(const checkpoint_list *list, uint64_t step)
{
    int found = step == 0;
    for (size_t i = 0; i < list->count; i++)
        found = found || list->files[i].step == step;
    return found;
}

static int choose_step(const option_values *values, const run_folder *folder, run_step *out)
{
    if (!option_text(values, "step")) {
        *out = (run_step){0};
        return run_network_newest(folder, &out->step);
    }
    checkpoint_list list;
    int status = checkpoint_list_read(folder->checkpoints, &list);
    if (status)
        return status;
    const uint64_t step = option_whole(values, "step");
    *out = (run_step){.step = step, .is_recorded = !has_checkpoint(&list, step)};
    if (out->is_recorded && !recording_has_step(folder->recording, step))
        status = no_such_step(&list, step, folder);
    checkpoint_list_free(&list);
    return status;
}

/* Chooses the step, and loads the network unless it is recorded. */
static int load_run(const option_values *values, const run_folder *folder, run_step *step)
{
    json_t *record;
    int status = run_record_read(folder->record, &record);
    if (status)
        return status;
    status = choose_step(values, folder, step);
    if (!status && !step->is_recorded)
        status = run_network_load(folder, record, step->step, &step->net);
    if (!status && step->net)
        step->merged = merged_filters_of_run(folder, record, step->step, step->net);
    json_decref(record);
    return status;
}

/* Returns a ws_status. */
static int write_net(const run_folder *folder, const run_step *step, const char *output)
{
    const insitu_plan plan = {.folder = folder->path,
                              .first_step = step->step,
                              .merged = step->merged,
                              .transport = WS_INLINE,
                              .required = 1,
                              .read_only = 1,
                              .images = folder->images};
    insitu_link *link = NULL;
    int status = insitu_link_open(&plan, step->net, &link);
    if (!status)
        status = insitu_link_export(link, step->step, output);
    insitu_link_close(link);
    return status;
}

/* Returns an exit status. */
static int write_files(const run_folder *folder, const run_step *step, const char *output)
{
    const int status = step->is_recorded ? ws_recording_export(folder->recording, step->step, output)
                                         : write_net(folder, step, output);
    if (status)
        tell_error("%s", ws_message());
    else
        printf("step %llu%s is in %s\n", (unsigned long long)step->step,
               step->is_recorded ? ", recorded," : "", output);
    return status ? EXIT_FAILED : EXIT_DONE;
}

static int run(const app_command *self, option_values *values)
{
    (void)self;
    run_folder folder = run_folder_of(operand_at(values, 0));
    run_step step = {0};
    int exit_status = EXIT_BAD_INPUT;
    if (load_run(values, &folder, &step)) {
        tell_error("%s", cnn_message());
    } else {
        const char *given = option_text(values, "output");
        char *output = given
                           ? text_copy(given)
                           : text_format("%s/export/step_%08llu", folder.path, (unsigned long long)step.step);
        free(folders_make_around(output));
        exit_status = write_files(&folder, &step, output);
        free(output);
    }
    cnn_net_free(step.net);
    merged_filters_close(step.merged);
    run_folder_close(&folder);
    return exit_status;
}

const app_command command_export = {.name = "export",
                                    .operands = "RUN",
                                    .least = 1,
                                    .most = 1,
                                    .summary = "what the channels held at a step, as files for ParaView",
                                    .details = details,
                                    .options = options,
                                    .run = run};
