/* SPDX-License-Identifier: BSD-3-Clause */
/* Principal components of the walk of a layer's weights, from sketches of it. */
#ifndef WEIGHTSCAPE_COMPONENTS_H
#define WEIGHTSCAPE_COMPONENTS_H

#include "curve.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WS_COMPONENTS 3

typedef struct ws_components {
    double mean[WS_SKETCH_CELLS];
    double axes[WS_COMPONENTS][WS_SKETCH_CELLS]; /* unit vectors, in order of decreasing variance */
    double explained[WS_COMPONENTS];             /* parts of the whole variance; NaN if it is 0 */
} ws_components;

/* Of all rows that `sums` are of. Returns 1; 0, and everything is NaN, if there are none. */
int ws_components_of(const ws_walk_sums *sums, ws_components *out);

#ifdef __cplusplus
}
#endif
#endif
