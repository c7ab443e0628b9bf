/* SPDX-License-Identifier: BSD-3-Clause */
/* The picture side of one run: scripts that were tried, a display, the bridge. */
#ifndef WEIGHTSCAPE_PICTURES_H
#define WEIGHTSCAPE_PICTURES_H

#include "display.h"
#include "script.h"

/* Zero-initialise; give up with ws_pictures_end. */
typedef struct ws_pictures {
    ws_display display;
    ws_place place;
    ws_script *kept; /* owned list of borrowed scripts: those that passed their trial, in order */
    uint32_t kept_count;
    int may_draw; /* the bridge may have made windows */
    const ws_bridge_table *table;
    ws_bridge *bridge; /* NULL: nothing is shown */
    uint64_t next;     /* the next step to show, or at which to ask again */
    int anyone;        /* 0: only ask */
    uint8_t *wanted;   /* owned: per layer, at `next` */
} ws_pictures;

/* What trial and start need. */
typedef struct ws_pictures_options {
    const ws_scripts *scripts;
    const ws_layers *layers;
    const ws_frame *frame; /* of every convolution, at first_step */
    double script_seconds;
    uint64_t first_step;
    int required;
    ws_log log;
} ws_pictures_options;

/* Tries the scripts in child processes and starts the display they need; nothing on disk is changed.
 * WS_BAD_SCRIPT; WS_NO_PICTURES if nothing can be drawn, or, if required, not by every script. Scripts that
 * cannot draw are told through the log and left out. */
int ws_pictures_try(ws_pictures *pictures, const ws_pictures_options *options);

/* Imports the scripts that passed. WS_NO_PICTURES. */
int ws_pictures_start(ws_pictures *pictures, const ws_pictures_options *options, const ws_history *history);

/* Whether a script waits for `step`. Looks ahead from there if the host has passed the step that was asked
 * for. */
int ws_pictures_are_wanted(ws_pictures *pictures, uint64_t step);

/* Runs the scripts that are due, and finds the next step. WS_SCRIPT_FAILED if one failed. */
int ws_pictures_show(ws_pictures *pictures, const ws_scene *scene, const ws_log *log);

void ws_pictures_counts(const ws_pictures *pictures, ws_bridge_counts *out);

void ws_pictures_end(ws_pictures *pictures);

#endif
