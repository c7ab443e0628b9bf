/* SPDX-License-Identifier: BSD-3-Clause */
#include "sweep_runs.h"
#include "clock.h"
#include "cnn/status.h"
#include "cnn/threads.h"
#include "signals.h"
#include "sweep_child.h"
#include "tell.h"
#include "text.h"
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 50, LIVE_SECONDS = 1, LINE_SECONDS = 60 };

/* All of it while it goes on. */
typedef struct doing {
    const sweep_plan *plan;
    const sweep_folder *folder;
    const sweep_manner *manner;
    sweep_result *results;
    sweep_child *children;       /* one per run */
    uint64_t *begun_at;          /* the steps that a run had done when this session took it up */
    char *is_done, *was_held_up; /* per run: 1 or 0 */
    int threads;                 /* of each run; 0: as the options say */
    size_t running, done;
    int is_ending; /* the trainings have been asked to end */
    double started, told;
} doing;

static char *path_of(const doing *all, size_t run)
{
    return text_format("%s/%s", all->folder->path, all->plan->runs[run].name);
}

/* ---- time ---- */

static double share_of(const doing *all, size_t run, uint64_t steps)
{
    const uint64_t whole = all->plan->runs[run].steps;
    return whole ? (double)(steps < whole ? steps : whole) / (double)whole : 1;
}

/* Seconds until all is done, from the images of this session so far; NaN before there are any. */
static double seconds_left(const doing *all)
{
    double trained = 0, left = 0;
    for (size_t i = 0; i < all->plan->run_count; i++) {
        char *path = path_of(all, i);
        const uint64_t step = all->children[i].pid ? sweep_child_step(path) : all->results[i].step;
        const double images = all->plan->runs[i].images;
        free(path);
        if (step > all->begun_at[i])
            trained += images * (share_of(all, i, step) - share_of(all, i, all->begun_at[i]));
        if (!all->is_done[i])
            left += images * (1 - share_of(all, i, step));
    }
    return trained > 0 ? left * (clock_seconds() - all->started) / trained : NAN;
}

/* "; 3 min 20 s left", or "" where that is not known. The caller frees it. */
static char *words_left(const doing *all)
{
    char time[TEXT_TIME_SIZE];
    const double seconds = all->done < all->plan->run_count ? seconds_left(all) : NAN;
    return isnan(seconds) || all->is_ending ? text_copy("")
                                            : text_format("; about %s left", text_of_time(seconds, time));
}

/* ---- telling ---- */

/* What came of a run; the caller frees it. */
static char *words_of(const sweep_result *result)
{
    char time[TEXT_TIME_SIZE];
    const unsigned long long step = result->step;
    if (result->outcome == SWEEP_COMPLETE && !isnan(result->accuracy))
        return text_format("%.2f %% in %s", 100 * result->accuracy, text_of_time(result->seconds, time));
    if (result->outcome == SWEEP_COMPLETE)
        return text_format("%llu steps in %s", step, text_of_time(result->seconds, time));
    if (result->outcome == SWEEP_FAILED && !step)
        return text_copy("failed");
    return text_format("%s after step %llu", sweep_outcome_name(result->outcome), step);
}

static void tell_run(const doing *all, size_t run)
{
    if (all->manner->quiet)
        return;
    char *values = sweep_plan_words(all->plan, run), *what = words_of(&all->results[run]),
         *left = words_left(all);
    char *line = text_format("[%zu/%zu] %s: %s%s", all->done, all->plan->run_count, values, what, left);
    tell_line(line);
    free(line);
    free(left);
    free(what);
    free(values);
}

/* What runs now, on a terminal all the time, else every minute. */
static void tell_running(doing *all)
{
    const double now = clock_seconds();
    if (all->manner->quiet || now < all->told + (tell_is_live() ? LIVE_SECONDS : LINE_SECONDS))
        return;
    all->told = now;
    char *text = text_format("[%zu/%zu]", all->done, all->plan->run_count), *left = words_left(all);
    for (size_t i = 0; i < all->plan->run_count; i++) {
        if (!all->children[i].pid)
            continue;
        char *path = path_of(all, i), *values = sweep_plan_words(all->plan, i);
        char *longer = text_format("%s%s %s at step %llu of %llu", text, strchr(text, '=') ? "," : "", values,
                                   (unsigned long long)sweep_child_step(path),
                                   (unsigned long long)all->plan->runs[i].steps);
        free(path);
        free(values);
        free(text);
        text = longer;
    }
    char *line = text_format("%s%s", text, left);
    if (tell_is_live())
        tell_live(line);
    else
        tell_line(line);
    free(line);
    free(left);
    free(text);
}

/* ---- one run ---- */

static void finish(doing *all, size_t run)
{
    all->is_done[run] = 1;
    all->done++;
    tell_run(all, run);
    if (sweep_result_write(all->folder->table, all->plan, all->results))
        tell_warning("%s", cnn_message());
}

static void fail(doing *all, size_t run)
{
    tell_error("%s: %s", all->plan->runs[run].name, cnn_message());
    all->results[run].outcome = SWEEP_FAILED;
    finish(all, run);
}

