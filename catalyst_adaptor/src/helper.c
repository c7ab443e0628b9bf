/* SPDX-License-Identifier: BSD-3-Clause */
/* The program weightscape-bridge: tries what could end a process, so that it ends this one.
 *
 *     weightscape-bridge display      "answers" if $DISPLAY does
 *     weightscape-bridge abilities    one line of JSON
 *     weightscape-bridge check        see check.h */
#include "check.h"
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

static void quiet(void *context, ws_log_level level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
}

/* Layers of which only the names are known; enough for a history without rows. */
static ws_layers name_layers(const json_t *list)
{
    ws_layers layers = {.count = (uint32_t)json_array_size(list)};
    layers.at = calloc(layers.count + 1, sizeof *layers.at);
    for (uint32_t i = 0; layers.at && i < layers.count; i++) {
        const json_t *layer = json_array_get(list, i);
        snprintf(layers.at[i].name, sizeof layers.at[i].name, "%s",
                 json_string_value(json_object_get(layer, "name")));
        layers.at[i].kind = (int32_t)json_integer_value(json_object_get(layer, "kind"));
    }
    return layers;
}

static int try_script(const ws_bridge_table *table, const ws_bridge_options *options, const ws_scene *scene,
                      int draw)
{
    ws_bridge *bridge;
    ws_verdict verdict = {0};
    if (table->open(options, scene, &bridge, verdict.problem) == WS_OK)
        table->verdict(bridge, 0, &verdict);
    answer(json_pack("{s:s, s:i, s:b}", "problem", verdict.problem, "views", verdict.views, "may_draw",
                     verdict.may_draw));
    if (draw && verdict.views > 0 && !verdict.problem[0]) {
        table->draw(bridge);
        answer(json_pack("{s:b}", "drawn", 1));
    }
    return DONE;
}

static int check(void)
{
    const ws_bridge_table *table = load();
    json_t *request = read_request(), *arguments, *layer_list;
    const char *path, *folder;
    double seconds;
    json_int_t first_step, frame_bytes;
    int draw;
    if (!table || json_unpack(request, "{s:s, s:s, s:o, s:o, s:F, s:I, s:b, s:I}", "path", &path, "folder",
                              &folder, "arguments", &arguments, "layers", &layer_list, "seconds", &seconds,
                              "first_step", &first_step, "draw", &draw, "frame_bytes", &frame_bytes) != 0) {
        fprintf(stderr, "%s\n", table ? "the request is not understood" : ws_message());
        return FAILED;
    }
    const size_t count = json_array_size(arguments);
    char **list = calloc(count + 1, sizeof *list);
    for (size_t i = 0; list && i < count; i++)
        list[i] = strdup(json_string_value(json_array_get(arguments, i)));
    const ws_script script = {strdup(path), list, (uint32_t)count, strdup(folder)};
    const ws_layers layers = name_layers(layer_list);
    ws_history *history;
    ws_history_view view;
    ws_history_options kept = {.first_step = (uint64_t)first_step, .keep_curve = 1, .log = {quiet, NULL}};
    void *frame = read_frame((size_t)frame_bytes);
    if (!frame || !list || ws_history_open(&kept, &layers, &history) != WS_OK) {
        fprintf(stderr, "%s\n", ws_message());
        return FAILED;
    }
    ws_history_look(history, &view);
    const ws_bridge_options options = {.scripts = &script,
                                       .script_count = 1,
                                       .script_seconds = seconds,
                                       .first_step = (uint64_t)first_step,
                                       .can_draw = 1,
                                       .log = {quiet, NULL}};
    return try_script(table, &options, &(ws_scene){frame, &view}, draw);
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
    else
        fprintf(stderr, "usage: %s display | abilities | check\n", argv[0]);
    /* Not exit: ParaView's destructors have nothing to save here, and a dead display would trip them. */
    fflush(NULL);
    _exit(status);
}
