/* SPDX-License-Identifier: BSD-3-Clause */
/* The host's end of the ring: what readers wish, what must not be lost, and the process that draws for the
 * run. */
#include "backlog.h"
#include "clock.h"
#include "live_view.h"
#include "nurse.h"
#include "sidecar_request.h"
#include "transport.h"
#include "viewers.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define LOOK_SECONDS 0.05 /* between looks at messages and at the sidecar */
#define REAP_SECONDS 1.0  /* between looks for viewers that have gone */
#define LEAST_SHARE  0.1  /* of the budget, for live updates, however much the dumps take */
#define PATIENCE                                                                                             \
    60.0 /* for a sidecar beyond the time that one script may take: ParaView may start slowly                \
          */
#define LEAVE_SECONDS    20.0 /* for a sidecar that has drawn all to close its files */
#define PROGRESS_SECONDS 0.2
#define READY_SECONDS    30.0 /* for a sidecar to start before the training does; it need not have */

typedef struct ws_sidecar {
    ws_transport transport;
    const ws_setup *setup;
    ws_history *history;
    ws_pictures tried; /* scripts and place; nothing is drawn here */
    int has_scripts;
    int is_early; /* the process that draws was started with all scripts while they were tried */
    ws_schedule promised;
    ws_ring *ring;
    uint8_t id[WS_RING_ID_SIZE];
    ws_backlog backlog;
    ws_nurse nurse;
    ws_live_view view;
    /* wishes, as last read */
    ws_ring_wish wishes[WS_RING_READERS];
    uint32_t changes;
    int knows_wishes;
    uint32_t live; /* readers that want news */
    uint32_t more; /* of these, who has begun to look at something that no frame had for it yet */
    /* this frame */
    uint32_t must;
    int is_live;
    int is_own_base;   /* shapes are others than when the ring was made */
    int has_told_room; /* that there is no memory for more than weights */
    /* times */
    double began, looked_at, reaped_at, live_from;
    double dump_seconds, live_seconds;
    /* what is past */
    uint64_t step;
    ws_ring_counts past; /* of sidecars that have died */
    uint64_t last_at;    /* the step that the last of them was working on, until it is mourned */
    uint64_t given_up;
    int all_drawn;
    char status[WS_STATUS_BYTES]; /* for the next ring, too */
} ws_sidecar;

static ws_sidecar *of(ws_transport *self)
{
    return (ws_sidecar *)self;
}

/* A step counts as done when it is at or before `done`; nothing is when that is WS_NEVER. */
static int is_done(uint64_t step, uint64_t done)
{
    return done != WS_NEVER && step <= done;
}

static int spill(void *context, const void *frame, uint32_t readers)
{
    (void)readers;
    return ws_backlog_add(&((ws_sidecar *)context)->backlog, frame);
}

/* ---- What readers wish. */

static int has_more(const ws_layer_set *now, const ws_layer_set *before)
{
    for (size_t i = 0; i < sizeof now->words / sizeof *now->words; i++)
        if (now->words[i] & ~before->words[i])
            return 1;
    return 0;
}

static void read_wishes(ws_sidecar *sidecar)
{
    sidecar->changes = ws_ring_changes(sidecar->ring);
    sidecar->knows_wishes = 1;
    sidecar->live = 0;
    for (uint32_t i = 0; i < WS_RING_READERS; i++) {
        const ws_layer_set before = sidecar->wishes[i].schedule.live;
        ws_ring_wishes(sidecar->ring, i, &sidecar->wishes[i]);
        if (!sidecar->wishes[i].attached || !sidecar->wishes[i].live)
            continue;
        sidecar->live |= 1u << i;
        if (has_more(&sidecar->wishes[i].schedule.live, &before))
            sidecar->more |= 1u << i;
    }
    sidecar->more &= sidecar->live;
}

/* Whether reader i must see what it wishes: the run's own also while nobody serves it. */
static int counts(const ws_sidecar *sidecar, uint32_t i)
{
    return sidecar->wishes[i].attached || i == WS_RING_OWN;
}

static uint64_t next(const ws_transport *self, uint64_t from)
{
    const ws_sidecar *sidecar = (const ws_sidecar *)self;
    uint64_t found = WS_NEVER;
    for (uint32_t i = 0; i < WS_RING_READERS && sidecar->ring; i++) {
        if (!counts(sidecar, i))
            continue;
        const uint64_t step = ws_schedule_next(&sidecar->wishes[i].schedule, from);
        found = step < found ? step : found;
    }
    return found;
}

