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
    ws_bridge *bridge;    /* NULL: nothing is drawn */
    ws_schedule schedule; /* what the scripts wait for: as their trial told, then as the bridge does */
} ws_pictures;

/* What trial and start need. */
typedef struct ws_pictures_options {
    const ws_scripts *scripts;
    const ws_layers *layers; /* for the trial: their names and kinds */
    const void *base;        /* of the first frames: every convolution */
    double script_seconds;
    uint64_t first_step, shown_until;
    int required, always, is_idle, is_expendable;
    const char *live_host; /* as in ws_bridge_options */
    uint16_t live_port;
    int (*stop)(void *context);
    void *stop_context;
    ws_log log;
} ws_pictures_options;

/* Tries the scripts in child processes and starts the display they need; nothing on disk is changed.
 * WS_BAD_SCRIPT; WS_NO_PICTURES if nothing can be drawn, or, if required, not by every script; WS_NO_MEMORY
 * if there is none, twice, to try one that is required. Scripts that cannot draw, or be tried for want of
 * memory, are told through the log and left out. */
int ws_pictures_try(ws_pictures *pictures, const ws_pictures_options *options);

/* Instead of a trial, where another process has tried them: takes all scripts, and starts the display that
 * they need if they may draw. WS_NO_PICTURES, but not where they are only shown live: there a script that
 * makes views is told and left out. */
int ws_pictures_adopt(ws_pictures *pictures, const ws_pictures_options *options, int may_draw);

/* Imports the scripts. WS_NO_PICTURES, WS_NO_MEMORY. */
int ws_pictures_start(ws_pictures *pictures, const ws_pictures_options *options,
                      const ws_history_view *history);

/* What the scripts wait for now; the schedule stays on error. Errors as ws_pictures_show. */
int ws_pictures_ask(ws_pictures *pictures);

/* Runs the scripts that are due. WS_SCRIPT_FAILED if one failed; with is_expendable, WS_NO_MEMORY: the step
 * is not drawn. */
int ws_pictures_show(ws_pictures *pictures, const ws_scene *scene, const ws_log *log);

void ws_pictures_counts(const ws_pictures *pictures, ws_bridge_counts *out);

void ws_pictures_end(ws_pictures *pictures);

#endif
