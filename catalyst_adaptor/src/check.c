/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"
#include "child.h"
#include "display.h"
#include "paths.h"
#include "status.h"
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { LINE_SIZE = 16384 };

static const double start_seconds = 120; /* for ParaView to come up, on a busy machine */

static int no_helper(void)
{
    return ws_fail(WS_NO_PICTURES,
                   "no ParaView bridge: %s was not found (install paraview-dev "
                   "and python3-paraview and build again, or set "
                   "WEIGHTSCAPE_BRIDGE to its folder)",
                   WS_BRIDGE_HELPER);
}

/* "conv1=1:16,1,3,3": a layer's name, kind and shape. */
static char *layer_word(const ws_layer_state *layer)
{
    enum { SIZE = WS_NAME_SIZE + 100 };
    const int64_t *shape = layer->given.shape;
    char *word = malloc(SIZE);
    if (word)
        snprintf(word, SIZE, "%s=%d:%lld,%lld,%lld,%lld", layer->name, layer->given.kind, (long long)shape[0],
                 (long long)shape[1], (long long)shape[2], (long long)shape[3]);
    return word;
}

/* The helper's command line; words of scripts are borrowed, layer words and the
 * list are the caller's to free. */
static char **command_line(char *helper, char *seconds, const ws_script *scripts, int script_count,
                           const ws_layer_state *layers, int layer_count)
{
    size_t count = 4 + (size_t)layer_count;
    for (int i = 0; i < script_count; i++)
        count += 2 + (size_t)scripts[i].argument_count;
    char **words = calloc(count, sizeof *words);
    if (!words)
        return NULL;
    size_t at = 0;
    words[at++] = helper;
    words[at++] = "check";
    words[at++] = seconds;
    for (int i = 0; i < layer_count; i++)
        words[at++] = layer_word(&layers[i]);
    for (int i = 0; i < script_count; i++) {
        words[at++] = "--";
        words[at++] = scripts[i].path;
        for (int j = 0; j < scripts[i].argument_count; j++)
            words[at++] = scripts[i].arguments[j];
    }
    return words;
}

