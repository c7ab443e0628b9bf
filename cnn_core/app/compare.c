/* SPDX-License-Identifier: BSD-3-Clause */
/* The command `compare`: runs against one another, in one picture. */
#include "cnn/status.h"
#include "command.h"
#include "comparison.h"
#include "exit_status.h"
#include "run_folder.h"
#include "signals.h"
#include "sweep_folder.h"
#include "tell.h"
#include "text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char details[] =
    "RUN is the folder of a run, or of a sweep, which stands for its runs; they may still train. The picture "
    "shows "
    "what they differ in against the accuracy that they reached, and, over the steps, loss, accuracy, the "
    "norms "
    "of one layer's weights and gradients, and its walk, all runs in one plane. Colours follow --by.\n\n"
    "The same with ParaView alone: xvfb-run -a pvbatch pipelines/compare.py RUN... --output FILE.\n\n"
    "Exit status: 0 done; 1 it could not be drawn; 2 the call or a run cannot be used.";

static const app_option options[] = {
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .argument = "FILE",
     .names = OPTION_NAMES_FILE,
     .help = "The picture, a .png; compare.png in the folder of a sweep unless given"},
    {.name = "by",
     .kind = OPTION_TEXT,
     .argument = "OPTION",
     .help = "The option of train whose values colour the runs; what a sweep varies first, or the first "
             "number that differs, unless given"},
    {.name = "layer",
     .kind = OPTION_TEXT,
     .argument = "NAME",
     .help = "Whose norms and walk are shown; the first convolution's unless given"},
    {.name = "size",
     .kind = OPTION_TEXT,
     .argument = "WxH",
     .fallback = "1600x1000",
     .help = "Width and height in pixels"},
    {0},
};

/* A growing list of folders. */
typedef struct folder_list {
    char **paths; /* ends with NULL */
    size_t count;
    char *by; /* what a sweep among them varies first; NULL without one */
} folder_list;

/* Takes over `path`. */
static void list_add(folder_list *list, char *path)
{
    char **longer = memory_of(list->count + 2, sizeof *longer);
    if (list->count)
        memcpy(longer, list->paths, list->count * sizeof *longer);
    longer[list->count++] = path;
    free(list->paths);
    list->paths = longer;
}

static int holds(const char *folder, const char *name)
{
    char *path = text_format("%s/%s", folder, name);
    const int is_there = access(path, F_OK) == 0;
    free(path);
    return is_there;
}

/* The runs of a sweep that have begun. */
static int add_sweep(const char *path, folder_list *list)
{
    char **runs, *by;
    const size_t before = list->count;
    const int status = sweep_folder_runs(path, &runs, &by);
    if (status)
        return status;
    free(list->by);
    list->by = by;
    for (size_t i = 0; runs[i]; i++) {
        if (holds(runs[i], "run.json"))
            list_add(list, runs[i]);
        else
            free(runs[i]);
    }
    free(runs);
    return list->count > before ? CNN_OK : cnn_fail(CNN_BAD_ARGUMENT, "%s: none of its runs has begun", path);
}

static int add(const char *path, folder_list *list)
{
    if (holds(path, "run.json")) {
        list_add(list, text_copy(path));
        return CNN_OK;
    }
    if (holds(path, "sweep.json"))
        return add_sweep(path, list);
    return cnn_fail(CNN_BAD_FILE, "%s: holds neither a run nor a sweep", path);
}

/* Where the picture goes; the caller frees it. */
static int find_output(const option_values *values, char **out)
{
    const char *named = option_text(values, "output");
    if (!named && (operand_count(values) > 1 || !holds(operand_at(values, 0), "sweep.json")))
        return cnn_fail(CNN_BAD_ARGUMENT, "--output is missing: the picture's file");
    if (named && (strlen(named) < strlen("x.png") || strcmp(named + strlen(named) - strlen(".png"), ".png")))
        return cnn_fail(CNN_BAD_ARGUMENT, "--output: \"%s\" does not end with .png", named);
    *out = named ? text_copy(named) : text_format("%s/compare.png", operand_at(values, 0));
    return CNN_OK;
}

static int draw(const option_values *values, const folder_list *list, const char *output)
{
    const comparison wanted = {.runs = list->paths,
                               .output = output,
                               .by = option_text(values, "by") ? option_text(values, "by") : list->by,
                               .layer = option_text(values, "layer"),
                               .size = option_text(values, "size")};
    const int status = comparison_draw(&wanted);
    if (status) {
        tell_error("%s", cnn_message());
        return status == CNN_BAD_ARGUMENT ? EXIT_BAD_INPUT : EXIT_FAILED;
    }
    char *line = text_format("picture: %s", output);
    tell_line(line);
    free(line);
    return EXIT_DONE;
}

static int run(const app_command *self, option_values *values)
{
    (void)self;
    folder_list list = {0};
    char *output = NULL;
    int exit_status = EXIT_BAD_INPUT;
    signals_let_writes_fail();
    int status = find_output(values, &output);
    for (size_t i = 0; i < operand_count(values) && !status; i++)
        status = add(operand_at(values, i), &list);
    if (status)
        tell_error("%s", cnn_message());
    else
        exit_status = draw(values, &list, output);
    for (size_t i = 0; i < list.count; i++)
        free(list.paths[i]);
    free(list.paths);
    free(list.by);
    free(output);
    return exit_status;
}

const app_command command_compare = {.name = "compare",
                                     .operands = "RUN...",
                                     .least = 1,
                                     .most = 1000,
                                     .summary = "runs against one another, in one picture",
                                     .details = details,
                                     .options = options,
                                     .run = run};
