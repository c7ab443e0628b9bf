/* SPDX-License-Identifier: BSD-3-Clause */
/* The command `replay`: what a recording holds, drawn, listed, or as files. */
#include "cnn/status.h"
#include "command.h"
#include "drawing.h"
#include "exit_status.h"
#include "folders.h"
#include "picture_folder.h"
#include "recording_facts.h"
#include "run_folder.h"
#include "signals.h"
#include "tell.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char details[] =
    "FILE is a recording, or the folder of a run, whose recording.wsrec it then "
    "is. One of --pipeline, --live, --list and "
    "--export says what to do with it. With --live nothing is drawn: once a ParaView "
    "is connected (Catalyst > Connect) it is shown the recording and what scripts "
    "make of it, one step after the other, and the last one as long as it looks.\n\n"
    "Exit status: 0 done; 1 something failed; 2 the call or the recording cannot "
    "be used; 130 or 143 ended by SIGINT "
    "or SIGTERM.";

static const app_option options[] = {
    {.name = "pipeline",
     .kind = OPTION_TEXT,
     .repeatable = 1,
     .argument = "SCRIPT[,key=value...]",
     .names = OPTION_NAMES_FILE,
     .help = "Draw with this Catalyst script; may be repeated"},
    {.name = "live",
     .kind = OPTION_TEXT,
     .argument = "HOST:PORT",
     .implied = "localhost:22222",
     .help = "Show it in the ParaView that listens at HOST:PORT, localhost:22222 unless given; nothing is "
             "written"},
    {.name = "rate",
     .kind = OPTION_REAL,
     .argument = "N",
     .low = 0.001,
     .high = 1000,
     .help = "With --live, N steps a second; as fast as ParaView takes them unless given"},
    {.name = "first",
     .kind = OPTION_WHOLE,
     .argument = "N",
     .most = INT64_MAX,
     .help = "Draw from step N on; from the first one unless given"},
    {.name = "last",
     .kind = OPTION_WHOLE,
     .argument = "N",
     .least = 1,
     .most = INT64_MAX,
     .help = "Draw up to step N; up to the last one unless given"},
    {.name = "list", .kind = OPTION_FLAG, .help = "List the frames"},
    {.name = "json", .kind = OPTION_FLAG, .help = "List them as an object"},
    {.name = "export",
     .kind = OPTION_WHOLE,
     .argument = "STEP",
     .most = INT64_MAX,
     .help = "Write what the channels held at this step as files for ParaView"},
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .argument = "DIR",
     .names = OPTION_NAMES_FOLDER,
     .help =
         "Folder for pictures (replay beside the recording unless given) or files (export/step_N beside it)"},
    {.name = "quiet", .letter = 'q', .kind = OPTION_FLAG, .help = "No progress, only what went wrong"},
    {0},
};

/* Refuses options that contradict each other. */
static int check_call(const option_values *values)
{
    const int draws = option_count(values, "pipeline") > 0 || option_text(values, "live"),
              lists = option_text(values, "list") != NULL, exports = option_text(values, "export") != NULL,
              ranges = option_text(values, "first") || option_text(values, "last");
    if (draws + lists + exports != 1)
        return cnn_fail(CNN_BAD_ARGUMENT, "one of --pipeline, --live, --list and --export is needed, %s",
                        draws + lists + exports ? "and only one" : "and none is given");
    if (option_text(values, "json") && !lists)
        return cnn_fail(CNN_BAD_ARGUMENT, "--json: only --list has it");
    if (option_text(values, "rate") && !option_text(values, "live"))
        return cnn_fail(CNN_BAD_ARGUMENT, "--rate: only --live has it");
    if (option_text(values, "output") && option_text(values, "live"))
        return cnn_fail(CNN_BAD_ARGUMENT, "--output: --live writes no files");
    if (option_text(values, "output") && lists)
        return cnn_fail(CNN_BAD_ARGUMENT, "--output: --list writes no files");
    if (ranges && !draws)
        return cnn_fail(CNN_BAD_ARGUMENT, "--%s: only --pipeline and --live have steps",
                        option_text(values, "first") ? "first" : "last");
    if (option_text(values, "first") && option_text(values, "last") &&
        option_whole(values, "first") > option_whole(values, "last"))
        return cnn_fail(CNN_BAD_ARGUMENT, "--first: %s is after --last %s", option_text(values, "first"),
                        option_text(values, "last"));
    return CNN_OK;
}

static char *recording_path(const char *operand)
{
    struct stat about;
    if (stat(operand, &about) < 0 || !S_ISDIR(about.st_mode))
        return text_copy(operand);
    run_folder folder = run_folder_of(operand);
    char *path = text_copy(folder.recording);
    run_folder_close(&folder);
    return path;
}

/* `name` in the folder of `path`; the caller frees it. */
static char *beside(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    return text_format("%.*s%s", slash ? (int)(slash + 1 - path) : 0, path, name);
}

static int fail(void)
{
    tell_error("%s", cnn_message());
    return EXIT_BAD_INPUT;
}

