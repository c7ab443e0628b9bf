/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the plug-in and its helper program are. */
#ifndef WEIGHTSCAPE_PLACE_H
#define WEIGHTSCAPE_PLACE_H

#include "bridge_table.h"
#include <limits.h>

typedef struct ws_place {
    char plugin[PATH_MAX];
    char helper[PATH_MAX];
} ws_place;

/* Looks into $WEIGHTSCAPE_BRIDGE (a folder), beside this library or program, where its build or installation
 * puts them, and into the folder chosen at configure time. WS_NO_PICTURES (message says what was looked for)
 * if there are none. */
int ws_place_find(ws_place *out);

/* Loads the plug-in; it stays loaded. WS_NO_PICTURES if it cannot be loaded or is of another version. */
/* The plug-in that knows MPI. WS_BAD_ARGUMENT: there is none. */
int ws_place_find_ranks(char out[PATH_MAX]);

int ws_place_load(const ws_place *place, const ws_bridge_table **out);

#endif
