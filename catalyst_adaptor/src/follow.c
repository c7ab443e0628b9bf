/* SPDX-License-Identifier: BSD-3-Clause */
#include "follow.h"
#include "clock.h"
#include <string.h>
#include <time.h>

#define IDLE_NANOSECONDS                                                                                     \
    5000000 /* between two looks at the ring: an idle reader must cost the trainer's cores nothing */
#define LOOK_SECONDS 0.2 /* between looks whether the writer lives */
#define LONG_REST    5.0 /* seconds; a shorter one goes unnoticed */
/* Between two looks while there is no viewer. */
#define LONELY_NANOSECONDS 20000000

/* One following, from its first scene to its last. */
typedef struct following {
    const ws_follow_plan *plan;
    ws_followed *out;
    ws_schedule told;      /* what the ring knows of our wishes */
    uint64_t after, shown; /* steps; `shown` once there is one */
    double looked_at;
    int told_rest; /* that pictures come late */
    int has_ended; /* the ring's writer */
    int told_live; /* what the ring knows: that we want news */
    ws_live live;
    double next_at; /* when the next step of files is to be shown */
} following;

static int is_to_stop(const ws_follow_plan *plan)
{
    return plan->stop && plan->stop(plan->context);
}

static void tell_progress(const following *self)
{
    if (self->plan->progress)
        self->plan->progress(self->plan->context, self->out->steps, self->after);
}

static int is_shown_live(const following *self)
{
    return self->plan->options.live_host != NULL;
}

static int has_viewer(const following *self)
{
    return self->live.state.is_connected;
}

/* Scripts may wish something else once they have run. News that nobody looks at need not be made, but for the
 * first, which the scripts' sources are made of. */
static void tell_wishes(following *self)
{
    const ws_schedule *wished = &self->plan->pictures->schedule;
    const int is_live = is_shown_live(self) ? has_viewer(self) || self->out->steps == 0 : self->plan->is_live;
    if ((memcmp(wished, &self->told, sizeof self->told) != 0 || is_live != self->told_live) &&
        ws_ring_wish_for(self->plan->reader, wished, is_live)) {
        self->told = *wished;
        self->told_live = is_live;
    }
}

static void tell_ring(following *self, uint64_t step)
{
    ws_bridge_counts counts;
    ws_pictures_counts(self->plan->pictures, &counts);
    ws_ring_count(self->plan->reader,
                  &(ws_ring_counts){counts.images_written, counts.images_expected, counts.script_failures});
    ws_ring_done(self->plan->reader, step);
    tell_wishes(self);
}

/* Looks, now and then, whether the writer lives. */
static void look(following *self)
{
    const double now = ws_clock();
    if (self->has_ended || now - self->looked_at < LOOK_SECONDS)
        return;
    self->looked_at = now;
    const ws_ring_state state = ws_ring_look(self->plan->reader);
    self->out->writer_died = state == WS_RING_DIED;
    self->has_ended = state != WS_RING_RUNS;
    if (self->has_ended && self->plan->ended)
        self->plan->ended();
}

/* Others may want less, or there may be more again. */
static void leave_undrawn(following *self)
{
    if (self->out->undrawn++ == 0)
        ws_tell(&self->plan->options.log, WS_LOG_WARNING, "%s; it is not drawn", ws_message());
}

/* 1, or WS_NO_MEMORY: the step is for another process to draw. */
static int show(following *self, const ws_scene *scene)
{
    const ws_follow_plan *plan = self->plan;
    const uint64_t step = ws_frame_head(scene->frame)->step;
    if (plan->reader)
        ws_ring_at(plan->reader, step);
    /* A failure of a script is told, and counted. */
    const int status = ws_pictures_show(plan->pictures, scene, &plan->options.log);
    if (status == WS_NO_MEMORY && plan->is_replaced)
        return status;
    if (status == WS_NO_MEMORY)
        leave_undrawn(self);
    ws_feed_release(plan->feed);
    self->after = self->shown = step;
    self->out->steps++;
    if (plan->rate > 0)
        self->next_at = ws_clock() + 1 / plan->rate;
    if (plan->reader) {
        tell_ring(self, step);
        look(self);
    }
    tell_progress(self);
    return 1;
}

/* A frame that cannot be read is told and left out. */
static void leave_out(following *self, uint64_t step)
{
    self->out->unread++;
    ws_tell(&self->plan->options.log, WS_LOG_WARNING, "%s; it is left out", ws_message());
    self->after = step;
}

/* Nothing to do: 1 if there will never be. */
static int wait_for_more(following *self)
{
    const ws_follow_plan *plan = self->plan;
    if (!plan->reader)
        return 1;
    ws_ring_beat(plan->reader);
    tell_wishes(self);
    if (ws_clock() - self->looked_at >= LOOK_SECONDS)
        tell_progress(self);
    look(self);
    if (self->has_ended)
        return 1;
    nanosleep(&(struct timespec){.tv_nsec = IDLE_NANOSECONDS}, NULL);
    return 0;
}

