/* SPDX-License-Identifier: BSD-3-Clause */
/* The command `watch`: draws a run from outside, while it trains or afterwards. */
#include "cnn/status.h"
#include "command.h"
#include "drawing.h"
#include "exit_status.h"
#include "last_state.h"
#include "picture_folder.h"
#include "run_folder.h"
#include "run_state.h"
#include "signals.h"
#include "tell.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char details[] =
    "With --pipeline it attaches to a run that trains, without disturbing it, and draws until the run or a "
    "signal "
    "ends it; of a run that has ended it draws what is recorded, or, without a recording, its last state. "
    "Several "
    "may watch one run at once.\n\n"
    "Without options it draws what the run's own scripts have left over, into the run's own images.\n\n"
    "With --live nothing is drawn: the run, and what scripts make of it, is shown in a ParaView that waits "
    "for it "
    "(Catalyst > Connect) and may come late, leave and come back. Of a run that has ended its recording is "
    "shown, one step after the other.\n\n"
    "Exit status: 0 done; 1 something failed; 2 the call or the run cannot be used; 130 or 143 ended by "
    "SIGINT or "
    "SIGTERM.";

static const app_option options[] = {
    {.name = "pipeline",
     .kind = OPTION_TEXT,
     .repeatable = 1,
     .argument = "SCRIPT[,key=value...]",
     .names = OPTION_NAMES_FILE,
     .help = "Catalyst script that draws; may be repeated; the run's own unless given"},
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .argument = "DIR",
     .names = OPTION_NAMES_FOLDER,
     .help = "Folder for the pictures; RUN/watch/SCRIPT unless given"},
    {.name = "latest",
     .kind = OPTION_FLAG,
     .help = "Draw the newest state again and again, at whatever step, until the run ends"},
    {.name = "live",
     .kind = OPTION_TEXT,
     .argument = "HOST:PORT",
     .implied = "localhost:22222",
     .help =
         "Show the run in the ParaView that listens at HOST:PORT, localhost:22222 unless given; nothing is "
         "written"},
    {.name = "quiet", .letter = 'q', .kind = OPTION_FLAG, .help = "No progress, only what went wrong"},
    {0},
};

/* One call: the run, and how to draw it. */
typedef struct watched {
    run_folder folder;
    json_t *record;
    drawing_scripts scripts;
    const char *live; /* NULL: drawn into files */
    int latest, quiet;
} watched;

/* Draws what the run's own scripts have left. */
static int draw_own(watched *run)
{
    run_folder locked;
    if (run_folder_open(run->folder.path, &locked)) {
        tell_error("%s", cnn_message());
        return EXIT_BAD_INPUT;
    }
    int exit_status = EXIT_DONE;
    ws_watch_options draw = {.scripts = run->scripts.texts,
                             .script_count = run->scripts.count,
                             .folder = run->folder.path,
                             .output = run->folder.images,
                             .own = 1};
    if (access(run->folder.backlog, F_OK) == 0)
        exit_status = drawing_run(&draw, run->quiet);
    else if (!run->quiet)
        tell_line("nothing is left to draw");
    run_folder_close(&locked);
    return exit_status;
}

static int open_output(const option_values *values, const watched *run, picture_folder *out)
{
    if (option_text(values, "output"))
        return picture_folder_open(option_text(values, "output"), out);
    char *name = drawing_name(run->scripts.texts[0]);
    char *path = text_format("%s/watch/%s", run->folder.path, name);
    const int status = picture_folder_open_free(path, out);
    free(name);
    free(path);
    return status;
}

static int has_frames(const watched *run)
{
    return run_folder_is_used(run->folder.path) || access(run->folder.recording, F_OK) == 0 ||
           access(run->folder.backlog, F_OK) == 0;
}

static int draw_into(const watched *run, const char *output)
{
    if (!has_frames(run))
        return last_state_draw(&run->folder, run->record, &run->scripts, output, run->quiet);
    ws_watch_options draw = {.scripts = run->scripts.texts,
                             .script_count = run->scripts.count,
                             .folder = run->folder.path,
                             .output = output,
                             .latest = run->latest};
    return drawing_run(&draw, run->quiet);
}

static int draw_apart(const option_values *values, const watched *run)
{
    picture_folder output;
    if (open_output(values, run, &output)) {
        tell_error("%s", cnn_message());
        return EXIT_BAD_INPUT;
    }
    const int exit_status = draw_into(run, output.path);
    picture_folder_close(&output);
    return exit_status;
}

static int show_live(const watched *run)
{
    if (!has_frames(run)) {
        tell_error("%s: the run does not train now, and has no recording to show", run->folder.path);
        return EXIT_BAD_INPUT;
    }
    ws_watch_options show = {.scripts = run->scripts.texts,
                             .script_count = run->scripts.count,
                             .folder = run->folder.path,
                             .output = run->folder.images,
                             .live = run->live};
    return drawing_run(&show, run->quiet);
}

static int check_call(const option_values *values)
{
    for (const char *const *name = (const char *const[]){"output", "latest", NULL}; *name; name++)
        if (option_text(values, "live") && option_text(values, *name))
            return cnn_fail(CNN_BAD_ARGUMENT,
                            "--%s: not with --live, which writes nothing and shows what is newest", *name);
    return CNN_OK;
}

static int open_run(const option_values *values, watched *run)
{
    run->folder = run_folder_of(operand_at(values, 0));
    run->latest = option_text(values, "latest") != NULL;
    run->live = option_text(values, "live");
    run->quiet = option_text(values, "quiet") != NULL;
    const int status = run_state_record(&run->folder, &run->record);
    if (status)
        return status;
    run->scripts = option_count(values, "pipeline") ? drawing_scripts_of_call(values)
                                                    : drawing_scripts_of_run(run->record);
    return run->scripts.count || run->live
               ? CNN_OK
               : cnn_fail(CNN_BAD_ARGUMENT, "%s: has no scripts of its own (--pipeline tells some)",
                          run->folder.path);
}

static int run(const app_command *self, option_values *values)
{
    (void)self;
    signals_let_writes_fail();
    watched run = {0};
    int exit_status = EXIT_BAD_INPUT;
    const int is_own =
        !option_count(values, "pipeline") && !option_text(values, "output") && !option_text(values, "latest");
    if (check_call(values) || open_run(values, &run))
        tell_error("%s", cnn_message());
    else if (run.live)
        exit_status = show_live(&run);
    else
        exit_status = is_own ? draw_own(&run) : draw_apart(values, &run);
    free(run.scripts.texts);
    json_decref(run.record);
    run_folder_close(&run.folder);
    return exit_status;
}

const app_command command_watch = {.name = "watch",
                                   .operands = "RUN",
                                   .least = 1,
                                   .most = 1,
                                   .summary = "draw a run from outside, while it trains or afterwards",
                                   .details = details,
                                   .options = options,
                                   .run = run};
