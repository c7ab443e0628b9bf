/* SPDX-License-Identifier: BSD-3-Clause */
#include "sidecar_main.h"
#include "child.h"
#include "endpoint.h"
#include "follow.h"
#include "paths.h"
#include "priority.h"
#include "request.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct sidecar {
    ws_ring_reader *reader;
    ws_scripts scripts;
    ws_paths paths;
    ws_endpoint viewer;
    ws_pictures pictures;
    ws_row_layout layout;
    ws_curve *nothing; /* the history as the scripts see it when they are imported */
    ws_follow_plan plan;
    ws_feed *feed;
    ws_pace pace;
} sidecar;

#define WAIT_NANOSECONDS 5000000

static volatile sig_atomic_t is_asked_to_end;

static void take_signal(int number)
{
    (void)number;
    is_asked_to_end = 1;
    alarm(WS_CHILD_STOP_SECONDS); /* nobody is left to end it, perhaps, and a script may hang */
}

static int is_to_end(void *context)
{
    (void)context;
    return is_asked_to_end;
}

/* A ParaView whose sender ends in the middle of a delivery ends, too. */
static void end_when_asked(ws_follow_plan *plan)
{
    const struct sigaction action = {.sa_handler = take_signal, .sa_flags = SA_RESTART};
    sigaction(SIGTERM, &action, NULL);
    plan->stop = plan->options.stop = is_to_end;
}

static void tell_trainer(void *context, ws_log_level level, const char *line)
{
    ws_ring_tell(context, level, line);
}

/* The training tells the line, as one of this process. */
static void print_line(void *context, ws_log_level level, const char *line)
{
    (void)context;
    (void)level;
    fprintf(stderr, "%s\n", line);
}

/* The training listens to its own reader; other processes that it has started it hears by their output. */
static ws_log log_of(ws_ring_reader *reader, int is_viewer)
{
    return is_viewer ? (ws_log){print_line, NULL} : (ws_log){tell_trainer, reader};
}

static int read_scripts(const json_t *list, ws_scripts *out)
{
    out->at = calloc(json_array_size(list) + 1, sizeof *out->at);
    if (!out->at)
        return ws_fail(WS_NO_MEMORY, "no memory for scripts");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const int status = ws_request_read_script(json_array_get(list, i), &out->at[i]);
        if (status)
            return status;
        out->count++;
    }
    return WS_OK;
}

static int open_all(const json_t *request, sidecar *out)
{
    json_t *scripts, *layers;
    const char *folder;
    double seconds;
    json_int_t first_step, shown_until;
    int may_draw, always;
    const char *live = NULL;
    if (json_unpack((json_t *)request, "{s:o, s:o, s:s, s:F, s:I, s:I, s:b, s:b, s?s}", "scripts", &scripts,
                    "layers", &layers, "folder", &folder, "seconds", &seconds, "first_step", &first_step,
                    "shown_until", &shown_until, "may_draw", &may_draw, "always", &always, "live",
                    &live) != 0)
        return ws_fail(WS_BAD_ARGUMENT, "the request is not understood");
    int status = live ? ws_endpoint_parse(live, &out->viewer) : WS_OK;
    /* What is drawn for the run must be seen; who only shows it is a viewer as any other. */
    if (status == WS_OK)
        status = ws_ring_attach(SIDECAR_RING, NULL, !live, NULL, live != NULL, &out->reader);
    if (status == WS_OK)
        status = read_scripts(scripts, &out->scripts);
    if (status == WS_OK)
        status = ws_paths_of(folder, &out->paths);
    if (status == WS_OK)
        status = ws_request_read_layout(layers, &out->layout);
    if (status == WS_OK)
        status = ws_curve_create(&out->layout, &out->nothing);
    if (status)
        return status;
    out->plan = (ws_follow_plan){.reader = out->reader,
                                 .pictures = &out->pictures,
                                 .options = {.scripts = &out->scripts,
                                             .base = ws_ring_base(out->reader, &(size_t){0}),
                                             .script_seconds = seconds,
                                             .first_step = (uint64_t)first_step,
                                             .shown_until = (uint64_t)shown_until,
                                             .always = always,
                                             .is_expendable = !live,
                                             .is_idle = 1,
                                             .live_host = live ? out->viewer.host : NULL,
                                             .live_port = out->viewer.port,
                                             .log = log_of(out->reader, live != NULL)},
                                 .is_live = live != NULL,
                                 .last = WS_NEVER,
                                 .is_replaced = !live,
                                 .ended = live ? NULL : ws_priority_normal};
    if (live)
        end_when_asked(&out->plan);
    return ws_pictures_adopt(&out->pictures, &out->plan.options, may_draw);
}

/* Imports the scripts; the training may not have begun yet. */
static int start(sidecar *self)
{
    ws_history_view nothing;
    ws_curve_look(self->nothing, &nothing);
    return ws_pictures_start(&self->pictures, &self->plan.options, &nothing);
}

/* 1 when the training has begun; 0 if it never will. */
static int wait_for_training(const sidecar *self)
{
    while (!ws_ring_is_open(self->reader)) {
        if (is_asked_to_end || ws_ring_look(self->reader) != WS_RING_RUNS)
            return 0;
        ws_ring_beat(self->reader);
        nanosleep(&(struct timespec){.tv_nsec = WAIT_NANOSECONDS}, NULL);
    }
    return 1;
}

static int follow(sidecar *self)
{
    const int is_viewer = self->plan.is_live;
    const ws_feed_plan feed = {.reader = self->reader,
                               .history = self->paths.history,
                               .backlog = is_viewer ? NULL : self->paths.backlog,
                               .only_newest = is_viewer};
    const int status = ws_feed_open(&feed, &self->feed);
    if (status)
        return status;
    ws_followed followed;
    self->plan.feed = self->feed;
    self->plan.after = ws_ring_done_step(self->reader);
    if (!is_viewer) {
        ws_pace_begin(&self->pace, getppid());
        self->plan.pace = &self->pace;
    }
    const int end = ws_follow(&self->plan, &followed);
    return end == WS_STOPPED ? WS_OK : end;
}

static void tell_counts(const sidecar *self)
{
    ws_bridge_counts counts;
    ws_pictures_counts(&self->pictures, &counts);
    ws_ring_count(self->reader,
                  &(ws_ring_counts){counts.images_written, counts.images_expected, counts.script_failures});
}

/* What is started before the training begins takes nothing from it, and is not held up. An idle virtual
 * display would not get the time to end where all processors are busy, and costs next to nothing: it has been
 * started already. */
static int run(sidecar *self)
{
    const int is_viewer = self->plan.is_live;
    if (is_viewer)
        ws_priority_viewer();
    else if (ws_ring_is_open(self->reader))
        ws_priority_idle();
    ws_priority_expendable();
    const int status = start(self);
    if (status || !wait_for_training(self))
        return status;
    if (!is_viewer)
        ws_priority_idle();
    return follow(self);
}

int sidecar_main(const json_t *request)
{
    sidecar self = {0};
    int status = open_all(request, &self);
    if (status == WS_OK)
        status = run(&self);
    if (status) {
        fprintf(stderr, "%s\n", ws_message());
        return 1;
    }
    /* The scripts' last words, which still go to the training. */
    tell_counts(&self);
    ws_pictures_end(&self.pictures);
    ws_ring_detach(self.reader);
    return 0;
}
