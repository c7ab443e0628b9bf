/* SPDX-License-Identifier: BSD-3-Clause */
/* The command `export`: what the channels held at a step, as files for the ParaView GUI. */
#include "checkpoints.h"
#include "cnn/status.h"
#include "command.h"
#include "exit_status.h"
#include "folders.h"
#include "insitu_link.h"
#include "run_folder.h"
#include "run_record.h"
#include "tell.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char details[] = "Writes a .vti file for each image channel and a .csv file for each table. "
                              "Open them in ParaView, build a pipeline on "
                              "them, give each source its channel's name, and save it as a Catalyst script: "
                              "`train --pipeline` runs it.\n\n"
                              "The weights come from the checkpoint of that step (0: the initial state), the "
                              "curves from the run's history.\n\n"
                              "Exit status: 0 done; 1 failed; 2 the call or the run cannot be used.";

static const app_option options[] = {
    {.name = "step",
     .kind = OPTION_WHOLE,
     .argument = "N",
     .most = INT64_MAX,
     .help = "A step that has a checkpoint, or 0; the newest unless given"},
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .argument = "DIR",
     .names = OPTION_NAMES_FOLDER,
     .help = "Folder for the files; RUN/export/step_N unless given"},
    {0},
};

/* Tells which steps there are. */
static int no_such_step(const checkpoint_list *list, uint64_t step, const char *folder)
{
    char *steps = text_copy("0");
    for (size_t i = 0; i < list->count; i++) {
        char *longer = text_format("%s, %llu", steps, (unsigned long long)list->files[i].step);
        free(steps);
        steps = longer;
    }
    const int status = cnn_fail(CNN_BAD_ARGUMENT, "--step: %llu has no checkpoint in %s; there are %s",
                                (unsigned long long)step, folder, steps);
    free(steps);
    return status;
}

static int choose_step(const option_values *values, const char *folder, uint64_t *step)
{
    checkpoint_list list;
    int status = checkpoint_list_read(folder, &list);
    if (status)
        return status;
    if (option_text(values, "step")) {
        *step = option_whole(values, "step");
        int found = *step == 0;
        for (size_t i = 0; i < list.count; i++)
            found = found || list.files[i].step == *step;
        if (!found)
            status = no_such_step(&list, *step, folder);
    } else {
        *step = list.count ? list.files[list.count - 1].step : 0;
    }
    checkpoint_list_free(&list);
    return status;
}

/* The network at step 0, from what the record tells of it. */
static int make_net(const char *path, const json_t *record, cnn_net **out)
{
    const json_t *net = json_object_get(record, "net"), *input = json_object_get(net, "input");
    const char *spec = json_string_value(json_object_get(net, "spec"));
    if (!spec)
        return cnn_fail(CNN_BAD_FILE, "%s: does not tell the network", path);
    const cnn_shape shape = {(int)json_integer_value(json_object_get(input, "channels")),
                             (int)json_integer_value(json_object_get(input, "height")),
                             (int)json_integer_value(json_object_get(input, "width"))};
    const json_t *seed = json_object_get(json_object_get(record, "options"), "seed");
    return cnn_net_create(spec, shape, (int)json_integer_value(json_object_get(net, "classes")),
                          (uint64_t)json_integer_value(seed), out);
}

static int load_step(const char *folder, uint64_t step, cnn_net *net)
{
    cnn_safetensors *file;
    char *path = checkpoint_path(folder, step);
    int status = cnn_safetensors_open(path, &file);
    free(path);
    if (status)
        return status;
    status = cnn_checkpoint_load(file, net, tell_note, NULL);
    const int loaded = status ? status : cnn_checkpoint_load_gradients(file, net);
    cnn_safetensors_close(file);
    return loaded < 0 ? loaded : CNN_OK;
}

/* Loads the network of the chosen step. */
static int load_run(const option_values *values, const run_folder *folder, uint64_t *step, cnn_net **net)
{
    json_t *record;
    int status = run_record_read(folder->record, &record);
    if (status)
        return status;
    status = choose_step(values, folder->checkpoints, step);
    if (!status)
        status = make_net(folder->record, record, net);
    if (!status && *step)
        status = load_step(folder->checkpoints, *step, *net);
    json_decref(record);
    return status;
}

/* Returns an exit status. */
static int write_files(const run_folder *folder, uint64_t step, const cnn_net *net, const char *output)
{
    const insitu_plan plan = {.history = folder->history,
                              .first_step = step,
                              .required = 1,
                              .read_only = 1,
                              .images = folder->images};
    insitu_link *link = NULL;
    int status = insitu_link_open(&plan, net, &link);
    if (!status)
        status = insitu_link_export(link, step, output);
    if (status)
        tell_error("%s", ws_message());
    else
        printf("step %llu is in %s\n", (unsigned long long)step, output);
    insitu_link_close(link);
    return status ? EXIT_FAILED : EXIT_DONE;
}

static int run(const app_command *self, option_values *values)
{
    (void)self;
    run_folder folder = run_folder_of(operand_at(values, 0));
    cnn_net *net = NULL;
    uint64_t step = 0;
    int exit_status = EXIT_BAD_INPUT;
    if (load_run(values, &folder, &step, &net)) {
        tell_error("%s", cnn_message());
    } else {
        const char *given = option_text(values, "output");
        char *output = given ? text_copy(given)
                             : text_format("%s/export/step_%08llu", folder.path, (unsigned long long)step);
        free(folders_make_around(output));
        exit_status = write_files(&folder, step, net, output);
        free(output);
    }
    cnn_net_free(net);
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
