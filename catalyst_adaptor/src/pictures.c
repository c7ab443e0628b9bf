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
        if (status == WS_OK && finding.draws && !finding.can_draw) {
            status = cannot_draw(check, script, &finding);
            if (!options->required) {
                snprintf(lost, sizeof lost, "%s", ws_message());
                continue;
            }
        }
        if (status)
            return status;
        out->kept[out->kept_count++] = *script;
        out->may_draw |= finding.draws || finding.may_draw;
    }
    if (out->kept_count == 0)
        return ws_fail(WS_NO_PICTURES, "%s", lost);
    if (lost[0])
        ws_tell(&options->log, WS_LOG_WARNING, "%s", lost);
    return WS_OK;
}

static int open_bridge(ws_pictures *pictures, const ws_pictures_options *options, const ws_history *history)
{
    const int status = ws_place_load(&pictures->place, &pictures->table);
    if (status)
        return status;
    ws_history_view view;
    ws_history_look(history, &view);
    const ws_scene scene = {options->frame->memory, &view};
    const ws_bridge_options opened = {.scripts = pictures->kept,
                                      .script_count = pictures->kept_count,
                                      .script_seconds = options->script_seconds,
                                      .first_step = options->first_step,
                                      .can_draw = pictures->may_draw,
                                      .log = options->log};
    char problem[WS_PROBLEM_SIZE] = "";
    if (pictures->table->open(&opened, &scene, &pictures->bridge, problem) != WS_OK)
        return ws_fail(WS_NO_PICTURES, "ParaView does not start: %s", problem);
    return WS_OK;
}

static void ask(ws_pictures *pictures, uint64_t from)
{
    pictures->table->next(pictures->bridge, from, &pictures->next, &pictures->anyone, pictures->wanted);
}

static int try_all(ws_pictures *pictures, const ws_pictures_options *options)
{
    const ws_check check = {.place = &pictures->place,
                            .layers = options->layers,
                            .frame = options->frame,
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

int ws_pictures_try(ws_pictures *pictures, const ws_pictures_options *options)
{
    int status = WS_OK;
    pictures->next = WS_NEVER;
    for (uint32_t i = 0; i < options->scripts->count && status == WS_OK; i++)
        status = ws_script_is_readable(&options->scripts->at[i]);
    if (status == WS_OK)
        status = ws_place_find(&pictures->place);
    if (status)
        return status;
    pictures->kept = calloc(options->scripts->count, sizeof *pictures->kept);
    pictures->wanted = calloc(options->layers->count + 1, sizeof *pictures->wanted);
    if (pictures->kept && pictures->wanted)
        status = try_all(pictures, options);
    else
        status = ws_fail(WS_NO_MEMORY, "no memory for %u scripts", options->scripts->count);
    if (status)
        ws_pictures_end(pictures);
    return status;
}

int ws_pictures_start(ws_pictures *pictures, const ws_pictures_options *options, const ws_history *history)
{
    const int status = open_bridge(pictures, options, history);
    if (status)
        ws_pictures_end(pictures);
    else
        ask(pictures, options->first_step);
    return status;
}

int ws_pictures_are_wanted(ws_pictures *pictures, uint64_t step)
{
    if (!pictures->bridge || step < pictures->next)
        return 0;
    while (step > pictures->next || (step == pictures->next && !pictures->anyone))
        ask(pictures, step);
    return step == pictures->next;
}

int ws_pictures_show(ws_pictures *pictures, const ws_scene *scene, const ws_log *log)
{
    if (ws_display_is_gone(&pictures->display)) {
        ws_tell(log, WS_LOG_WARNING, "the virtual display has ended: no more pictures from this run");
        pictures->table->lose_display(pictures->bridge);
    }
    const int status = pictures->table->show(pictures->bridge, scene);
    ask(pictures, ws_frame_head(scene->frame)->step + 1);
    return status;
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
    if (pictures->may_draw)
        ws_display_leave(&pictures->display);
    else
        ws_display_end(&pictures->display);
    free(pictures->kept);
    free(pictures->wanted);
    *pictures = (ws_pictures){.next = WS_NEVER};
}
