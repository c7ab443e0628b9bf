/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"
#include "request.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_SECONDS 120 /* for ParaView and Python on a slow file system */

static json_t *describe(const ws_check *check, const ws_script *script)
{
    return json_pack("{s:o, s:o, s:f, s:I, s:b, s:I}", "script", ws_request_script(script), "layers",
                     ws_request_layers(check->layers), "seconds", check->script_seconds, "first_step",
                     (json_int_t)check->first_step, "draw", check->has_display, "frame_bytes",
                     (json_int_t)ws_frame_head(check->base)->bytes);
}

/* The request line and the frame as one block. */
static char *compose(const ws_check *check, const ws_script *script, size_t *bytes)
{
    json_t *request = describe(check, script);
    char *line = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    if (!line)
        return NULL;
    const size_t length = strlen(line), frame = ws_frame_head(check->base)->bytes;
    char *block = malloc(length + 1 + frame);
    if (block) {
        memcpy(block, line, length);
        block[length] = '\n';
        memcpy(block + length + 1, check->base, frame);
        *bytes = length + 1 + frame;
    }
    free(line);
    return block;
}

/* Line number `index` of an answer, NULL if there is none. */
static json_t *answer_line(const char *answer, int index)
{
    while (index-- > 0) {
        answer = strchr(answer, '\n');
        if (!answer)
            return NULL;
        answer++;
    }
    const char *end = strchr(answer, '\n');
    return end ? json_loadb(answer, (size_t)(end - answer), 0, NULL) : NULL;
}

void ws_check_how_it_ended(const ws_child_end *end, char out[WS_PROBLEM_SIZE])
{
    char by[32] = "";
    if (end->signal)
        snprintf(by, sizeof by, " by signal %d", end->signal);
    snprintf(out, WS_PROBLEM_SIZE, "%s%s%s%s", end->timed_out ? "does not come back" : "ends the process", by,
             end->last_words[0] ? ": " : "", end->last_words);
}

static int judge(const ws_check *check, const ws_script *script, const char *answer, const ws_child_end *end,
                 ws_finding *out)
{
    const char *problem = "";
    json_t *verdict = answer_line(answer, 0), *drawing = answer_line(answer, 1);
    int status = WS_OK;
    *out = (ws_finding){0};
    if (json_unpack(verdict, "{s:s, s:i, s:b}", "problem", &problem, "views", &out->draws, "may_draw",
                    &out->may_draw) != 0) {
        char ended[WS_PROBLEM_SIZE];
        ws_check_how_it_ended(end, ended);
        /* Without a display to draw on, VTK aborts the process. */
        out->draws = !check->has_display && !end->timed_out;
        if (!out->draws)
            status = ws_fail(strstr(end->last_words, "bad_alloc") ? WS_NO_MEMORY : WS_BAD_SCRIPT,
                             "script %s: %s", script->path, ended);
    } else if (json_is_true(json_object_get(verdict, "no_memory"))) {
        status = ws_fail(WS_NO_MEMORY, "%s", problem);
    } else if (problem[0]) {
        status = ws_fail(WS_BAD_SCRIPT, "script %s: %s", ws_script_name(script), problem);
    }
    out->can_draw = json_is_true(json_object_get(drawing, "drawn"));
    ws_request_rules(json_object_get(verdict, "rules"), &out->schedule);
    if (status == WS_OK && out->draws && check->has_display && !out->can_draw)
        ws_check_how_it_ended(end, out->no_drawing);
    json_decref(verdict);
    json_decref(drawing);
    return status;
}

int ws_check_script(const ws_check *check, const ws_script *script, ws_finding *out)
{
    char *const argv[] = {(char *)check->place->helper, "check", NULL};
    size_t bytes = 0;
    char *request = compose(check, script, &bytes);
    if (!request)
        return ws_fail(WS_BAD_SCRIPT, "script %s: its path or an argument is no UTF-8", script->path);
    ws_child_end end;
    char *answer;
    int status = ws_child_run(argv, request, bytes, START_SECONDS + 2 * check->script_seconds, &end, &answer);
    free(request);
    if (status)
        return status;
    status = judge(check, script, answer, &end, out);
    free(answer);
    return status;
}

int ws_check_abilities(const ws_place *place, ws_bridge_abilities *out)
{
    char *const argv[] = {(char *)place->helper, "abilities", NULL};
    ws_child_end end;
    char *answer;
    const int status = ws_child_run(argv, "", 0, START_SECONDS, &end, &answer);
    if (status)
        return status;
    const char *paraview, *python, *problem;
    json_t *line = answer_line(answer, 0);
    const int understood = json_unpack(line, "{s:s, s:s, s:s}", "paraview", &paraview, "python", &python,
                                       "problem", &problem) == 0;
    if (understood) {
        snprintf(out->paraview, sizeof out->paraview, "%s", paraview);
        snprintf(out->python, sizeof out->python, "%s", python);
        snprintf(out->problem, sizeof out->problem, "%s", problem);
    }
    json_decref(line);
    free(answer);
    if (understood)
        return WS_OK;
    char ended[WS_PROBLEM_SIZE];
    ws_check_how_it_ended(&end, ended);
    return ws_fail(WS_NO_PICTURES, "%s: %s", place->helper, ended);
}