/* 1: shown or left out; 0: none is there; or a status. */
static int draw_next(following *self)
{
    ws_scene scene;
    uint64_t step;
    const int status = ws_feed_next(self->plan->feed, self->after, &scene, &step);
    if (status == 1 && step <= self->plan->last)
        return show(self, &scene);
    if (status == 1)
        self->after = self->plan->last;
    else if (status == WS_BAD_FILE)
        leave_out(self, step);
    else
        return status;
    return 1;
}

static int fail_stopped(const following *self)
{
    return ws_fail(WS_STOPPED, "stopped after step %llu", (unsigned long long)self->after);
}

static void serve(following *self)
{
    if (!is_shown_live(self))
        return;
    ws_live_serve(&self->live, &self->plan->options.log);
    /* Somebody looks at more of the last step than was made of it. */
    if (self->live.state.is_behind && self->out->steps > 0)
        self->after = self->shown > 0 ? self->shown - 1 : WS_NEVER;
}

/* Whether a step of files is still to be shown. */
static int has_more(const following *self)
{
    const int is_at_end = self->after != WS_NEVER && self->after >= self->plan->last;
    return !is_at_end && ws_feed_stored(self->plan->feed, self->after) > 0;
}

/* Whether this process has worked as much as it may beside a training that goes on. */
static int is_to_give_way(following *self)
{
    ws_pace *pace = self->plan->pace;
    if (!pace || self->has_ended)
        return 0;
    pace->share = ws_ring_share(self->plan->reader);
    if (!ws_pace_is_to_rest(pace, ws_clock()))
        return 0;
    if (!self->told_rest && ws_pace_rest(pace) > LONG_REST) {
        self->told_rest = 1;
        ws_tell(
            &self->plan->options.log, WS_LOG_INFO,
            "training uses all processors: pictures are drawn for %g %% of the time, and the rest of them "
            "afterwards (--overhead, or a thread less, draws them sooner)",
            100 * pace->share);
    }
    return 1;
}

/* Whether nothing is to be shown now although there may be something. */
static int is_to_rest(const following *self)
{
    const ws_live_state *state = &self->live.state;
    if (!is_shown_live(self) || self->out->steps == 0 || state->is_behind)
        return 0;
    if (self->plan->reader)
        return !state->is_connected;
    /* A viewer that leaves when it has seen the last step is not waited for. */
    return (!state->is_connected || state->is_paused || ws_clock() < self->next_at) && has_more(self);
}

/* 1 if the writer has ended meanwhile. */
static int rest(following *self)
{
    if (self->plan->reader) {
        ws_ring_beat(self->plan->reader);
        tell_wishes(self);
        look(self);
    } else if (ws_clock() - self->looked_at >= LOOK_SECONDS) {
        self->looked_at = ws_clock();
        tell_progress(self);
    }
    const long time = has_viewer(self) ? IDLE_NANOSECONDS : LONELY_NANOSECONDS;
    nanosleep(&(struct timespec){.tv_nsec = time}, NULL);
    return self->has_ended;
}

/* All steps of files have been shown; who looks may go on looking. */
static int linger(following *self)
{
    while (is_shown_live(self) && has_viewer(self) && !self->plan->reader) {
        if (is_to_stop(self->plan))
            return fail_stopped(self);
        ws_live_serve(&self->live, &self->plan->options.log);
        nanosleep(&(struct timespec){.tv_nsec = IDLE_NANOSECONDS}, NULL);
    }
    return WS_OK;
}

static int draw_all(following *self)
{
    int ended = 0;
    for (;;) {
        if (is_to_stop(self->plan))
            return fail_stopped(self);
        serve(self);
        if (is_to_give_way(self)) {
            rest(self);
            continue;
        }
        if (is_to_rest(self)) {
            if (rest(self))
                return WS_OK;
            continue;
        }
        if (self->after != WS_NEVER && self->after >= self->plan->last)
            return linger(self);
        const int status = draw_next(self);
        if (status < 0)
            return status;
        if (status == 0 && ended)
            return linger(self);
        /* Once more after the writer's end: what it published last. */
        if (status == 0)
            ended = wait_for_more(self);
    }
}

int ws_follow(const ws_follow_plan *plan, ws_followed *out)
{
    following self = {.plan = plan,
                      .out = out,
                      .after = plan->after,
                      .told_live = plan->is_live,
                      .live = {.pictures = plan->pictures, .reader = plan->reader}};
    *out = (ws_followed){0};
    ws_scene first;
    int status = ws_feed_first(plan->feed, &first);
    if (status == WS_OK && !plan->pictures->bridge)
        status = ws_pictures_start(plan->pictures, &plan->options, first.history);
    return status ? status : draw_all(&self);
}