/* Starts a run whose folder nobody else writes to. Returns 1 if it runs. */
static int start(doing *all, size_t run)
{
    char *path = path_of(all, run);
    const int what = sweep_child_prepare(path);
    if (what >= 0) {
        char **options = sweep_plan_arguments(all->plan, run);
        all->begun_at[run] = all->results[run].step;
        if (sweep_child_start(path, options, what, all->threads, &all->children[run]))
            fail(all, run);
        else
            all->running++;
        for (size_t i = 0; options[i]; i++)
            free(options[i]);
        free(options);
    } else if (!all->was_held_up[run]) {
        tell_warning("%s: waits for another process that is writing there", path);
    }
    all->was_held_up[run] = what < 0;
    free(path);
    return all->children[run].pid != 0;
}

/* How it ended, from its record and its exit status. */
static void take_end(doing *all, size_t run, int exit_status)
{
    char *path = path_of(all, run);
    sweep_result result = sweep_result_read(path);
    free(path);
    const int was_killed = exit_status > 128 && !all->is_ending;
    if (was_killed)
        tell_error("%s: was ended by signal %d", all->plan->runs[run].name, exit_status - 128);
    if (result.outcome == SWEEP_STOPPED && was_killed)
        result.outcome = SWEEP_FAILED;
    else if (result.outcome == SWEEP_WAITS)
        result.outcome = all->is_ending ? SWEEP_STOPPED : SWEEP_FAILED;
    else if (result.outcome == SWEEP_COMPLETE && exit_status)
        result.outcome = SWEEP_FAILED;
    all->results[run] = result;
    all->running--;
    finish(all, run);
}

/* ---- all runs ---- */

/* What earlier sessions have left. */
static void look(doing *all)
{
    size_t before = 0;
    for (size_t i = 0; i < all->plan->run_count; i++) {
        char *path = path_of(all, i);
        all->results[i] = sweep_result_read(path);
        all->begun_at[i] = all->results[i].step;
        free(path);
        all->is_done[i] =
            all->results[i].outcome == SWEEP_COMPLETE || all->results[i].outcome == SWEEP_DIVERGED;
        before += (size_t)all->is_done[i];
    }
    all->done = before;
    if (!before || all->manner->quiet)
        return;
    char *line = text_format("%zu of %zu runs were done before", before, all->plan->run_count);
    tell_line(line);
    free(line);
}

static void start_some(doing *all)
{
    for (size_t i = 0; i < all->plan->run_count && all->running < (size_t)all->manner->jobs; i++)
        if (!all->is_done[i] && !all->children[i].pid)
            start(all, i);
}

static void end_all(doing *all)
{
    all->is_ending = 1;
    for (size_t i = 0; i < all->plan->run_count; i++)
        if (all->children[i].pid)
            kill(all->children[i].pid, SIGTERM);
}

/* Waits a moment, or less if a training says something. */
static void wait_for_children(const doing *all)
{
    struct pollfd *heard = memory_of(all->running + 1, sizeof *heard);
    nfds_t count = 0;
    for (size_t i = 0; i < all->plan->run_count; i++)
        if (all->children[i].pid)
            heard[count++] = (struct pollfd){.fd = all->children[i].errors, .events = POLLIN};
    poll(heard, count, TICK_MS);
    /* A pipe that is closed already would be reported again and again. */
    for (nfds_t i = 0; i < count; i++)
        if (heard[i].revents & POLLHUP) {
            poll(NULL, 0, TICK_MS);
            break;
        }
    free(heard);
}

static void look_after_children(doing *all)
{
    for (size_t i = 0; i < all->plan->run_count; i++) {
        sweep_child *child = &all->children[i];
        int exit_status;
        if (!child->pid)
            continue;
        sweep_child_listen(child, all->plan->runs[i].name, all->is_ending);
        if (sweep_child_has_ended(child, all->plan->runs[i].name, all->is_ending, &exit_status))
            take_end(all, i, exit_status);
    }
}

/* The processors, shared out among the runs: no core is asked for twice. */
static int threads_of_each(const doing *all)
{
    cnn_threads *threads;
    for (size_t i = 0; i < all->plan->axis_count; i++)
        if (!strcmp(all->plan->axes[i].option->name, "threads"))
            return 0;
    const int asked = (int)option_whole(all->plan->shared, "threads");
    if (asked || cnn_threads_create(0, &threads))
        return asked;
    const int processors = cnn_threads_count(threads);
    cnn_threads_free(threads);
    return all->manner->jobs < processors ? processors / all->manner->jobs : 1;
}

void sweep_runs_do(const sweep_plan *plan, const sweep_folder *folder, const sweep_manner *manner,
                   sweep_result *results)
{
    doing all = {.plan = plan,
                 .folder = folder,
                 .manner = manner,
                 .results = results,
                 .children = memory_of(plan->run_count, sizeof *all.children),
                 .begun_at = memory_of(plan->run_count, sizeof *all.begun_at),
                 .is_done = memory_of(plan->run_count, 1),
                 .was_held_up = memory_of(plan->run_count, 1),
                 .started = clock_seconds(),
                 .told = clock_seconds()};
    all.threads = threads_of_each(&all);
    look(&all);
    while (all.running || (all.done < plan->run_count && !all.is_ending)) {
        if (signals_caught() && !all.is_ending)
            end_all(&all);
        if (!all.is_ending)
            start_some(&all);
        wait_for_children(&all);
        look_after_children(&all);
        tell_running(&all);
    }
    free(all.children);
    free(all.begun_at);
    free(all.is_done);
    free(all.was_held_up);
}