/* Live updates may take what the dumps leave of the budget. */
static double live_share(const ws_sidecar *sidecar, double now)
{
    const double budget = sidecar->setup->overhead, spent = now - sidecar->began;
    const double left = budget - (spent > 0 ? sidecar->dump_seconds / spent : 0);
    return left > LEAST_SHARE * budget ? left : LEAST_SHARE * budget;
}

/* A live reader looks at what it says; else at the layers of its rules, whenever those say; at the weights of
 * all if it has no rules. */
static void want_live(const ws_sidecar *sidecar, const ws_schedule *schedule, uint8_t *wanted)
{
    ws_layer_set looked_at;
    ws_schedule_all(schedule, &looked_at);
    if (schedule->has_live)
        looked_at = schedule->live;
    else if (schedule->count == 0)
        ws_transport_want_weights(sidecar->setup, wanted);
    for (uint32_t i = 0; i < sidecar->setup->layers->count; i++)
        wanted[i] |= ws_transport_of_layer(sidecar->setup, &looked_at, i);
}

/* The state that a resumed run begins with has been given to its own scripts by the session before, and is
 * shown again only if it rests there. */
static int was_given(const ws_sidecar *sidecar, uint32_t reader, uint64_t step)
{
    return reader == WS_RING_OWN && sidecar->setup->first_step && step <= sidecar->setup->first_step;
}

static int wants(ws_transport *self, uint64_t step, uint8_t *wanted, int *is_dump)
{
    ws_sidecar *sidecar = of(self);
    if (!sidecar->ring)
        return 0;
    sidecar->must = 0;
    for (uint32_t i = 0; i < WS_RING_READERS; i++)
        if (counts(sidecar, i) && !was_given(sidecar, i, step) && !is_done(step, sidecar->wishes[i].done) &&
            ws_transport_wants(sidecar->setup, &sidecar->wishes[i].schedule, step, wanted))
            sidecar->must |= 1u << i;
    const uint32_t hungry =
        sidecar->is_live ? (ws_ring_hungry(sidecar->ring) | sidecar->more) & sidecar->live : 0;
    for (uint32_t i = 0; i < WS_RING_READERS; i++)
        if (hungry >> i & 1)
            want_live(sidecar, &sidecar->wishes[i].schedule, wanted);
    *is_dump = sidecar->must != 0;
    return sidecar->must || hungry;
}

/* ---- Frames. */

static size_t most_bytes(const ws_sidecar *sidecar, const uint8_t *wanted, int is_base)
{
    const ws_scalars none = {0};
    const ws_frame_plan plan = {
        .layers = sidecar->setup->layers, .wanted = wanted, .is_base = is_base, .scalars = &none};
    return ws_frame_most_bytes(&plan);
}

/* Memory for more than weights is taken when it is wanted for the first time. */
static int make_room(ws_sidecar *sidecar, const uint8_t *wanted)
{
    if (most_bytes(sidecar, wanted, sidecar->is_own_base) <= ws_ring_room(sidecar->ring))
        return WS_OK;
    const int status = ws_ring_complete(sidecar->ring);
    if (status && !sidecar->has_told_room)
        ws_tell(&sidecar->setup->log, WS_LOG_WARNING, "%s; nothing but weights is shown", ws_message());
    sidecar->has_told_room = status != WS_OK;
    return status;
}

static void *memory(ws_transport *self, uint8_t *wanted, int *is_base)
{
    ws_sidecar *sidecar = of(self);
    if (make_room(sidecar, wanted) != WS_OK)
        for (uint32_t i = 0; i < sidecar->setup->layers->count; i++)
            wanted[i] &= WS_WANTS_WEIGHTS;
    *is_base = sidecar->is_own_base;
    return ws_ring_begin(sidecar->ring, spill, sidecar);
}

static void look(ws_sidecar *sidecar, double now);

static int is_to_stop(const ws_sidecar *sidecar)
{
    return sidecar->setup->stop && sidecar->setup->stop(sidecar->setup->wait_context);
}

