/* SPDX-License-Identifier: BSD-3-Clause */
#include "pictures.h"
#include "check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_DISPLAY "there is no display to draw on, and no Xvfb; apt-get install xvfb"

/* $DISPLAY, or a virtual display of our own. */
static int find_display(ws_pictures *pictures, const ws_place *place)
{
    return ws_display_ask(place) == 1 || ws_display_start(&pictures->display) == WS_OK;
}

/* Sets the message to why a script cannot draw. */
static int cannot_draw(const ws_check *check, const ws_script *script, const ws_finding *finding)
{
    return ws_fail(WS_NO_PICTURES, "script %s cannot draw: %s", ws_script_name(script),
                   check->has_display ? finding->no_drawing : NO_DISPLAY);
}

/* Tries all scripts. WS_NO_PICTURES if one cannot draw and all are required, or if none is left. */
static int try_scripts(const ws_check *check, const ws_pictures_options *options, ws_pictures *out)
{
    char lost[WS_MESSAGE_SIZE] = "";
    for (uint32_t i = 0; i < options->scripts->count; i++) {
        const ws_script *script = &options->scripts->at[i];
        ws_finding finding;
        int status = ws_check_script(check, script, &finding);
        if (status == WS_NO_MEMORY) /* others may have wanted much for a moment */
            status = ws_check_script(check, script, &finding);
        if (status == WS_OK && finding.draws && !finding.can_draw) {
            status = cannot_draw(check, script, &finding);
        }
        if ((status == WS_NO_PICTURES || status == WS_NO_MEMORY) && !options->required) {
            snprintf(lost, sizeof lost, "%s", ws_message());
            continue;
        }
        if (status)
            return status;
        out->kept[out->kept_count++] = *script;
        ws_schedule_join(&out->schedule, &finding.schedule);
        out->may_draw |= finding.draws || finding.may_draw;
    }
    if (out->kept_count == 0)
        return ws_fail(WS_NO_PICTURES, "%s", lost);
    if (lost[0])
        ws_tell(&options->log, WS_LOG_WARNING, "%s", lost);
    return WS_OK;
}

static int try_all(ws_pictures *pictures, const ws_pictures_options *options)
{
    const ws_check check = {.place = &pictures->place,
                            .layers = options->layers,
                            .base = options->base,
                            .script_seconds = options->script_seconds,
                            .first_step = options->first_step,
                            .has_display = find_display(pictures, &pictures->place)};
    const int status = try_scripts(&check, options, pictures);
    if (status)
        return status;
    if (!pictures->may_draw)
        ws_display_end(&pictures->display);
    pictures->may_draw = check.has_display && pictures->may_draw;
    return WS_OK;
}

static int reserve(ws_pictures *pictures, const ws_pictures_options *options)
{
    *pictures = (ws_pictures){0};
    const int status = ws_place_find(&pictures->place);
    if (status)
        return status;
    pictures->kept = calloc(options->scripts->count + 1, sizeof *pictures->kept);
    return pictures->kept ? WS_OK
                          : ws_fail(WS_NO_MEMORY, "no memory for %u scripts", options->scripts->count);
}

int ws_pictures_try(ws_pictures *pictures, const ws_pictures_options *options)
{
    int status = WS_OK;
    for (uint32_t i = 0; i < options->scripts->count && status == WS_OK; i++)
        status = ws_script_is_readable(&options->scripts->at[i]);
    if (status == WS_OK)
        status = reserve(pictures, options);
    if (status)
        return status;
    status = try_all(pictures, options);
    if (status)
        ws_pictures_end(pictures);
    return status;
}

int ws_pictures_adopt(ws_pictures *pictures, const ws_pictures_options *options, int may_draw)
{
    const int status = reserve(pictures, options);
    if (status)
        return status;
    for (uint32_t i = 0; i < options->scripts->count; i++)
        pictures->kept[pictures->kept_count++] = options->scripts->at[i];
    pictures->may_draw = may_draw && find_display(pictures, &pictures->place);
    if (!may_draw || pictures->may_draw || options->live_host)
        return WS_OK;
    ws_pictures_end(pictures);
    return ws_fail(WS_NO_PICTURES, "%s", NO_DISPLAY);
}

int ws_pictures_start(ws_pictures *pictures, const ws_pictures_options *options,
                      const ws_history_view *history)
{
    const ws_scene scene = {options->base, options->base, history};
    const ws_bridge_options opened = {.scripts = pictures->kept,
                                      .script_count = pictures->kept_count,
                                      .script_seconds = options->script_seconds,
                                      .first_step = options->first_step,
                                      .shown_until = options->shown_until,
                                      .can_draw = pictures->may_draw,
                                      .always = options->always,
                                      .live_host = options->live_host,
                                      .live_port = options->live_port,
                                      .stop = options->stop,
                                      .stop_context = options->stop_context,
                                      .is_expendable = options->is_expendable,
                                      .is_idle = options->is_idle,
                                      .log = options->log};
    char problem[WS_PROBLEM_SIZE] = "";
    int status = ws_place_load(&pictures->place, &pictures->table);
    if (status == WS_OK) {
        status = pictures->table->open(&opened, &scene, &pictures->bridge, problem);
        if (status)
            ws_fail(status, status == WS_NO_MEMORY ? "%s" : "ParaView does not start: %s", problem);
    }
    if (status == WS_OK && ws_pictures_ask(pictures) == WS_NO_MEMORY)
        status = WS_NO_MEMORY;
    if (status)
        ws_pictures_end(pictures);
    return status;
}

int ws_pictures_ask(ws_pictures *pictures)
{
    char problem[WS_PROBLEM_SIZE] = "";
    const int status = pictures->table->schedule(pictures->bridge, &pictures->schedule, problem);
    return status == WS_NO_MEMORY ? ws_fail(status, "what the scripts wait for is not known: %s", problem)
                                  : status;
}

int ws_pictures_show(ws_pictures *pictures, const ws_scene *scene, const ws_log *log)
{
    if (ws_display_is_gone(&pictures->display)) {
        ws_tell(log, WS_LOG_WARNING, "the virtual display has ended: no more pictures from this process");
        pictures->table->lose_display(pictures->bridge);
    }
    char problem[WS_PROBLEM_SIZE] = "";
    const int status = pictures->table->show(pictures->bridge, scene, problem);
    const int asked = ws_pictures_ask(pictures);
    if (status == WS_NO_MEMORY)
        return ws_fail(status, "step %llu: %s", (unsigned long long)ws_frame_head(scene->frame)->step,
                       problem);
    return status ? status : asked;
}

void ws_pictures_counts(const ws_pictures *pictures, ws_bridge_counts *out)
{
    *out = (ws_bridge_counts){0};
    if (pictures->bridge)
        pictures->table->counts(pictures->bridge, out);
}

void ws_pictures_end(ws_pictures *pictures)
{
    if (pictures->bridge && ws_display_is_gone(&pictures->display))
        pictures->table->lose_display(pictures->bridge);
    if (pictures->bridge)
        pictures->table->close(pictures->bridge);
    if (pictures->bridge && pictures->may_draw)
        ws_display_leave(&pictures->display);
    else
        ws_display_end(&pictures->display);
    free(pictures->kept);
    *pictures = (ws_pictures){0};
}
