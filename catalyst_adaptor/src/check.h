/* SPDX-License-Identifier: BSD-3-Clause */
/* What only a process of its own may find out: whether ParaView comes up, and
 * whether scripts can be imported. Internal to catalyst_adaptor. */
#ifndef WS_CHECK_H
#define WS_CHECK_H

#include "layer.h"
#include "script.h"

typedef struct ws_check {
    int display; /* 1: $DISPLAY answers, 0: not set, -1: nothing answers there */
    int views;   /* of all scripts */
} ws_check;

/* Imports every script in a child. WS_BAD_SCRIPT: the first that cannot be
 * used, and why; WS_NO_PICTURES: the child could not be started, or ParaView
 * did not come up in it. */
int ws_check_scripts(const ws_script *scripts, int script_count, const ws_layer_state *layers,
                     int layer_count, double script_seconds, ws_check *out);

#endif
