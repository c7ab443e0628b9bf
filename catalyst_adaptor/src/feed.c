/* SPDX-License-Identifier: BSD-3-Clause */
#include "feed.h"
#include "message.h"
#include <stdlib.h>
#include <unistd.h>

/* A recording, and the base of the frame that was last read from it. */
typedef struct store {
    ws_recording *recording;
    ws_frame frame, base;
    uint64_t base_at; /* where the base that was read is in the file */
} store;

struct ws_feed {
    ws_feed_plan plan;
    store recording, backlog;
    ws_history_tail *tail; /* NULL: rows come with the frames */
    ws_row_layout layout;  /* of those */
    uint64_t rows_read;    /* frames of the recording whose rows are in the curve */
    ws_curve *curve;
    ws_history_view view;
};

/* Steps before `after` have been; none has when it is WS_NEVER. */
static uint64_t from_of(uint64_t after)
{
    return after == WS_NEVER ? 0 : after + 1;
}

static int open_rows(ws_feed *feed)
{
    if (feed->plan.history) {
        const int status = ws_history_tail_open(feed->plan.history, &feed->tail);
        return status ? status : ws_curve_create(ws_history_tail_layout(feed->tail), &feed->curve);
    }
    const ws_recording *recording = feed->recording.recording;
    if (!recording || ws_recording_row_bytes(recording) == 0)
        return ws_fail(WS_BAD_FILE, "%s: holds no rows, and there is no history beside it",
                       feed->plan.recording ? feed->plan.recording : "the run");
    const int status = ws_row_layout_read(feed->plan.recording, ws_recording_head(recording), &feed->layout);
    return status ? status : ws_curve_create(&feed->layout, &feed->curve);
}

int ws_feed_open(const ws_feed_plan *plan, ws_feed **out)
{
    ws_feed *feed = calloc(1, sizeof *feed);
    if (!feed)
        return ws_fail(WS_NO_MEMORY, "no memory for a feed");
    feed->plan = *plan;
    int status = WS_OK;
    if (plan->recording)
        status = ws_recording_open(plan->recording, &feed->recording.recording);
    if (status == WS_OK)
        status = open_rows(feed);
    if (status) {
        ws_feed_close(feed);
        return status;
    }
    *out = feed;
    return WS_OK;
}

/* ---- Frames in files. */

/* The backlog comes into being when the first frame is spilled. */
static int look_for_backlog(ws_feed *feed)
{
    if (feed->backlog.recording || !feed->plan.backlog || access(feed->plan.backlog, F_OK) != 0)
        return WS_OK;
    const int status = ws_recording_open(feed->plan.backlog, &feed->backlog.recording);
    /* Its head may be half-written still. */
    return status == WS_BAD_FILE && feed->plan.reader && ws_ring_look(feed->plan.reader) == WS_RING_RUNS
               ? WS_OK
               : status;
}

/* The first frame of a store whose step is >= from: 1, 0, or a status. */
static int find(store *in, uint64_t from, uint64_t *n, uint64_t *step)
{
    if (!in->recording)
        return 0;
    const uint64_t count = ws_recording_refresh(in->recording);
    int status = ws_recording_find(in->recording, from, n);
    if (status == WS_OK && *n >= count)
        return 0;
    if (status == WS_OK)
        status = ws_recording_step(in->recording, *n, step);
    return status ? status : 1;
}

/* Generations of frames do not tell bases apart: a run that is resumed begins to count again. */
static int read_base(store *in, uint64_t n)
{
    uint64_t at;
    int status = ws_recording_base_at(in->recording, n, &at);
    if (status || (in->base.memory && in->base_at == at))
        return status;
    status = ws_recording_base(in->recording, n, &in->base);
    if (status == WS_OK)
        in->base_at = at;
    return status;
}

static int read_stored(store *in, uint64_t n, ws_scene *out)
{
    int status = ws_recording_read(in->recording, n, &in->frame);
    if (status == WS_OK)
        status = read_base(in, n);
    if (status == WS_OK)
        *out = (ws_scene){.frame = in->frame.memory, .base = in->base.memory};
    return status;
}

/* ---- Rows. */

static int take_row(void *context, const void *row)
{
    return ws_curve_append(context, row);
}

/* Frames may be asked for again from the start. */
static int read_recorded_rows(ws_feed *feed, uint64_t n)
{
    if (n + 1 < feed->rows_read) {
        ws_curve_clear(feed->curve);
        feed->rows_read = 0;
    }
    int status = WS_OK;
    for (; feed->rows_read <= n && status == WS_OK; feed->rows_read++)
        status = ws_recording_rows(feed->recording.recording, feed->rows_read, take_row, feed->curve);
    return status;
}

/* The history from its start again, with a curve of its own: a curve borrows the layout of its tail. */
static int begin_rows_again(ws_feed *feed)
{
    ws_history_tail *tail;
    ws_curve *curve;
    int status = ws_history_tail_open(feed->plan.history, &tail);
    if (status)
        return status;
    status = ws_curve_create(ws_history_tail_layout(tail), &curve);
    if (status) {
        ws_history_tail_close(tail);
        return status;
    }
    ws_curve_free(feed->curve);
    ws_history_tail_close(feed->tail);
    feed->curve = curve;
    feed->tail = tail;
    return WS_OK;
}

