/* SPDX-License-Identifier: BSD-3-Clause */
/* The command `sweep`: many trainings that differ in some options, and what came of them. */
#include "cnn/status.h"
#include "command.h"
#include "comparison.h"
#include "exit_status.h"
#include "launch.h"
#include "signals.h"
#include "sweep_runs.h"
#include "tell.h"
#include "text.h"
#include <stdlib.h>

static const char details[] =
    "OPTION is any option of train that has a value. VALUES are a list, 0.1,0.01 (or, where values hold "
    "commas, "
    "separated by |), or, for a number, a range LOW..HIGH:COUNT or LOW..HIGH:log:COUNT. All combinations are "
    "trained; with --random N, N that are drawn, from ranges without a COUNT, too. What follows `--` are "
    "options "
    "of train that all runs share.\n\n"
    "weightscape sweep --data data/mnist -o sweeps/rate --vary lr=1e-4..1e-1:log:4 --vary optimizer=sgd,adam "
    "-- "
    "--epochs 2\n\n"
    "FOLDER/NAME is the ordinary folder of a run, sweep.json what was asked, sweep.csv the table, best "
    "first, "
    "compare.png the runs against one another (see weightscape compare). The same call again goes on: runs "
    "that "
    "are complete are kept, those that were interrupted are resumed.\n\n"
    "Exit status: 0 all runs are complete, or were stopped by weightscape ctl; 1 some run failed or diverged "
    "(the "
    "others were done), or a file could not be written; 2 nothing was begun: the call, or a file it names, "
    "cannot "
    "be used; 130 or 143 ended by SIGINT or SIGTERM: the trainings end after their step, with a checkpoint; "
    "a "
    "second signal ends all at once.";

static const app_option options[] = {
    {.name = "data",
     .kind = OPTION_TEXT,
     .argument = "DIR",
     .names = OPTION_NAMES_FOLDER,
     .help = "Folder with the four IDX files of a set, as of train"},
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .argument = "FOLDER",
     .names = OPTION_NAMES_FOLDER,
     .help = "Folder of the sweep: a new one, or that of the same sweep, to go on"},
    {.name = "vary",
     .kind = OPTION_TEXT,
     .repeatable = 1,
     .argument = "OPTION=VALUES",
     .help = "What the runs differ in; may be repeated"},
    {.name = "random",
     .kind = OPTION_WHOLE,
     .argument = "N",
     .least = 1,
     .most = SWEEP_MOST_RUNS,
     .help = "Draw N runs at random instead of all combinations"},
    {.name = "seed",
     .kind = OPTION_WHOLE,
     .argument = "N",
     .fallback = "1",
     .most = INT64_MAX,
     .help = "What --random draws follows from it"},
    {.name = "jobs",
     .letter = 'j',
     .kind = OPTION_WHOLE,
     .argument = "N",
     .fallback = "1",
     .least = 1,
     .most = 256,
     .help = "Runs at a time, which share the processors; the results do not depend on it"},
    {.name = "no-picture", .kind = OPTION_FLAG, .help = "Do not draw compare.png"},
    {.name = "quiet",
     .letter = 'q',
     .kind = OPTION_FLAG,
     .help = "No progress and no table, only what went wrong"},
    {0},
};

static void tell_text(char *text)
{
    tell_line(text);
    free(text);
}

static int holds_only(const sweep_plan *plan, const sweep_result *results, sweep_outcome outcome)
{
    for (size_t i = 0; i < plan->run_count; i++)
        if (results[i].outcome != outcome)
            return 0;
    return 1;
}

/* The picture is worth having where there is more than one run; a machine that cannot draw it has the rest.
 */
static void draw(const sweep_plan *plan, const sweep_folder *folder, int quiet)
{
    char **runs = memory_of(plan->run_count + 1, sizeof *runs);
    for (size_t i = 0; i < plan->run_count; i++)
        runs[i] = text_format("%s/%s", folder->path, plan->runs[i].name);
    const comparison wanted = {.runs = runs, .output = folder->picture, .by = plan->axes[0].option->name};
    if (comparison_draw(&wanted))
        tell_warning("%s: not drawn: %s", folder->picture, cnn_message());
    else if (!quiet)
        tell_text(text_format("picture: %s", folder->picture));
    for (size_t i = 0; i < plan->run_count; i++)
        free(runs[i]);
    free(runs);
}