static int integer_of(const json_t *object, const char *key)
{
    return (int)json_integer_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* One line of the answer. 1: it was the last one. */
static int take_answer(const json_t *answer, const ws_script *scripts, ws_check *out, int *heard, int *status)
{
    if (json_object_get(answer, "display"))
        out->display = integer_of(answer, "display");
    if (json_object_get(answer, "script")) {
        const int script = integer_of(answer, "script");
        *heard = script + 1;
        out->views += integer_of(answer, "views");
        if (!json_is_true(json_object_get(answer, "good")) && !*status)
            *status =
                ws_fail(WS_BAD_SCRIPT, "script %s: %s", scripts[script].path, text_of(answer, "problem"));
        return 0;
    }
    if (!json_object_get(answer, "good"))
        return 0;
    if (!json_is_true(json_object_get(answer, "good")))
        *status = ws_fail(WS_NO_PICTURES, "%s", text_of(answer, "problem"));
    return 1;
}

static int explain_end(int ended, int heard, int script_count, const ws_script *scripts)
{
    if (heard > 0 || script_count == 0) {
        const char *path = heard < script_count ? scripts[heard].path : "";
        return ws_fail(WS_BAD_SCRIPT, "script %s: ends ParaView when it is imported (%s %d)", path,
                       WIFSIGNALED(ended) ? "signal" : "status",
                       WIFSIGNALED(ended) ? WTERMSIG(ended) : WEXITSTATUS(ended));
    }
    return ws_fail(script_count == 1 ? WS_BAD_SCRIPT : WS_NO_PICTURES,
                   "ParaView ended by %s %d before the first script was imported (%s)",
                   WIFSIGNALED(ended) ? "signal" : "status",
                   WIFSIGNALED(ended) ? WTERMSIG(ended) : WEXITSTATUS(ended), scripts[0].path);
}

static int listen_to(ws_child *child, const ws_script *scripts, int script_count, double script_seconds,
                     ws_check *out)
{
    char line[LINE_SIZE];
    int heard = 0, status = WS_OK, last = 0, got = 1;
    while (!last && got == 1) {
        /* The first answers wait for ParaView; a script has a second more than its
         * own watchdog gives it. */
        got = ws_child_line(child, start_seconds + script_seconds + 1, line, sizeof line);
        json_t *answer = got == 1 ? json_loads(line, 0, NULL) : NULL;
        if (answer)
            last = take_answer(answer, scripts, out, &heard, &status);
        json_decref(answer);
    }
    const int ended = ws_child_end(child, got < 0 ? 0 : 10);
    if (last || status)
        return status;
    if (got < 0 || ended == -1)
        return ws_fail(WS_BAD_SCRIPT, "script %s: does not end when it is imported",
                       scripts[heard < script_count ? heard : 0].path);
    return explain_end(ended, heard, script_count, scripts);
}

int ws_check_scripts(const ws_script *scripts, int script_count, const ws_layer_state *layers,
                     int layer_count, double script_seconds, ws_check *out)
{
    char helper[WS_PATH_SIZE], seconds[32];
    if (!ws_find_bridge(WS_BRIDGE_HELPER, helper))
        return no_helper();
    /* Whole seconds, so that no locale can put a comma into them. */
    snprintf(seconds, sizeof seconds, "%d", script_seconds < 1 ? 1 : (int)script_seconds);
    char **words = command_line(helper, seconds, scripts, script_count, layers, layer_count);
    ws_check check = {0};
    ws_child child;
    const int error = words ? ws_child_start(words, &child) : -1;
    for (int i = 0; words && i < layer_count; i++)
        free(words[3 + i]);
    free(words);
    if (error)
        return ws_fail(WS_NO_PICTURES, "%s cannot be started: %s", helper,
                       error < 0 ? "no memory" : strerror(error));
    const int status = listen_to(&child, scripts, script_count, script_seconds, &check);
    if (!status)
        *out = check;
    return status;
}

int ws_insitu_abilities(ws_abilities *out)
{
    if (out->size != sizeof *out)
        return ws_fail(WS_BAD_ARGUMENT, "ws_abilities.size: %u, this library's is %zu", out->size,
                       sizeof *out);
    ws_abilities found = {.size = sizeof found, .xvfb = ws_display_possible()};
    char helper[WS_PATH_SIZE], line[LINE_SIZE];
    ws_child child;
    if (!ws_find_bridge(WS_BRIDGE_HELPER, helper)) {
        snprintf(found.problem, sizeof found.problem,
                 "the ParaView bridge was not built or is not installed");
    } else {
        snprintf(found.bridge_path, sizeof found.bridge_path, "%.*s", (int)sizeof found.bridge_path - 1,
                 helper);
        char *const words[] = {helper, "abilities", NULL};
        const int error = ws_child_start(words, &child);
        const int got = error ? 0 : ws_child_line(&child, start_seconds, line, sizeof line);
        json_t *answer = got == 1 ? json_loads(line, 0, NULL) : NULL;
        found.bridge = found.python = json_is_true(json_object_get(answer, "good"));
        found.display = integer_of(answer, "display");
        snprintf(found.paraview_version, sizeof found.paraview_version, "%s", text_of(answer, "paraview"));
        snprintf(found.python_version, sizeof found.python_version, "%s", text_of(answer, "python"));
        snprintf(found.problem, sizeof found.problem, "%s",
                 answer ? text_of(answer, "problem")
                        : "the ParaView bridge does not start (are "
                          "python3-paraview and paraview installed?)");
        json_decref(answer);
        if (!error)
            ws_child_end(&child, got < 0 ? 0 : 10);
    }
    *out = found;
    return WS_OK;
}
