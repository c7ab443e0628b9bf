/* SPDX-License-Identifier: BSD-3-Clause */
/* The last stretch of a run's walks, row by row, from its history. */
#ifndef WEIGHTSCAPE_WALK_WINDOW_H
#define WEIGHTSCAPE_WALK_WINDOW_H

#include "row_layout.h"

/* Of one layer. */
typedef struct ws_walk_window {
    uint64_t steps;        /* rows after the first, of consecutive steps; 0: there is no path */
    double path, net;      /* of the sketch; NaN of layers without one */
    double weight;         /* mean norm of the weights */
    double gradient;       /* mean norm of the gradients, of rows that have one */
    double early_gradient; /* the same of the steps up to `early` */
} ws_walk_window;

/* Reads the rows of steps from..to of PATH, whose rows are those of `layout`; and, for the gradients, of the
 * steps up to `early`. A row that is missing in between ends the path (NaN). WS_BAD_FILE, WS_IO_FAILED,
 * WS_NO_MEMORY; windows[layer_count] are filled only without an error. */
int ws_walk_window_read(const char *path, const ws_row_layout *layout, uint64_t from, uint64_t to,
                        uint64_t early, ws_walk_window *windows);

#endif
