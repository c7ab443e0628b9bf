/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of the public API that looks at runs from outside. */
#include "endpoint.h"
#include "follow.h"
#include "paths.h"
#include "viewers.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCRIPT_SECONDS 120
#define MOST_RATE      1000.0

/* One watching, with all that it opens. */
typedef struct watching {
    const ws_watch_options *options;
    ws_log log;
    ws_paths paths;
    ws_scripts scripts;
    ws_layers layers;   /* names and kinds */
    ws_endpoint viewer; /* with options.live */
    ws_ring_reader *reader;
    ws_feed *feed;
    ws_pictures pictures;
    ws_followed followed;
} watching;

static int check_options(const ws_watch_options *options)
{
    if (options->size != sizeof *options)
        return ws_fail(WS_BAD_ARGUMENT, "ws_watch_options.size is %u, this library's is %zu", options->size,
                       sizeof *options);
    if (!options->folder && !options->recording)
        return ws_fail(WS_BAD_ARGUMENT, "ws_watch_options: neither folder nor recording is given");
    if (!options->live && (options->script_count == 0 || !options->scripts))
        return ws_fail(WS_BAD_ARGUMENT, "ws_watch_options: there is no script to draw with");
    if (options->live && options->own)
        return ws_fail(WS_BAD_ARGUMENT, "ws_watch_options: what is left to draw is drawn, not shown live");
    if (!(options->rate >= 0 && options->rate <= MOST_RATE))
        return ws_fail(WS_BAD_ARGUMENT, "ws_watch_options.rate is %g, must be from 0 to %g", options->rate,
                       MOST_RATE);
    if (options->first > options->last && options->last > 0)
        return ws_fail(WS_BAD_ARGUMENT, "ws_watch_options: the first step, %llu, is after the last, %llu",
                       (unsigned long long)options->first, (unsigned long long)options->last);
    return WS_OK;
}

/* Attaches if the run trains now. */
static int attach(watching *self)
{
    int descriptor;
    uint8_t id[WS_RING_ID_SIZE];
    if (self->options->recording || !self->paths.viewers)
        return WS_OK;
    const int found = ws_viewers_open(self->paths.viewers, &descriptor, id);
    if (found <= 0)
        return found;
    const int status = ws_ring_attach(descriptor, id, 0, NULL, self->options->live != NULL, &self->reader);
    close(descriptor);
    return status;
}

static const char *if_there(const char *path)
{
    return path && access(path, F_OK) == 0 ? path : NULL;
}

static int open_feed(watching *self)
{
    const ws_watch_options *options = self->options;
    ws_feed_plan plan = {.reader = self->reader, .only_newest = options->latest || options->live};
    plan.history = if_there(self->paths.history);
    if (options->recording)
        plan.recording = options->recording;
    else if (!self->reader)
        plan.recording = if_there(self->paths.recording);
    if (!options->recording && !options->latest && !(options->live && self->reader))
        plan.backlog = self->paths.backlog;
    if (self->reader && options->own)
        return ws_fail(WS_BAD_ARGUMENT, "%s: the training still goes on, and draws its own scripts",
                       self->paths.folder);
    if (!self->reader && !plan.recording && !if_there(plan.backlog))
        return ws_fail(WS_BAD_ARGUMENT, "%s: the run does not train now, and has no frames left to draw",
                       options->folder);
    return ws_feed_open(&plan, &self->feed);
}

static ws_pictures_options pictures_options(const watching *self, const ws_scene *first)
{
    const ws_watch_options *options = self->options;
    return (ws_pictures_options){.scripts = &self->scripts,
                                 .layers = &self->layers,
                                 .base = first->base,
                                 .script_seconds =
                                     options->script_seconds > 0 ? options->script_seconds : SCRIPT_SECONDS,
                                 .first_step = ws_frame_head(first->base)->step,
                                 .shown_until = options->own ? WS_NEVER : 0,
                                 .required = !options->live,
                                 .always = options->latest,
                                 .is_expendable = !options->live,
                                 .live_host = options->live ? self->viewer.host : NULL,
                                 .live_port = self->viewer.port,
                                 .stop = options->stop,
                                 .stop_context = options->context,
                                 .log = self->log};
}

