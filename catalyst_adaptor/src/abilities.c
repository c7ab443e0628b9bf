/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"
#include "display.h"
#include <stdio.h>
#include <string.h>

static void ask_bridge(const ws_place *place, ws_abilities *out)
{
    ws_bridge_abilities found = {0};
    if (ws_check_abilities(place, &found) != WS_OK) {
        snprintf(out->problem, sizeof out->problem, "%.*s", (int)sizeof out->problem - 1, ws_message());
        return;
    }
    snprintf(out->bridge_path, sizeof out->bridge_path, "%.*s", (int)sizeof out->bridge_path - 1,
             place->plugin);
    snprintf(out->paraview_version, sizeof out->paraview_version, "%s", found.paraview);
    snprintf(out->python_version, sizeof out->python_version, "%s", found.python);
    snprintf(out->problem, sizeof out->problem, "%s", found.problem);
    out->bridge = found.paraview[0] != '\0';
    out->python = out->bridge && found.problem[0] == '\0';
    out->display = ws_display_ask(place);
}

int ws_insitu_abilities(ws_abilities *out)
{
    if (out->size != sizeof *out)
        return ws_fail(WS_BAD_ARGUMENT, "ws_abilities.size is %u, this library's is %zu", out->size,
                       sizeof *out);
    *out = (ws_abilities){.size = sizeof *out};
    ws_place place;
    if (ws_place_find(&place) == WS_OK)
        ask_bridge(&place, out);
    else
        snprintf(out->problem, sizeof out->problem, "%.*s", (int)sizeof out->problem - 1, ws_message());
    ws_display display = {0};
    out->xvfb = ws_display_start(&display) == WS_OK;
    ws_display_end(&display);
    return WS_OK;
}