static int add_rows(ws_feed *feed, uint64_t recorded, ws_scene *scene)
{
    const uint64_t step = ws_frame_head(scene->frame)->step;
    int status;
    if (!feed->tail) {
        status = read_recorded_rows(feed, recorded);
    } else {
        const uint64_t last = ws_curve_last(feed->curve);
        status = last != WS_NEVER && last > step ? begin_rows_again(feed) : WS_OK;
        if (status == WS_OK)
            status = ws_history_tail_read(feed->tail, step, feed->curve);
    }
    ws_curve_look(feed->curve, &feed->view);
    scene->history = &feed->view;
    return status;
}

/* The base of a frame of the ring: the ring's, until shapes have changed; from then on each frame is its own.
 */
static const void *base_in_ring(const ws_feed *feed, const void *frame)
{
    size_t bytes;
    const void *base = ws_ring_base(feed->plan.reader, &bytes);
    return ws_frame_head(frame)->generation == ws_frame_head(base)->generation ? base : frame;
}

/* ---- All together. */

int ws_feed_first(ws_feed *feed, ws_scene *out)
{
    size_t bytes;
    int status = WS_OK;
    *out = (ws_scene){0};
    if (feed->plan.reader) {
        out->base = ws_ring_base(feed->plan.reader, &bytes);
    } else {
        status = look_for_backlog(feed);
        store *in = feed->recording.recording ? &feed->recording : &feed->backlog;
        if (status == WS_OK && (!in->recording || ws_recording_refresh(in->recording) == 0))
            status = ws_fail(WS_BAD_ARGUMENT, "there is nothing to draw: no recorded frame");
        if (status == WS_OK)
            status = read_stored(in, 0, out);
    }
    out->frame = out->base;
    ws_curve_look(feed->curve, &feed->view);
    out->history = &feed->view;
    return status;
}

static const void *take(const ws_feed *feed, uint64_t after)
{
    if (!feed->plan.reader)
        return NULL;
    return feed->plan.only_newest ? ws_ring_take_newest(feed->plan.reader, after)
                                  : ws_ring_take_next(feed->plan.reader, after);
}

typedef struct choice {
    const void *frame; /* of the ring, held */
    store *in;         /* or number n of a store */
    uint64_t n, step;
} choice;

/* What of ring, recording and backlog comes first; 1, 0 or a status. */
static int choose(ws_feed *feed, uint64_t after, choice *out)
{
    store *const stores[] = {&feed->recording, &feed->backlog};
    int status = look_for_backlog(feed);
    *out = (choice){.step = WS_NEVER};
    for (int i = 0; i < 2 && status >= 0; i++) {
        uint64_t n, step;
        status = find(stores[i], from_of(after), &n, &step);
        if (status == 1 && step < out->step)
            *out = (choice){.in = stores[i], .n = n, .step = step};
    }
    if (status < 0)
        return status;
    const void *frame = take(feed, after);
    if (frame && (ws_frame_head(frame)->step <= out->step || feed->plan.only_newest))
        *out = (choice){.frame = frame, .step = ws_frame_head(frame)->step};
    return out->frame || out->in;
}

int ws_feed_next(ws_feed *feed, uint64_t after, ws_scene *out, uint64_t *step)
{
    choice chosen;
    uint64_t spilled;
    int status;
    /* A frame that is spilled between the look at the files and the look at the ring would be missed. */
    do {
        ws_feed_release(feed);
        spilled = feed->plan.reader ? ws_ring_spilled(feed->plan.reader) : 0;
        status = choose(feed, after, &chosen);
    } while (status >= 0 && feed->plan.reader && ws_ring_spilled(feed->plan.reader) != spilled);
    *step = chosen.step;
    if (status <= 0)
        return status;
    if (chosen.in) {
        ws_feed_release(feed);
        status = read_stored(chosen.in, chosen.n, out);
    } else {
        status = WS_OK;
        *out = (ws_scene){.frame = chosen.frame, .base = base_in_ring(feed, chosen.frame)};
    }
    if (status == WS_OK)
        status = add_rows(feed, chosen.n, out);
    return status ? status : 1;
}

void ws_feed_release(ws_feed *feed)
{
    if (feed->plan.reader)
        ws_ring_release(feed->plan.reader);
}

uint64_t ws_feed_stored(ws_feed *feed, uint64_t after)
{
    store *const stores[] = {&feed->recording, &feed->backlog};
    uint64_t waiting = 0, n, step;
    for (int i = 0; i < 2; i++)
        if (find(stores[i], from_of(after), &n, &step) == 1)
            waiting += ws_recording_count(stores[i]->recording) - n;
    return waiting;
}

static void close_store(store *in)
{
    ws_recording_close(in->recording);
    ws_frame_free(&in->frame);
    ws_frame_free(&in->base);
}

void ws_feed_close(ws_feed *feed)
{
    if (!feed)
        return;
    ws_feed_release(feed);
    close_store(&feed->recording);
    close_store(&feed->backlog);
    ws_curve_free(feed->curve); /* before what it borrows */
    ws_history_tail_close(feed->tail);
    ws_row_layout_free(&feed->layout);
    free(feed);
}
