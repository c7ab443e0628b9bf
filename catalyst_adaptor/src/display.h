/* SPDX-License-Identifier: BSD-3-Clause */
/* A display to draw on: the user's, or a virtual one of our own. */
#ifndef WEIGHTSCAPE_DISPLAY_H
#define WEIGHTSCAPE_DISPLAY_H

#include "place.h"
#include <sys/types.h>

typedef struct ws_display {
    pid_t server; /* 0: none of ours, or it has ended */
    int is_set;   /* $DISPLAY is ours */
    char *before; /* owned: $DISPLAY before, NULL if it was not set */
} ws_display;

/* Path of the program Xvfb: 1 if there is one on PATH. */
int ws_display_program(char out[PATH_MAX]);

/* Whether $DISPLAY answers (asked in a child process): 1 yes, 0 it is not set, -1 it does not answer. */
int ws_display_ask(const ws_place *place);

/* Starts Xvfb and sets $DISPLAY of this process to it. WS_NO_PICTURES (message says what to install) if it
 * cannot. */
int ws_display_start(ws_display *display);

/* Whether a display of ours has ended by itself. */
int ws_display_is_gone(ws_display *display);

/* Ends a display of ours, if any, and puts $DISPLAY back. */
void ws_display_end(ws_display *display);

/* Leaves a display of ours, and $DISPLAY, as they are: the server ends with this process. Where something has
 * been drawn, windows may outlive us, and would end the process when they lose their display. */
void ws_display_leave(ws_display *display);

/* Ends a display that was left, for a process that ends without its exit handlers and draws nothing any more.
 */
void ws_display_end_left(void);

#endif
