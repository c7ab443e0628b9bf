/* SPDX-License-Identifier: BSD-3-Clause */
/* The command `train`: from options to a session, and from its end to an exit status. */
#include "cnn/status.h"
#include "command.h"
#include "exit_status.h"
#include "run_record.h"
#include "session.h"
#include "signals.h"
#include "tell.h"
#include "text.h"
#include "train_options.h"
#include "train_paths.h"
#include <stdlib.h>

static const char details[] =
    "The network is a chain of layers: conv K RxS [stride N] [same|valid], relu, maxpool N [stride M], "
    "dropout RATE, "
    "linear OUT; the last one is linear CLASSES.\n\n"
    "Scripts run in a process of their own, the sidecar, unless --insitu says otherwise: the training never "
    "waits "
    "for them, and what they have not drawn when it ends is drawn then. `weightscape watch RUN` attaches to "
    "a run "
    "meanwhile.\n\n"
    "The run's folder holds run.json, metrics.csv (a row per step), history.ws, checkpoints/, images/ and, "
    "with "
    "--record, recording.wsrec. "
    "checkpoints/last.safetensors is the newest state; --resume RUN goes on from it to the same bits as a "
    "run that never "
    "stopped.\n\n"
    "`weightscape ctl RUN` turns knobs, pauses and stops it while it trains; steering.jsonl is the log of "
    "that, "
    "which --replay-steering repeats.\n\n"
    "With --merge, or when `weightscape ctl RUN merge` asks for it, similar filters become one while it "
    "trains; "
    "`weightscape ctl RUN undo-merge` goes back to the state before the last merge. A merge by schedule is "
    "made after "
    "its step and before that step's checkpoint.\n\n"
    "Copies that mpirun or srun starts are one training, whose batches they share.\n\n"
    "SIGINT or SIGTERM ends the training after its step, with a checkpoint, or, when all steps are done, the "
    "wait for "
    "pictures; a second one ends it at once.\n\n"
    "Exit status: 0 all steps done, or stopped by weightscape ctl; 1 something failed (a value is not "
    "finite, a file could not be written; "
    "with "
    "--strict, a script failed or a picture is missing); 2 nothing was begun: the call, or a file it names, "
    "cannot be used; 130 or 143 "
    "ended by SIGINT "
    "or SIGTERM.";

/* Lays the record of the run to resume under the call's own options. */
static int open_resumed(const char *path, option_values *values, run_folder *folder, json_t **record)
{
    int status = run_folder_open(path, folder);
    if (!status)
        status = run_record_read(folder->record, record);
    if (!status)
        status = run_record_apply(folder->record, *record, values);
    return status;
}

static int prepare(option_values *values, train_plan *plan, run_folder *folder, json_t **record)
{
    const char *resumed = option_text(values, "resume");
    int status = train_options_check(values);
    if (!status && resumed)
        status = open_resumed(resumed, values, folder, record);
    if (!status)
        status = train_paths_make_absolute(values);
    if (!status)
        status = train_plan_make(values, plan);
    return status;
}

/* Trains to the end, from the state before a merge wherever one is undone. */
static int run_session(app_session **session, int *status)
{
    int exit_status = session_run(*session);
    while (session_is_to_return(*session)) {
        *status = session_return(session);
        if (*status)
            return EXIT_FAILED;
        exit_status = session_run(*session);
    }
    session_close(*session);
    return exit_status;
}

static int run(const app_command *self, option_values *values)
{
    (void)self;
    signals_let_writes_fail();
    train_plan plan = {0};
    run_folder folder = {.lock = -1};
    json_t *record = NULL;
    int status = prepare(values, &plan, &folder, &record);
    int exit_status = EXIT_BAD_INPUT;
    app_session *session;
    if (!status)
        status = session_open(&plan, values, &folder, record, NULL, &session);
    if (!status)
        exit_status = run_session(&session, &status);
    if (status) {
        tell_error("%s", cnn_message());
        if (status == CNN_NO_MEMORY)
            exit_status = EXIT_FAILED;
    }
    json_decref(record);
    run_folder_close(&folder);
    train_plan_free(&plan);
    return exit_status;
}

const app_command command_train = {.name = "train",
                                   .operands = "",
                                   .summary = "train a network and show it in situ",
                                   .details = details,
                                   .options = train_option_table,
                                   .run = run,
                                   .has_ranks = 1};
