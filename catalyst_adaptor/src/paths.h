/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the ParaView plug-in and its helper program are. Internal to
 * catalyst_adaptor. */
#ifndef WS_PATHS_H
#define WS_PATHS_H

#include <stddef.h>

enum { WS_PATH_SIZE = 4096 };

/* Both are in one folder: $WEIGHTSCAPE_BRIDGE, else beside this library
 * (../lib/weightscape, or the build's own lib), else where they were to be
 * installed. 1 and path filled if `file` is there, else 0. */
int ws_find_bridge(const char *file, char path[WS_PATH_SIZE]);

#define WS_BRIDGE_PLUGIN "libweightscape-bridge.so"
#define WS_BRIDGE_HELPER "weightscape-bridge"

#endif
