/* SPDX-License-Identifier: BSD-3-Clause */
/* The program weightscape-bridge: does what could end a process, so that it ends this one.
 *
 *     weightscape-bridge display      "answers" if $DISPLAY does
 *     weightscape-bridge abilities    one line of JSON
 *     weightscape-bridge check        see check.h
 *     weightscape-bridge once         runs a script once, as ws_script_run asks
 *     weightscape-bridge sidecar      draws for a training, see sidecar_main.h */
#include "check.h"
#include "display.h"
#include "request.h"
#include "sidecar_main.h"
#include <dlfcn.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DONE = 0, FAILED = 1, USAGE = 2 };

/* Answers go here; what scripts print goes to standard error. */
static FILE *answers;

static int take_output(void)
{
    answers = fdopen(dup(STDOUT_FILENO), "w");
    return answers && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 ? DONE : FAILED;
}

static void answer(json_t *line)
{
    json_dumpf(line, answers, JSON_COMPACT);
    json_decref(line);
    fputc('\n', answers);
    fflush(answers);
}

/* libX11 is there wherever ParaView is, its headers are not. */
static int display(void)
{
    void *x11 = dlopen("libX11.so.6", RTLD_NOW);
    void *(*open_display)(const char *) = NULL;
    if (x11)
        *(void **)&open_display = dlsym(x11, "XOpenDisplay");
    if (!open_display || !open_display(NULL))
        return FAILED;
    fprintf(answers, "answers\n");
    fflush(answers);
    return DONE;
}

static const ws_bridge_table *load(void)
{
    ws_place place;
    const ws_bridge_table *table;
    return ws_place_find(&place) == WS_OK && ws_place_load(&place, &table) == WS_OK ? table : NULL;
}

static int abilities(void)
{
    const ws_bridge_table *bridge = load();
    ws_bridge_abilities found = {0};
    if (bridge)
        bridge->abilities(&found);
    else
        snprintf(found.problem, sizeof found.problem, "%.*s", (int)sizeof found.problem - 1, ws_message());
    answer(json_pack("{s:s, s:s, s:s}", "paraview", found.paraview, "python", found.python, "problem",
                     found.problem));
    return DONE;
}

static json_t *read_request(void)
{
    char *line = NULL;
    size_t size = 0;
    json_t *request = getline(&line, &size, stdin) > 0 ? json_loads(line, 0, NULL) : NULL;
    free(line);
    return request;
}

static void *read_frame(size_t bytes)
{
    void *frame = aligned_alloc(WS_FRAME_ALIGNMENT, bytes);
    if (frame && fread(frame, 1, bytes, stdin) == bytes && ws_frame_check(frame, bytes) == WS_OK)
        return frame;
    free(frame);
    return NULL;
}

static void try_script(const ws_bridge_table *table, const ws_bridge_options *options, const ws_scene *scene,
                       int draw)
{
    ws_bridge *bridge;
    ws_verdict verdict = {0};
    const int status = table->open(options, scene, &bridge, verdict.problem);
    if (status == WS_OK)
        table->verdict(bridge, 0, &verdict);
    answer(json_pack("{s:s, s:b, s:i, s:b, s:o}", "problem", verdict.problem, "no_memory",
                     status == WS_NO_MEMORY, "views", verdict.views, "may_draw", verdict.may_draw, "rules",
                     ws_request_schedule(&verdict.schedule)));
    if (draw && verdict.views > 0 && !verdict.problem[0]) {
        table->draw(bridge);
        answer(json_pack("{s:b}", "drawn", 1));
    }
}

static int refuse(void)
{
    fprintf(stderr, "%s\n", ws_message());
    return FAILED;
}

/* What is allocated here ends with the process. */
static int check(void)
{
    const ws_bridge_table *table = load();
    if (!table)
        return refuse();
    json_t *request = read_request(), *script_json, *layers;
    double seconds;
    json_int_t first_step, frame_bytes;
    int draw;
    ws_script script;
    ws_row_layout layout;
    ws_curve *curve;
    if (json_unpack(request, "{s:o, s:o, s:F, s:I, s:b, s:I}", "script", &script_json, "layers", &layers,
                    "seconds", &seconds, "first_step", &first_step, "draw", &draw, "frame_bytes",
                    &frame_bytes) != 0) {
        ws_fail(WS_BAD_ARGUMENT, "the request is not understood");
        return refuse();
    }
    const void *base = read_frame((size_t)frame_bytes);
    if (!base || ws_request_read_script(script_json, &script) != WS_OK ||
        ws_request_read_layout(layers, &layout) != WS_OK || ws_curve_create(&layout, &curve) != WS_OK)
        return refuse();
    ws_history_view view;
    ws_curve_look(curve, &view);
    const ws_bridge_options options = {.scripts = &script,
                                       .script_count = 1,
                                       .script_seconds = seconds,
                                       .first_step = (uint64_t)first_step,
                                       .shown_until = (uint64_t)first_step,
                                       .can_draw = 1,
                                       .is_expendable = 1,
                                       .log = ws_log_silent()};
    try_script(table, &options, &(ws_scene){base, base, &view}, draw);
    return DONE;
}

/* Whether there is something to draw on is asked before ParaView is loaded. */
static int once(void)
{
    ws_place place;
    ws_script script;
    ws_display display = {0};
    char problem[WS_PROBLEM_SIZE] = "";
    json_t *request = read_request();
    int status = ws_request_read_script(request, &script);
    if (status == WS_OK)
        status = ws_place_find(&place);
    if (status == WS_OK && ws_display_ask(&place) != 1)
        status = ws_display_start(&display);
    if (status == WS_OK) {
        const ws_bridge_table *table = load();
        status = table ? table->run_once(&script, problem) : WS_NO_PICTURES;
    }
    answer(
        json_pack("{s:i, s:s}", "status", status, "problem", problem[0] || !status ? problem : ws_message()));
    ws_display_leave(&display);
    return DONE;
}

int main(int argc, char **argv)
{
    const char *mode = argc == 2 ? argv[1] : "";
    int status = USAGE;
    if (take_output() != DONE)
        return FAILED;
    if (strcmp(mode, "display") == 0)
        status = display();
    else if (strcmp(mode, "abilities") == 0)
        status = abilities();
    else if (strcmp(mode, "check") == 0)
        status = check();
    else if (strcmp(mode, "once") == 0)
        status = once();
    else if (strcmp(mode, "sidecar") == 0)
        status = sidecar_main(read_request());
    else
        fprintf(stderr, "usage: %s display | abilities | check | once | sidecar\n", argv[0]);
    /* Not exit: ParaView's destructors have nothing to save here, and a dead display would trip them. */
    fflush(NULL);
    ws_display_end_left();
    _exit(status);
}
