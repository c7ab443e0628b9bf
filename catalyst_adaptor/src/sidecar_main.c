/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* SCHED_IDLE */
#include "sidecar_main.h"
#include "endpoint.h"
#include "follow.h"
#include "paths.h"
#include "request.h"
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct sidecar {
    ws_ring_reader *reader;
    ws_scripts scripts;
    ws_paths paths;
    ws_endpoint viewer;
    ws_pictures pictures;
    ws_follow_plan plan;
    ws_feed *feed;
} sidecar;

#define VIEWER_NICENESS 10 /* a tenth of a processor that all want: somebody sits there and waits */

/* The training's threads come first, and when memory runs out it is this process that goes. Where that is not
 * allowed, it is only slower. Who shows a run to somebody must answer, so it gets its share of a processor
 * that is busy; it does nothing while nobody looks. */
static void step_back(int is_viewer)
{
    if (is_viewer)
        setpriority(PRIO_PROCESS, 0, VIEWER_NICENESS);
    else
        sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0});
    const int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
        if (write(score, "1000", 4) != 4)
            fprintf(stderr, "oom_score_adj cannot be written\n");
        close(score);
    }
}

/* Training has ended, and somebody waits for the pictures. Threads that ParaView has started have their own
 * priority; where it may not be raised, all stays as it is. */
static void come_forward(void)
{
    DIR *threads = opendir("/proc/self/task");
    for (struct dirent *entry; threads && (entry = readdir(threads));) {
        const long thread = strtol(entry->d_name, NULL, 10);
        if (thread > 0 && sched_setscheduler((pid_t)thread, SCHED_OTHER, &(struct sched_param){0}) != 0)
            break;
    }
    if (threads)
        closedir(threads);
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
    json_t *scripts;
    const char *folder;
    double seconds;
    json_int_t first_step, shown_until;
    int may_draw, always;
    const char *live = NULL;
    if (json_unpack((json_t *)request, "{s:o, s:s, s:F, s:I, s:I, s:b, s:b, s?s}", "scripts", &scripts,
                    "folder", &folder, "seconds", &seconds, "first_step", &first_step, "shown_until",
                    &shown_until, "may_draw", &may_draw, "always", &always, "live", &live) != 0)
        return ws_fail(WS_BAD_ARGUMENT, "the request is not understood");
    int status = live ? ws_endpoint_parse(live, &out->viewer) : WS_OK;
    /* What is drawn for the run must be seen; who only shows it is a viewer as any other. */
    if (status == WS_OK)
        status = ws_ring_attach(SIDECAR_RING, NULL, !live, NULL, live != NULL, &out->reader);
    if (status == WS_OK)
        status = read_scripts(scripts, &out->scripts);
    if (status == WS_OK)
        status = ws_paths_of(folder, &out->paths);
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
                                             .is_idle = 1,
                                             .live_host = live ? out->viewer.host : NULL,
                                             .live_port = out->viewer.port,
                                             .log = log_of(out->reader, live != NULL)},
                                 .is_live = live != NULL,
                                 .after = ws_ring_done_step(out->reader),
                                 .last = WS_NEVER,
                                 .ended = live ? NULL : come_forward};
    const ws_feed_plan feed = {.reader = out->reader,
                               .history = out->paths.history,
                               .backlog = live ? NULL : out->paths.backlog,
                               .only_newest = live != NULL};
    status = ws_feed_open(&feed, &out->feed);
    out->plan.feed = out->feed;
    return status ? status : ws_pictures_adopt(&out->pictures, &out->plan.options, may_draw);
}

static void tell_counts(const sidecar *self)
{
    ws_bridge_counts counts;
    ws_pictures_counts(&self->pictures, &counts);
    ws_ring_count(self->reader,
                  &(ws_ring_counts){counts.images_written, counts.images_expected, counts.script_failures});
}

int sidecar_main(const json_t *request)
{
    sidecar self = {0};
    ws_followed followed;
    int status = open_all(request, &self);
    /* Not before a virtual display has been started: an idle one would not get the time to end where all
     * cores are busy, and it costs next to nothing. */
    step_back(json_object_get(request, "live") != NULL);
    if (status == WS_OK)
        status = ws_follow(&self.plan, &followed);
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