static void wait_a_moment(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* Lockstep: until the step is drawn, or the process that draws is given up. */
static void wait_for(ws_sidecar *sidecar, uint64_t step)
{
    ws_ring_progress progress;
    for (;;) {
        ws_ring_progress_of(sidecar->ring, WS_RING_OWN, &progress);
        if (is_done(step, progress.done) || sidecar->nurse.given_up || is_to_stop(sidecar))
            return;
        look(sidecar, ws_clock());
        wait_a_moment();
    }
}

static int show(ws_transport *self, const void *frame, double began)
{
    ws_sidecar *sidecar = of(self);
    /* Readers take the rows up to this step from the history. */
    ws_history_flush(sidecar->history);
    const uint64_t step = ws_frame_head(frame)->step;
    ws_ring_publish(sidecar->ring, sidecar->must);
    const double now = ws_clock(), cost = now - began;
    if (sidecar->must) {
        sidecar->dump_seconds += cost;
    } else {
        sidecar->live_seconds += cost;
        const double pause = cost / live_share(sidecar, now);
        const double least = sidecar->setup->live_seconds;
        sidecar->live_from = now + (pause > least ? pause : least);
    }
    if (sidecar->is_live)
        sidecar->more = 0;
    sidecar->is_live = 0;
    if (sidecar->setup->wait && sidecar->must & 1u << WS_RING_OWN)
        wait_for(sidecar, step);
    return WS_OK;
}

/* ---- Looking after the readers. */

static void hear(ws_sidecar *sidecar)
{
    ws_log_level level;
    char line[WS_RING_LINE];
    while (ws_ring_hear(sidecar->ring, WS_RING_OWN, &level, line))
        ws_tell(&sidecar->setup->log, level, "%s", line);
}

/* Frees what dead readers held, and keeps what the sidecar had told. */
static void bury(ws_sidecar *sidecar)
{
    ws_ring_progress progress;
    ws_ring_progress_of(sidecar->ring, WS_RING_OWN, &progress);
    if (!(ws_ring_reap(sidecar->ring) & 1u << WS_RING_OWN))
        return;
    sidecar->past.images_written += progress.counts.images_written;
    sidecar->past.images_expected += progress.counts.images_expected;
    sidecar->past.script_failures += progress.counts.script_failures;
    sidecar->last_at = progress.at;
}

/* The sidecar has died. What it had drawn of its last step need not be drawn again; a step that has ended two
 * of them is left out. */
static void mourn(ws_sidecar *sidecar)
{
    hear(sidecar);
    bury(sidecar);
    const uint64_t step = sidecar->last_at;
    sidecar->last_at = WS_NEVER;
    if (step == WS_NEVER)
        return;
    ws_nurse_ask(&sidecar->nurse, ws_sidecar_request(sidecar->setup, &sidecar->tried, step, NULL));
    if (!ws_nurse_blames(&sidecar->nurse, step))
        return;
    sidecar->given_up++;
    ws_ring_skip(sidecar->ring, step);
    ws_tell(&sidecar->setup->log, WS_LOG_WARNING,
            "step %llu is not drawn: it has ended the process that draws twice", (unsigned long long)step);
}

static void nurse(ws_sidecar *sidecar, double now)
{
    ws_ring_progress progress;
    ws_ring_progress_of(sidecar->ring, WS_RING_OWN, &progress);
    const ws_pulse pulse = {progress.done, progress.at != WS_NEVER ? progress.at : sidecar->last_at,
                            progress.beat};
    if (ws_nurse_look(&sidecar->nurse, &pulse, now) == WS_NURSE_DIED)
        mourn(sidecar);
}

static void look(ws_sidecar *sidecar, double now)
{
    ws_ring_tell_share(sidecar->ring, sidecar->setup->wait ? 1 : sidecar->setup->overhead);
    hear(sidecar);
    if (sidecar->has_scripts)
        nurse(sidecar, now);
    if (sidecar->setup->live)
        ws_live_view_look(&sidecar->view, now);
    if (now - sidecar->reaped_at >= REAP_SECONDS) {
        sidecar->reaped_at = now;
        bury(sidecar);
    }
}

/* Readers that wait for news and have not had this step, or want to see more of it. */
static uint32_t hungry_for(const ws_sidecar *sidecar, uint64_t step)
{
    uint32_t hungry = ws_ring_hungry(sidecar->ring) & sidecar->live;
    for (uint32_t i = 0; i < WS_RING_READERS && hungry; i++) {
        ws_ring_progress progress;
        ws_ring_progress_of(sidecar->ring, i, &progress);
        if (is_done(step, progress.done))
            hungry &= ~(1u << i);
    }
    return hungry | sidecar->more;
}

static int tick(ws_transport *self, uint64_t step, double now)
{
    ws_sidecar *sidecar = of(self);
    if (!sidecar->ring)
        return 0;
    sidecar->step = step;
    ws_ring_tell_step(sidecar->ring, step);
    if (now - sidecar->looked_at >= LOOK_SECONDS) {
        sidecar->looked_at = now;
        look(sidecar, now);
    }
    const int has_changed = !sidecar->knows_wishes || ws_ring_changes(sidecar->ring) != sidecar->changes;
    if (has_changed)
        read_wishes(sidecar);
    sidecar->is_live = sidecar->live && now >= sidecar->live_from && hungry_for(sidecar, step);
    return has_changed || sidecar->is_live;
}

/* ---- What viewers ask for. */

static void name_viewer(char who[WS_VIEWER_SIZE], uint32_t process)
{
    snprintf(who, WS_VIEWER_SIZE, "ParaView, through process %u", process);
}

static int command(ws_transport *self, ws_command *out)
{
    ws_sidecar *sidecar = of(self);
    for (uint32_t i = 0; i < WS_RING_READERS && sidecar->ring; i++)
        if (ws_ring_asked(sidecar->ring, i, out->name, out->value)) {
            snprintf(out->origin, sizeof out->origin, "ParaView");
            return 1;
        }
    return 0;
}

static int is_held(const ws_transport *self, char who[WS_VIEWER_SIZE])
{
    const ws_sidecar *sidecar = (const ws_sidecar *)self;
    for (uint32_t i = 0; i < WS_RING_READERS && sidecar->ring; i++) {
        const uint32_t process = ws_ring_held_by(sidecar->ring, i);
        if (process && who)
            name_viewer(who, process);
        if (process)
            return 1;
    }
    return 0;
}

static void tell_status(ws_transport *self, const char *json)
{
    ws_sidecar *sidecar = of(self);
    snprintf(sidecar->status, sizeof sidecar->status, "%s", json);
    if (sidecar->ring)
        ws_ring_tell_status(sidecar->ring, json);
}

/* ---- Beginning and end. */

/* Bytes of the largest frame that there can be, and of one with the weights of all layers. */
static int frame_sizes(const ws_sidecar *sidecar, size_t *most, size_t *usual)
{
    const ws_layers *layers = sidecar->setup->layers;
    uint8_t *all = calloc(layers->count + 1, sizeof *all);
    if (!all)
        return ws_fail(WS_NO_MEMORY, "no memory for %u layers", layers->count);
    ws_transport_want_weights(sidecar->setup, all);
    *usual = most_bytes(sidecar, all, 0);
    for (uint32_t i = 0; i < layers->count; i++)
        if (all[i])
            all[i] |= (uint8_t)layers->at[i].offers;
    *most = most_bytes(sidecar, all, 1);
    free(all);
    return WS_OK;
}

static int make_ring(ws_sidecar *sidecar)
{
    const ws_setup *setup = sidecar->setup;
    ws_ring_options options = {.base = setup->base->memory,
                               .base_bytes = ws_frame_head(setup->base->memory)->bytes,
                               .first_step = setup->first_step,
                               .folder = setup->paths->folder};
    const int status = frame_sizes(sidecar, &options.frame_bytes, &options.usual_bytes);
    if (status)
        return status;
    if (getrandom(sidecar->id, sizeof sidecar->id, 0) != sizeof sidecar->id)
        return ws_fail(WS_IO_FAILED, "no random number for the ring: %s", strerror(errno));
    memcpy(options.id, sidecar->id, sizeof options.id);
    sidecar->is_own_base = 0;
    return ws_ring_create(&options, &sidecar->ring);
}

/* Opens the ring for readers, the run's own and others. */
static int open_ring(ws_sidecar *sidecar, uint64_t done)
{
    const ws_setup *setup = sidecar->setup;
    const int status = sidecar->ring ? WS_OK : make_ring(sidecar);
    if (status)
        return status;
    if (ws_ring_is_file(sidecar->ring))
        ws_tell(&setup->log, WS_LOG_WARNING,
                "there is no shared memory for frames: a file in %s stands in for it", setup->paths->folder);
    ws_ring_promise(sidecar->ring, &sidecar->promised, done);
    ws_ring_tell_status(sidecar->ring, sidecar->status);
    read_wishes(sidecar);
    return ws_backlog_base(&sidecar->backlog, setup->base->memory);
}

/* From here on readers may look at all of it, and strangers find it. */
static void tell_open(const ws_sidecar *sidecar)
{
    const ws_setup *setup = sidecar->setup;
    ws_ring_open(sidecar->ring, setup->base->memory);
    if (setup->watchers &&
        ws_viewers_tell(setup->paths->viewers, ws_ring_descriptor(sidecar->ring), sidecar->id) != WS_OK)
        ws_tell(&setup->log, WS_LOG_WARNING, "%s; nobody can attach to this training", ws_message());
}

static void begin_nurse(ws_sidecar *sidecar, char *request)
{
    ws_nurse_begin(&sidecar->nurse, request, ws_ring_descriptor(sidecar->ring), &sidecar->tried.place,
                   sidecar->setup->script_seconds + PATIENCE, &sidecar->setup->log);
    nurse(sidecar, ws_clock());
}

static int start_nurse(ws_sidecar *sidecar)
{
    char *request = ws_sidecar_request(sidecar->setup, &sidecar->tried, sidecar->setup->first_step, NULL);
    if (!request)
        return ws_fail(WS_NO_PICTURES, "the name of the run's folder is no UTF-8");
    begin_nurse(sidecar, request);
    return WS_OK;
}

static int start_view(ws_sidecar *sidecar)
{
    const ws_setup *setup = sidecar->setup;
    const int status = ws_live_view_begin(
        &sidecar->view, ws_sidecar_request(setup, &sidecar->tried, setup->first_step, setup->live),
        ws_ring_descriptor(sidecar->ring), &setup->log);
    if (status == WS_OK)
        ws_live_view_look(&sidecar->view, ws_clock());
    return status;
}

static int start_processes(ws_sidecar *sidecar)
{
    const int status = sidecar->has_scripts && !sidecar->nurse.child ? start_nurse(sidecar) : WS_OK;
    return status == WS_OK && sidecar->setup->live ? start_view(sidecar) : status;
}

/* ParaView takes seconds to start: while the scripts are tried, the process that draws starts with all of
 * them, so that the training does not share its processors with that. Whether or not it can, is told later.
 */
static void start_early(ws_sidecar *sidecar)
{
    const ws_setup *setup = sidecar->setup;
    ws_pictures all = {.kept = setup->scripts->at, .kept_count = setup->scripts->count, .may_draw = 1};
    if (ws_place_find(&sidecar->tried.place) != WS_OK || make_ring(sidecar) != WS_OK)
        return;
    char *request = ws_sidecar_request(setup, &all, setup->first_step, NULL);
    if (!request)
        return;
    begin_nurse(sidecar, request);
    sidecar->is_early = sidecar->nurse.child != 0;
}

static void say_nothing(void *context, ws_log_level level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
}

/* The lines of a process whose work was for nothing are of no interest. */
static void forget_early(ws_sidecar *sidecar)
{
    ws_log_level level;
    char line[WS_RING_LINE];
    sidecar->nurse.log = (ws_log){say_nothing, NULL};
    ws_nurse_end(&sidecar->nurse);
    while (sidecar->ring && ws_ring_hear(sidecar->ring, WS_RING_OWN, &level, line))
        continue;
    if (sidecar->ring)
        ws_ring_reap(sidecar->ring);
    sidecar->is_early = 0;
}

/* What was started early goes on if all its scripts passed their trial, and need a display. */
static void settle_early(ws_sidecar *sidecar)
{
    if (sidecar->tried.kept_count < sidecar->setup->scripts->count || !sidecar->tried.may_draw)
        forget_early(sidecar);
}

static uint64_t beat_of(const ws_sidecar *sidecar)
{
    ws_ring_progress progress;
    ws_ring_progress_of(sidecar->ring, WS_RING_OWN, &progress);
    return progress.beat;
}

/* Until the process that draws waits for the training, or has ended, or takes too long. */
static void wait_until_ready(ws_sidecar *sidecar)
{
    const double until = ws_clock() + READY_SECONDS;
    const uint64_t beat = beat_of(sidecar);
    while (sidecar->nurse.child && beat_of(sidecar) == beat && ws_clock() < until && !is_to_stop(sidecar)) {
        look(sidecar, ws_clock());
        wait_a_moment();
    }
}

static int start(ws_transport *self, ws_history *history)
{
    ws_sidecar *sidecar = of(self);
    const ws_setup *setup = sidecar->setup;
    sidecar->history = history;
    sidecar->began = ws_clock();
    int status = ws_backlog_begin(&sidecar->backlog, setup->paths->backlog, setup->first_step, &setup->log);
    if (status == WS_OK)
        status = open_ring(sidecar, WS_NEVER);
    if (status == WS_OK && sidecar->is_early)
        settle_early(sidecar);
    if (status == WS_OK)
        status = start_processes(sidecar);
    if (status == WS_OK && sidecar->nurse.child)
        wait_until_ready(sidecar);
    if (status == WS_OK)
        tell_open(sidecar);
    return status;
}

/* Frames become their own bases in the ring that is there; what is not drawn yet is put where its base is. */
static int keep_ring(ws_sidecar *sidecar)
{
    ws_ring_flush(sidecar->ring, spill, sidecar);
    sidecar->is_own_base = 1;
    return ws_backlog_base(&sidecar->backlog, sidecar->setup->base->memory);
}

/* Readers of the old ring see its end; the run's own attach to the new one. */
static int replace_ring(ws_sidecar *sidecar)
{
    ws_ring_progress progress;
    ws_ring_flush(sidecar->ring, spill, sidecar);
    ws_nurse_end(&sidecar->nurse);
    ws_live_view_end(&sidecar->view);
    hear(sidecar);
    ws_ring_progress_of(sidecar->ring, WS_RING_OWN, &progress);
    bury(sidecar);
    sidecar->last_at = WS_NEVER;
    ws_ring_end(sidecar->ring);
    ws_ring_free(sidecar->ring);
    sidecar->ring = NULL;
    const int status = open_ring(sidecar, progress.done);
    if (status)
        return status;
    tell_open(sidecar);
    return start_processes(sidecar);
}

/* Shapes have changed. Frames that fit where the old ones were go on there, so that nobody notices. */
static int reshape(ws_transport *self)
{
    ws_sidecar *sidecar = of(self);
    size_t most, usual;
    if (!sidecar->ring)
        return WS_OK;
    const int status = frame_sizes(sidecar, &most, &usual);
    if (status)
        return status;
    return most <= ws_ring_frame_bytes(sidecar->ring) ? keep_ring(sidecar) : replace_ring(sidecar);
}

static void sync_backlog(ws_transport *self)
{
    ws_sidecar *sidecar = of(self);
    if (!sidecar->ring)
        return;
    ws_ring_flush(sidecar->ring, spill, sidecar);
    ws_backlog_sync(&sidecar->backlog);
}

/* How many of the promised steps up to `last` are done, and how many there are. */
static void count_steps(const ws_sidecar *sidecar, uint64_t done, uint64_t last, uint64_t *drawn,
                        uint64_t *all)
{
    const ws_schedule *schedule = &sidecar->wishes[WS_RING_OWN].schedule;
    const uint64_t first = sidecar->setup->first_step;
    *drawn = *all = 0;
    for (uint64_t step = ws_schedule_next(schedule, first ? first + 1 : 0); step <= last;
         step = ws_schedule_next(schedule, step + 1)) {
        ++*all;
        *drawn += is_done(step, done);
    }
}

static int has_left(const ws_sidecar *sidecar)
{
    return sidecar->nurse.child == 0 && sidecar->nurse.next_start > 1e299;
}

/* Waits until the sidecar has ended, all drawn. */
static int wait_for_all(ws_sidecar *sidecar, uint64_t last)
{
    double told = 0;
    while (!has_left(sidecar)) {
        const double now = ws_clock();
        look(sidecar, now);
        if (sidecar->nurse.given_up)
            return ws_fail(WS_SCRIPT_FAILED, "the process that draws has been given up");
        if (is_to_stop(sidecar))
            return ws_fail(WS_STOPPED, "the wait for pictures was stopped");
        if (sidecar->setup->progress && now - told >= PROGRESS_SECONDS) {
            ws_ring_progress progress;
            uint64_t drawn, all;
            told = now;
            ws_ring_progress_of(sidecar->ring, WS_RING_OWN, &progress);
            count_steps(sidecar, progress.done, last, &drawn, &all);
            sidecar->setup->progress(sidecar->setup->wait_context, drawn, all);
        }
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    hear(sidecar);
    return WS_OK;
}

static int finish(ws_transport *self, uint64_t last_step)
{
    ws_sidecar *sidecar = of(self);
    if (!sidecar->ring)
        return WS_OK;
    sidecar->step = last_step;
    sync_backlog(self); /* all that is left would outlive us */
    ws_ring_end(sidecar->ring);
    if (!sidecar->has_scripts)
        return WS_OK;
    ws_nurse_insist(&sidecar->nurse, ws_clock());
    const int status = wait_for_all(sidecar, last_step);
    sidecar->all_drawn = status == WS_OK && !sidecar->backlog.has_failed;
    return status;
}

static void report(const ws_transport *self, ws_report *report)
{
    const ws_sidecar *sidecar = (const ws_sidecar *)self;
    ws_ring_progress progress = {.done = WS_NEVER};
    uint64_t drawn = 0, all = 0;
    if (sidecar->ring) {
        ws_ring_progress_of(sidecar->ring, WS_RING_OWN, &progress);
        count_steps(sidecar, progress.done, sidecar->step, &drawn, &all);
        for (uint32_t i = 0; i < WS_RING_READERS; i++)
            report->live_dropped += i == WS_RING_OWN ? 0 : ws_ring_dropped(sidecar->ring, i);
    }
    report->pictures = sidecar->has_scripts && sidecar->ring != NULL;
    report->images_written = sidecar->past.images_written + progress.counts.images_written;
    report->images_expected = sidecar->past.images_expected + progress.counts.images_expected;
    report->script_failures = sidecar->past.script_failures + progress.counts.script_failures;
    report->steps_waiting = all - drawn;
    report->steps_given_up = sidecar->given_up;
    report->restarts = sidecar->nurse.restarts;
    report->frames_spilled = sidecar->backlog.spilled;
    report->dump_seconds = sidecar->dump_seconds;
    report->live_seconds = sidecar->live_seconds;
}

static void end(ws_transport *self)
{
    ws_sidecar *sidecar = of(self);
    if (sidecar->ring) {
        ws_ring_end(sidecar->ring);
        if (sidecar->setup->watchers)
            unlink(sidecar->setup->paths->viewers);
    }
    ws_nurse_end(&sidecar->nurse);
    ws_live_view_end(&sidecar->view);
    ws_backlog_end(&sidecar->backlog, sidecar->all_drawn);
    ws_ring_free(sidecar->ring);
    ws_pictures_end(&sidecar->tried);
    free(sidecar);
}

static int try_scripts(ws_sidecar *sidecar)
{
    const ws_pictures_options options = ws_transport_pictures(sidecar->setup);
    const int status = ws_pictures_try(&sidecar->tried, &options);
    if (status)
        return status;
    /* The sidecar starts one of its own. */
    ws_display_end(&sidecar->tried.display);
    sidecar->has_scripts = 1;
    sidecar->promised = sidecar->tried.schedule;
    return WS_OK;
}

int ws_sidecar_create(const ws_setup *setup, ws_transport **out)
{
    if (!setup->paths->folder)
        return ws_fail(WS_BAD_ARGUMENT, "ws_options.folder is NULL: the sidecar needs the folder of the run");
    ws_sidecar *sidecar = calloc(1, sizeof *sidecar);
    if (!sidecar)
        return ws_fail(WS_NO_MEMORY, "no memory for a transport");
    sidecar->transport = (ws_transport){.start = start,
                                        .next = next,
                                        .tick = tick,
                                        .wants = wants,
                                        .memory = memory,
                                        .show = show,
                                        .reshape = reshape,
                                        .command = command,
                                        .is_held = is_held,
                                        .tell_status = tell_status,
                                        .sync = sync_backlog,
                                        .finish = finish,
                                        .report = report,
                                        .end = end};
    sidecar->setup = setup;
    sidecar->nurse.output = -1;
    sidecar->last_at = WS_NEVER;
    if (setup->scripts->count > 0)
        start_early(sidecar);
    const int status = setup->scripts->count > 0 ? try_scripts(sidecar) : WS_OK;
    if (status) {
        forget_early(sidecar);
        ws_ring_free(sidecar->ring);
        free(sidecar);
        return status;
    }
    *out = &sidecar->transport;
    return WS_OK;
}
