/* SPDX-License-Identifier: BSD-3-Clause */
/* Who measures a pass layer by layer. Internal to cnn_core and to its measurements. */
#ifndef CNN_PASS_WATCH_H
#define CNN_PASS_WATCH_H

#include "cnn/pass.h"

typedef enum cnn_pass_direction {
    CNN_PASS_FORWARD,
    CNN_PASS_BACKWARD,
} cnn_pass_direction;

enum {
    CNN_PASS_ALL_THREADS = -1, /* as a thread: the one that runs the pass, for work that all have shared */
    CNN_PASS_NO_LAYER = -1,    /* as a layer: what was done since the thread's call before is of no layer */
};

/* Called by a thread of the pass when it is done with a layer: for an image, for a part of the batch, or for
 * the whole batch, which is told for all threads. What happened since its call before (of the same `thread`)
 * was for that layer, and for those of its neighbours that are done in one with it, which have no call of
 * their own: before it forward, behind it backward. The loss is the layer after the last one, forward.
 * Several threads may call at once, each with its own number. */
typedef void cnn_pass_watch(void *context, int thread, int layer, cnn_pass_direction direction);

/* From the next pass on; NULL ends it. */
void cnn_pass_set_watch(cnn_pass *pass, cnn_pass_watch *watch, void *context);

#endif
