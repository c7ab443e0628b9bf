/* SPDX-License-Identifier: BSD-3-Clause */
/* The one door between the plain C library and the plug-in that links ParaView:
 * a versioned table of functions. No exception and no type of VTK passes
 * through it. */
#ifndef WS_BRIDGE_H
#define WS_BRIDGE_H

#include "frame.h"
#include "history.h"
#include "script.h"
#include "weightscape/insitu.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { WS_BRIDGE_VERSION = 1 };

typedef struct ws_bridge ws_bridge;

typedef struct ws_bridge_options {
    const ws_script *scripts; /* borrowed */
    int script_count;
    const ws_history *history; /* of the layers that there are; borrowed while open runs */
    const ws_frame *frame;     /* all channels as they are now: scripts look at them
                                  when they are imported */
    double script_seconds;
    int check; /* 1: scripts are imported only; nothing is written */
    void (*log)(void *context, ws_log_level level, const char *line);
    void *log_context;
} ws_bridge_options;

/* What is known of a script once it is imported. */
typedef struct ws_bridge_script {
    int good;
    int views;
    const char *problem; /* one line if not good; borrowed */
} ws_bridge_script;

typedef struct ws_bridge_api {
    uint32_t version;
    /* Initialises Catalyst, and imports every script; `imported` is called after
     * each (may be NULL). WS_NO_PICTURES if ParaView does not come up. Scripts
     * that fail are kept as failed. */
    int (*open)(const ws_bridge_options *options,
                void (*imported)(void *context, int script, const ws_bridge_script *about), void *context,
                ws_bridge **out, char *message, size_t message_size);
    /* The first step >= from at which a script that has not been given up wants
     * to run (or may: a bounded number of steps is looked ahead), WS_NEVER if
     * there is none. */
    uint64_t (*next)(ws_bridge *bridge, uint64_t from);
    /* Which convolutions' weights are used at `step`: bits as in ws_frame_build.
     * 0 scripts active: *active 0. */
    uint64_t (*wanted)(ws_bridge *bridge, uint64_t step, int *active);
    /* Runs the scripts that are active at the frame's step. Returns the number of
     * them that failed. */
    int (*show)(ws_bridge *bridge, const ws_frame *frame, const ws_history *history);
    /* Fills the counters of the report. */
    void (*report)(const ws_bridge *bridge, ws_report *report);
    void (*close)(ws_bridge *bridge);
    /* Writes every channel to a file of its folder; needs no ws_bridge.
     * WS_IO_FAILED with a message. */
    int (*write)(const ws_frame *frame, const ws_history *history, const char *folder, char *message,
                 size_t message_size);
} ws_bridge_api;

/* The only symbol of the plug-in. */
WS_API const ws_bridge_api *ws_bridge_get(void);
typedef const ws_bridge_api *ws_bridge_get_function(void);
#define WS_BRIDGE_SYMBOL "ws_bridge_get"

#ifdef __cplusplus
}
#endif
#endif