/* The last step that need not be drawn. */
static uint64_t begin_after(const watching *self)
{
    if (self->reader)
        return self->options->live ? ws_ring_done_step(self->reader) : ws_ring_step(self->reader);
    return self->options->first > 0 ? self->options->first - 1 : WS_NEVER;
}

/* A viewer can do without scripts that need a display where there is none. */
static int get_pictures(watching *self, ws_pictures_options *options)
{
    static const ws_scripts none;
    if (self->scripts.count > 0) {
        const int status = ws_pictures_try(&self->pictures, options);
        if (status != WS_NO_PICTURES || !self->options->live)
            return status;
        ws_tell(&self->log, WS_LOG_WARNING, "%s; it is left out", ws_message());
    }
    options->scripts = &none;
    return ws_pictures_adopt(&self->pictures, options, 0);
}

static int draw(watching *self)
{
    ws_scene first;
    int status = ws_feed_first(self->feed, &first);
    if (status == WS_OK)
        status = ws_layers_named(first.history->layer_count, first.history->layers, first.history->kinds,
                                 &self->layers);
    if (status)
        return status;
    const ws_watch_options *options = self->options;
    ws_follow_plan plan = {.feed = self->feed,
                           .reader = self->reader,
                           .pictures = &self->pictures,
                           .options = pictures_options(self, &first),
                           .is_live = options->latest || options->live,
                           .rate = options->rate,
                           .last = options->last > 0 ? options->last : WS_NEVER,
                           .stop = options->stop,
                           .progress = options->progress,
                           .context = options->context};
    status = get_pictures(self, &plan.options);
    if (status)
        return status;
    plan.after = begin_after(self);
    if (self->reader)
        ws_ring_wish_for(self->reader, options->live ? NULL : &self->pictures.schedule, plan.is_live);
    return ws_follow(&plan, &self->followed);
}

static int watch(watching *self)
{
    const ws_watch_options *options = self->options;
    int status = options->live ? ws_endpoint_parse(options->live, &self->viewer) : WS_OK;
    if (status == WS_OK)
        status = ws_paths_of(options->folder, &self->paths);
    if (status == WS_OK)
        status = ws_scripts_parse(options->scripts, options->script_count, options->output, &self->scripts);
    if (status == WS_OK)
        status = attach(self);
    if (status == WS_OK)
        status = open_feed(self);
    return status ? status : draw(self);
}

static void fill_report(const watching *self, ws_report *report)
{
    ws_bridge_counts counts;
    ws_pictures_counts(&self->pictures, &counts);
    const uint32_t size = report->size;
    const ws_report full = {.size = size,
                            .pictures = self->pictures.bridge != NULL,
                            .frames = self->followed.steps,
                            .images_written = counts.images_written,
                            .images_expected = counts.images_expected,
                            .script_failures = counts.script_failures,
                            .steps_given_up = self->followed.unread + self->followed.undrawn};
    memcpy(report, &full, size < sizeof full ? size : sizeof full);
}

int ws_watch(const ws_watch_options *options, ws_report *report)
{
    int status = check_options(options);
    if (status)
        return status;
    watching self = {.options = options,
                     .log =
                         ws_log_of(&(ws_options){.log = options->log, .log_context = options->log_context})};
    status = watch(&self);
    fill_report(&self, report);
    /* What is drawn need not be kept; the run's folder is left as it is in every other case. */
    if (options->own && status == WS_OK && self.followed.unread == 0 && self.followed.undrawn == 0)
        unlink(self.paths.backlog);
    ws_pictures_end(&self.pictures);
    ws_feed_close(self.feed);
    ws_ring_detach(self.reader);
    ws_layers_free(&self.layers);
    ws_scripts_free(&self.scripts);
    ws_paths_free(&self.paths);
    return status;
}
