/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of the public API that runs a script which belongs to no training. */
#include "check.h"
#include "request.h"
#include <stdlib.h>
#include <string.h>

/* The request as one line; NULL if a text of it is no UTF-8. The caller frees it. */
static char *compose(const ws_script *script)
{
    json_t *request = ws_request_script(script);
    char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    const size_t length = text ? strlen(text) : 0;
    char *line = text ? malloc(length + 2) : NULL;
    if (line) {
        memcpy(line, text, length);
        memcpy(line + length, "\n", 2);
    }
    free(text);
    return line;
}

static int judge(const ws_script *script, const char *output, const ws_child_end *end)
{
    int status;
    const char *problem;
    json_t *answer = json_loads(output, JSON_DISABLE_EOF_CHECK, NULL);
    if (json_unpack(answer, "{s:i, s:s}", "status", &status, "problem", &problem) != 0) {
        char ended[WS_PROBLEM_SIZE];
        ws_check_how_it_ended(end, ended);
        status = ws_fail(WS_BAD_SCRIPT, "script %s: %s", ws_script_name(script), ended);
    } else if (status == WS_BAD_SCRIPT) {
        ws_fail(status, "script %s: %s", ws_script_name(script), problem);
    } else if (status) {
        ws_fail(status, "%s", problem);
    }
    json_decref(answer);
    return status;
}

int ws_script_run(const char *path, const char *const *arguments, uint32_t count, double seconds)
{
    ws_place place;
    const ws_script script = {.path = (char *)path,
                              .arguments = (char *const *)arguments,
                              .argument_count = count,
                              .folder = (char *)"."};
    int status = ws_script_is_readable(&script);
    if (status == WS_OK)
        status = ws_place_find(&place);
    if (status)
        return status;
    char *request = compose(&script), *output;
    if (!request)
        return ws_fail(WS_BAD_SCRIPT, "script %s: its path or an argument is no UTF-8", path);
    char *const argv[] = {place.helper, (char *)"once", NULL};
    ws_child_end end;
    status = ws_child_run(argv, request, strlen(request), seconds, &end, &output);
    free(request);
    if (status)
        return status;
    status = judge(&script, output, &end);
    free(output);
    return status;
}
