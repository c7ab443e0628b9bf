/* SPDX-License-Identifier: BSD-3-Clause */
/* The one door to the plug-in that holds ParaView: a table of C functions, found by name after dlopen.
 *
 * No function throws. Each leaves signal handlers, floating-point modes, locale and working folder as they
 * were. */
#ifndef WEIGHTSCAPE_BRIDGE_TABLE_H
#define WEIGHTSCAPE_BRIDGE_TABLE_H

#include "curve.h"
#include "message.h"
#include "schedule.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WS_BRIDGE_VERSION  5
#define WS_BRIDGE_SYMBOL   "weightscape_bridge"
#define WS_PROBLEM_SIZE    512
#define WS_SHORT_NAME_SIZE 32

/* A script as a host asked for it. */
typedef struct ws_script {
    char *path;             /* absolute */
    char *const *arguments; /* "--key=value" */
    uint32_t argument_count;
    char *folder; /* its Cinema database, absolute */
} ws_script;

/* What there is to see at one step. */
typedef struct ws_scene {
    const void *frame; /* a frame block (frame.h) */
    const void *base;  /* the base of the frame's generation */
    const ws_history_view *history;
} ws_scene;

typedef struct ws_bridge_options {
    const ws_script *scripts;
    uint32_t script_count;
    double script_seconds;
    uint64_t first_step;
    uint64_t shown_until;  /* a step up to this one whose pictures are there already is not drawn again */
    int can_draw;          /* 0: a script that makes a view fails, where VTK would end the process */
    int always;            /* all is written at each step shown, whatever triggers say */
    const char *live_host; /* a ParaView that listens there is dialled, and is shown every channel and what
                              scripts make of them; then scripts write nothing. NULL: none */
    uint16_t live_port;
    int (*stop)(void *context); /* asked, also from another thread, while a viewer is waited for: not 0 cuts
                                   it off. NULL: never */
    void *stop_context;
    int is_expendable; /* another process can draw what this one cannot: want of memory is the caller's to
                          tell, and no failure of the script */
    int is_idle;       /* this process runs at idle priority: script_seconds are processor time */
    ws_log log;
} ws_bridge_options;

/* What trying a script found. */
typedef struct ws_verdict {
    int views;                     /* how many it has made */
    int may_draw;                  /* it has code that runs later, and may make more */
    ws_schedule schedule;          /* at which steps it wants to run */
    char problem[WS_PROBLEM_SIZE]; /* "" if it can be used */
} ws_verdict;

typedef struct ws_bridge_counts {
    uint64_t images_written, images_expected, script_failures;
} ws_bridge_counts;

typedef struct ws_bridge_abilities {
    char paraview[WS_SHORT_NAME_SIZE], python[WS_SHORT_NAME_SIZE];
    char problem[WS_PROBLEM_SIZE]; /* "" if Python imports paraview and numpy */
} ws_bridge_abilities;

/* How it stands with the ParaView that is dialled. */
typedef struct ws_live_state {
    int is_connected;
    int is_paused; /* somebody has pressed pause there, and it still answers */
    int is_behind; /* something is looked at that was not built at the last step: show that step again */
} ws_live_state;

typedef struct ws_bridge ws_bridge;

typedef struct ws_bridge_table {
    uint32_t version; /* WS_BRIDGE_VERSION */

    /* Starts ParaView and imports the scripts; `scene` holds every channel. One bridge at a time. A script
     * that fails is told through the log and left out. WS_NO_PICTURES (the problem is in `problem`) if
     * ParaView does not start; WS_NO_MEMORY, also if it was wanting for a script and is_expendable. */
    int (*open)(const ws_bridge_options *options, const ws_scene *scene, ws_bridge **out,
                char problem[WS_PROBLEM_SIZE]);

    /* At which steps the scripts want to run, and which layers' weights they look at then. It may change when
     * a script has run; a step of it at which no script turns out to be due costs nothing but its frame.
     * *out is untouched on error: WS_SCRIPT_FAILED (told through the log); WS_NO_MEMORY as `show`. */
    int (*schedule)(ws_bridge *bridge, ws_schedule *out, char problem[WS_PROBLEM_SIZE]);

    /* Runs the scripts that are due at the frame's step. WS_SCRIPT_FAILED if one failed (told through the
     * log). With is_expendable, WS_NO_MEMORY if memory was wanting, with the problem: the step is not drawn.
     */
    int (*show)(ws_bridge *bridge, const ws_scene *scene, char problem[WS_PROBLEM_SIZE]);

    /* The display has gone: what has views is left out from here on, and its windows are left alone. */
    void (*lose_display)(ws_bridge *bridge);

    void (*counts)(const ws_bridge *bridge, ws_bridge_counts *out);

    /* Finalizes the scripts and gives up their views, so that a display may go. NULL is allowed. */
    void (*close)(ws_bridge *bridge);

    /* After open, in a process that may die of it: what became of each script. */
    void (*verdict)(const ws_bridge *bridge, uint32_t script, ws_verdict *out);
    /* Draws a picture of a few pixels; returns only if this machine can. */
    void (*draw)(const ws_bridge *bridge);

    /* A round with the ParaView that is dialled, while there is nothing new to show: its wishes arrive, its
     * pause is kept, or it is dialled again when its time has come. Returns within the time that a viewer may
     * be silent. */
    void (*idle)(ws_bridge *bridge);
    void (*live)(const ws_bridge *bridge, ws_live_state *out);

    /* The next command that somebody there has given: 1, or 0 if there is none. */
    int (*take_command)(ws_bridge *bridge, char name[WS_COMMAND_NAME], char value[WS_COMMAND_VALUE]);

    /* What the host tells of itself (ws_insitu_status), for the channel `status`; copied. */
    void (*tell_status)(ws_bridge *bridge, const char *json);

    /* Writes each channel of `scene` to FOLDER/CHANNEL.vti or .csv. Needs no open bridge. WS_IO_FAILED, with
     * the problem. */
    int (*export_channels)(const ws_scene *scene, const char *folder, char problem[WS_PROBLEM_SIZE]);

    /* Runs a Python file once, as ParaView's pvbatch would; needs no open bridge, and a display if it draws.
     * WS_OK; WS_BAD_FILE: it ended itself with a text (sys.exit("...")), which is the problem;
     * WS_BAD_SCRIPT: it failed. */
    int (*run_once)(const ws_script *script, char problem[WS_PROBLEM_SIZE]);

    /* Versions, and whether Python has what the scripts need. */
    void (*abilities)(ws_bridge_abilities *out);
} ws_bridge_table;

#ifdef __cplusplus
}
#endif
#endif
