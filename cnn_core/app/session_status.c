/* SPDX-License-Identifier: BSD-3-Clause */
/* How a training stands, as JSON: for those who ask, and for viewers. */
#include "clock.h"
#include "json_number.h"
#include "session_parts.h"
#include "text.h"
#include <stdlib.h>
#include <unistd.h>

#define RATE_SECONDS 1.0 /* over which images per second are measured */

void session_measure_rate(app_session *session)
{
    app_steer *steer = &session->steer;
    const double now = progress_seconds(&session->progress), images = progress_images(&session->progress);
    if (now - steer->rate_since < RATE_SECONDS && steer->rate > 0)
        return;
    if (now > steer->rate_since)
        steer->rate = (images - steer->rate_images) / (now - steer->rate_since);
    steer->rate_since = now;
    steer->rate_images = images;
}

static const char *state_of(const app_session *session)
{
    return session->ended ? "waiting for pictures" : session->steer.rests_for[0] ? "paused" : "training";
}

static json_t *knobs_of(const app_session *session)
{
    json_t *object = json_object();
    const app_knob *knob;
    for (size_t i = 0; (knob = knob_at(i)); i++) {
        char *text = knob_text(knob, &session->knobs);
        if (text)
            json_object_set_new(object, knob_name(knob), json_string(text));
        free(text);
    }
    return object;
}

/* The share of this session's time that the training's thread has spent on those who look. */
static double insitu_share(const app_session *session)
{
    const double seconds = progress_seconds(&session->progress);
    return seconds > 0 ? insitu_link_report(session->link).seconds / seconds : 0;
}

/* "conv1 12 of 16, conv2 32, fc1 1024": units of all layers but the last. The caller frees it. */
static char *widths_of(const app_session *session)
{
    const cnn_net *net = session->net;
    char *text = text_copy("");
    for (int i = 0; i < net->layer_count - 1; i++) {
        const cnn_layer *layer = &net->layers[i];
        if (!cnn_layer_has_parameters(layer))
            continue;
        int before = layer->out.c;
        for (int m = net->merge_count; m--;)
            if (net->merges[m].layer == i)
                before = net->merges[m].before;
        char *of = before > layer->out.c ? text_format(" of %d", before) : text_copy("");
        char *longer = text_format("%s%s%s %d%s", text, *text ? ", " : "", layer->name, layer->out.c, of);
        free(of);
        free(text);
        text = longer;
    }
    return text;
}

/* What both are told. */
static json_t *common_of(const app_session *session)
{
    const app_steer *steer = &session->steer;
    return json_pack("{s:s, s:s, s:o, s:o, s:s}", "state", state_of(session), "paused_by", steer->rests_for,
                     "images_per_s", json_number(steer->rate), "knobs", knobs_of(session), "refused",
                     steer->refused);
}

json_t *session_status(const app_session *session)
{
    const cnn_trainer *trainer = session->trainer;
    const double seconds = progress_seconds(&session->progress);
    json_t *status = common_of(session),
           *more =
               json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:i}", "step",
                         (json_int_t)trainer->step, "total_steps", (json_int_t)trainer->options.total_steps,
                         "epoch", json_number(cnn_course_epochs(&trainer->course, trainer->step)), "loss",
                         json_number(session->last.loss), "accuracy", json_number(session->last.accuracy),
                         "learning_rate", json_number(session->last.learning_rate), "time_s",
                         json_number(session->time_before + seconds), "insitu_share",
                         json_number(insitu_share(session)), "pid", (int)getpid(), "ranks",
                         trainer->options.ranks ? trainer->options.ranks->count : 1);
    json_object_update(status, more);
    json_object_set(status, "warnings", session->warnings);
    json_decref(more);
    char *widths = widths_of(session);
    json_object_set_new(status, "widths", json_string(widths));
    json_object_set_new(status, "merges", json_integer((json_int_t)session->merging.number));
    free(widths);
    return status;
}

/* The reason of the last warning, for people; "": none. */
static const char *last_warning(const app_session *session)
{
    const size_t count = json_array_size(session->warnings);
    const json_t *last = count ? json_array_get(session->warnings, count - 1) : NULL;
    const char *reason = json_string_value(json_object_get(last, "reason"));
    return reason ? reason : "";
}

/* Returns 0, or a status if it is too long. */
static int tell(const app_session *session, const json_t *status)
{
    char *text = json_dumps(status, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(6));
    const int result = text ? insitu_link_status(session->link, text) : WS_NO_MEMORY;
    free(text);
    return result;
}

void session_tell_viewers(app_session *session)
{
    json_t *status = common_of(session);
    json_object_set_new(status, "overhead", json_number(insitu_share(session)));
    char *widths = session->merging.number ? widths_of(session) : NULL;
    if (widths)
        json_object_set_new(status, "widths", json_string(widths));
    free(widths);
    json_object_set_new(status, "warning", json_string(last_warning(session)));
    /* Hundreds of dropout layers make a long list of rates. */
    if (tell(session, status)) {
        json_object_del(status, "knobs");
        json_object_del(status, "widths");
        tell(session, status);
    }
    json_decref(status);
    session->steer.has_news = 0;
    session->steer.told = clock_seconds();
}
