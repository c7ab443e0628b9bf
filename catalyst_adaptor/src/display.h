/* SPDX-License-Identifier: BSD-3-Clause */
/* A virtual X display of our own, for machines without one. Internal to
 * catalyst_adaptor. */
#ifndef WS_DISPLAY_H
#define WS_DISPLAY_H

#include "child.h"

typedef struct ws_display {
    ws_child server; /* pid 0: none */
    char *before;    /* DISPLAY as it was, owned; NULL: unset */
} ws_display;

/* 1 if the program Xvfb is on PATH. */
int ws_display_possible(void);

/* Starts Xvfb on a free number and sets DISPLAY for this process.
 * WS_NO_PICTURES with a message that says what to install. */
int ws_display_start(ws_display *out);

/* Ends the server and puts DISPLAY back; harmless if there is none. */
void ws_display_stop(ws_display *display);

#endif
