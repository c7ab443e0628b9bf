/* SPDX-License-Identifier: BSD-3-Clause */
#include "follow.h"
#include "clock.h"
#include <string.h>
#include <time.h>

#define IDLE_NANOSECONDS                                                                                     \
    5000000 /* between two looks at the ring: an idle reader must cost the trainer's cores nothing */
#define LOOK_SECONDS 0.2 /* between looks whether the writer lives */

/* One following, from its first scene to its last. */
typedef struct following {
    const ws_follow_plan *plan;
    ws_followed *out;
    ws_schedule told; /* what the ring knows of our wishes */
    uint64_t after;
    double looked_at;
    int has_ended; /* the ring's writer */
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

/* Scripts may wish something else once they have run. */
static void tell_wishes(following *self)
{
    const ws_schedule *wished = &self->plan->pictures->schedule;
    if (memcmp(wished, &self->told, sizeof self->told) != 0 &&
        ws_ring_wish_for(self->plan->reader, wished, self->plan->is_live))
        self->told = *wished;
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

static void show(following *self, const ws_scene *scene)
{
    const ws_follow_plan *plan = self->plan;
    const uint64_t step = ws_frame_head(scene->frame)->step;
    if (plan->reader)
        ws_ring_at(plan->reader, step);
    ws_pictures_show(plan->pictures, scene, &plan->options.log); /* a failure is told, and counted */
    ws_feed_release(plan->feed);
    self->after = step;
    self->out->steps++;
    if (plan->reader) {
        tell_ring(self, step);
        look(self);
    }
    tell_progress(self);
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
        show(self, &scene);
    else if (status == 1)
        self->after = self->plan->last;
    else if (status == WS_BAD_FILE)
        leave_out(self, step);
    else
        return status;
    return 1;
}

static int draw_all(following *self)
{
    int ended = 0;
    for (;;) {
        if (is_to_stop(self->plan))
            return ws_fail(WS_STOPPED, "stopped after step %llu", (unsigned long long)self->after);
        if (self->after != WS_NEVER && self->after >= self->plan->last)
            return WS_OK;
        const int status = draw_next(self);
        if (status < 0)
            return status;
        if (status == 0 && ended)
            return WS_OK;
        /* Once more after the writer's end: what it published last. */
        if (status == 0)
            ended = wait_for_more(self);
    }
}

int ws_follow(const ws_follow_plan *plan, ws_followed *out)
{
    following self = {.plan = plan, .out = out, .after = plan->after};
    *out = (ws_followed){0};
    ws_scene first;
    int status = ws_feed_first(plan->feed, &first);
    if (status == WS_OK)
        status = ws_pictures_start(plan->pictures, &plan->options, first.history);
    return status ? status : draw_all(&self);
}