/* The best value of a number is the first or last that was tried: better ones may lie beyond. */
static void tell_edges(const sweep_plan *plan, size_t best)
{
    for (size_t i = 0; i < plan->axis_count; i++) {
        const char *value = plan->runs[best].values[i];
        const int end = sweep_axis_is_end(&plan->axes[i], value);
        if (end)
            tell_text(text_format("%s=%s is the %s that was tried: better ones may lie %s it",
                                  plan->axes[i].option->name, value, end < 0 ? "lowest" : "highest",
                                  end < 0 ? "below" : "above"));
    }
}

static void tell_end(const sweep_plan *plan, const sweep_folder *folder, const sweep_result *results)
{
    sweep_result_tell(plan, results);
    size_t *order = sweep_result_order(plan, results);
    const size_t best = order[0];
    free(order);
    if (results[best].outcome == SWEEP_COMPLETE) {
        char *words = sweep_plan_words(plan, best);
        tell_text(text_format("best: %s, in %s/%s", words, folder->path, plan->runs[best].name));
        free(words);
        tell_edges(plan, best);
    }
    tell_text(text_format("table: %s", folder->table));
}

static int exit_status_of(const sweep_plan *plan, const sweep_result *results)
{
    for (size_t i = 0; i < plan->run_count; i++)
        if (results[i].outcome == SWEEP_FAILED || results[i].outcome == SWEEP_DIVERGED)
            return EXIT_FAILED;
    return EXIT_DONE;
}

static int sweep(const option_values *values, const sweep_plan *plan, const sweep_folder *folder)
{
    const size_t jobs = option_whole(values, "jobs");
    const sweep_manner manner = {.jobs = (int)(jobs < plan->run_count ? jobs : plan->run_count),
                                 .quiet = option_text(values, "quiet") != NULL};
    sweep_result *results = memory_of(plan->run_count, sizeof *results);
    signals_catch();
    sweep_runs_do(plan, folder, &manner, results);
    int exit_status = exit_status_of(plan, results);
    if (sweep_result_write(folder->table, plan, results)) {
        tell_error("%s", cnn_message());
        exit_status = EXIT_FAILED;
    }
    if (!manner.quiet)
        tell_end(plan, folder, results);
    if (signals_caught()) {
        tell_warning("ended by a signal; the same call goes on");
        exit_status = 128 + signals_caught();
    } else if (!option_text(values, "no-picture") && !holds_only(plan, results, SWEEP_FAILED)) {
        draw(plan, folder, manner.quiet);
    }
    free(results);
    return exit_status;
}

static int run(const app_command *self, option_values *values)
{
    (void)self;
    signals_let_writes_fail();
    /* Its trainings would take each other for ranks of one. */
    if (launch_copies() > 1) {
        tell_error("%d copies of a sweep were started; one is enough, and it shares out the processors",
                   launch_copies());
        return EXIT_BAD_INPUT;
    }
    if (!option_text(values, "output")) {
        tell_error("--output is missing: the folder of the sweep");
        return EXIT_BAD_INPUT;
    }
    sweep_plan plan;
    const int result = sweep_plan_make(values, &plan);
    if (result != OPTIONS_GOOD)
        return result == OPTIONS_HELPED ? EXIT_DONE : EXIT_BAD_INPUT;
    sweep_folder folder;
    json_t *asked = sweep_plan_json(&plan);
    int exit_status = EXIT_BAD_INPUT;
    if (sweep_folder_open(option_text(values, "output"), asked, &folder)) {
        tell_error("%s", cnn_message());
    } else {
        exit_status = sweep(values, &plan, &folder);
        sweep_folder_close(&folder);
    }
    json_decref(asked);
    sweep_plan_free(&plan);
    return exit_status;
}

const app_command command_sweep = {.name = "sweep",
                                   .operands = "[-- OPTION OF TRAIN...]",
                                   .least = 0,
                                   .most = 1000,
                                   .summary = "train with many values of some options, and compare",
                                   .details = details,
                                   .options = options,
                                   .run = run};