static void print_frame(void *context, uint64_t step, uint64_t bytes, uint64_t raw)
{
    (void)context;
    printf("  %12llu %12llu %12llu\n", (unsigned long long)step, (unsigned long long)bytes,
           (unsigned long long)raw);
}

static int list_json(const char *path)
{
    recording_facts facts;
    json_t *steps;
    if (recording_facts_steps(path, &facts, &steps))
        return fail();
    json_t *object = recording_facts_to_json(&facts);
    json_object_set_new(object, "steps", steps);
    json_dumpf(object, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(object);
    return EXIT_DONE;
}

static int list(const char *path)
{
    recording_facts facts;
    if (recording_facts_read(path, &facts))
        return fail();
    puts("recording");
    recording_facts_print(&facts);
    printf("  %12s %12s %12s\n", "step", "bytes", "in memory");
    if (!ws_recording_describe(path, &facts, print_frame, NULL))
        return EXIT_DONE;
    tell_error("%s", ws_message());
    return EXIT_FAILED;
}

static int export_step(const option_values *values, const char *path)
{
    recording_facts facts;
    if (recording_facts_read(path, &facts))
        return fail();
    const uint64_t step = option_whole(values, "export");
    char *name = text_format("export/step_%08llu", (unsigned long long)step);
    char *output =
        option_text(values, "output") ? text_copy(option_text(values, "output")) : beside(path, name);
    char *made = folders_make_around(output);
    const int status = ws_recording_export(path, step, output);
    if (status) {
        tell_error("%s", ws_message());
        if (made)
            folders_remove(output, made);
    } else {
        printf("step %llu is in %s\n", (unsigned long long)step, output);
    }
    free(name);
    free(output);
    free(made);
    return !status                                              ? EXIT_DONE
           : status == WS_BAD_ARGUMENT || status == WS_BAD_FILE ? EXIT_BAD_INPUT
                                                                : EXIT_FAILED;
}

/* Refuses a range in which the recording has nothing. */
static int check_range(const option_values *values, const char *path)
{
    recording_facts facts;
    const int status = recording_facts_read(path, &facts);
    if (status)
        return status;
    if (!facts.frames)
        return cnn_fail(CNN_BAD_ARGUMENT, "%s: has no frames", path);
    const int is_late = option_text(values, "first") && option_whole(values, "first") > facts.last_step,
              is_early = option_text(values, "last") && option_whole(values, "last") < facts.first_step;
    if (is_late || is_early)
        return cnn_fail(CNN_BAD_ARGUMENT, "--%s: %s is outside of the recorded steps, %llu to %llu",
                        is_late ? "first" : "last", option_text(values, is_late ? "first" : "last"),
                        (unsigned long long)facts.first_step, (unsigned long long)facts.last_step);
    return CNN_OK;
}

static int open_output(const option_values *values, const char *path, picture_folder *out)
{
    if (option_text(values, "output"))
        return picture_folder_open(option_text(values, "output"), out);
    char *folder = beside(path, "replay");
    const int status = picture_folder_open_free(folder, out);
    free(folder);
    return status;
}

/* Draws into a folder, or shows it live. */
static int draw_into(const option_values *values, const char *path, const char *folder)
{
    const drawing_scripts scripts = drawing_scripts_of_call(values);
    const int ranges = option_text(values, "first") || option_text(values, "last");
    ws_watch_options draw = {.scripts = scripts.texts,
                             .script_count = scripts.count,
                             .recording = path,
                             .output = folder,
                             .live = option_text(values, "live"),
                             .rate = option_text(values, "rate") ? option_real(values, "rate") : 0,
                             .first = option_text(values, "first") ? option_whole(values, "first") : 0,
                             .last = option_text(values, "last") ? option_whole(values, "last")
                                                                 : (ranges ? UINT64_MAX : 0)};
    const int exit_status = drawing_run(&draw, option_text(values, "quiet") != NULL);
    free(scripts.texts);
    return exit_status;
}

static int draw(const option_values *values, const char *path)
{
    picture_folder output;
    if (check_range(values, path))
        return fail();
    if (option_text(values, "live")) /* where the scripts would write, if they did */
        return draw_into(values, path, ".");
    if (open_output(values, path, &output))
        return fail();
    const int exit_status = draw_into(values, path, output.path);
    picture_folder_close(&output);
    return exit_status;
}

static int run(const app_command *self, option_values *values)
{
    (void)self;
    signals_let_writes_fail();
    if (check_call(values))
        return fail();
    char *path = recording_path(operand_at(values, 0));
    int exit_status;
    if (option_text(values, "list"))
        exit_status = option_text(values, "json") ? list_json(path) : list(path);
    else if (option_text(values, "export"))
        exit_status = export_step(values, path);
    else
        exit_status = draw(values, path);
    free(path);
    return exit_status;
}

const app_command command_replay = {.name = "replay",
                                    .operands = "FILE",
                                    .least = 1,
                                    .most = 1,
                                    .summary =
                                        "what a recording holds: drawn, listed, or as files for ParaView",
                                    .details = details,
                                    .options = options,
                                    .run = run};
