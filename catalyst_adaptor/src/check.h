/* SPDX-License-Identifier: BSD-3-Clause */
/* What is tried in a child process, which may die of it: a script, and drawing.
 *
 * The helper program gets one line of JSON and a frame as its standard input, and answers with lines of JSON.
 */
#ifndef WEIGHTSCAPE_CHECK_H
#define WEIGHTSCAPE_CHECK_H

#include "child.h"
#include "place.h"
#include "script.h"

/* What the check of one script needs. */
typedef struct ws_check {
    const ws_place *place;
    const ws_layers *layers;
    const void *base; /* of every layer */
    double script_seconds;
    uint64_t first_step;
    int has_display;
} ws_check;

/* What it found. */
typedef struct ws_finding {
    int draws;                        /* the script has views, or died for lack of a display */
    int may_draw;                     /* it may make views later */
    int can_draw;                     /* drawing was tried and works */
    ws_schedule schedule;             /* at which steps it wants to run */
    char no_drawing[WS_PROBLEM_SIZE]; /* why not */
} ws_finding;

/* Tries a script. WS_BAD_SCRIPT if it cannot be used (message: one line with its file and line);
 * WS_NO_MEMORY if there was none for the trial;
 * WS_NO_PICTURES if the helper itself does not work; WS_IO_FAILED. */
int ws_check_script(const ws_check *check, const ws_script *script, ws_finding *out);

/* How a helper ended that has not answered, in words. */
void ws_check_how_it_ended(const ws_child_end *end, char out[WS_PROBLEM_SIZE]);

/* Asks the helper what it can do. WS_NO_PICTURES if it does not answer. */
int ws_check_abilities(const ws_place *place, ws_bridge_abilities *out);

#endif
