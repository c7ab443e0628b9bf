/* SPDX-License-Identifier: BSD-3-Clause */
/* Where frames go: one interface, a file for each way. */
#ifndef WEIGHTSCAPE_TRANSPORT_H
#define WEIGHTSCAPE_TRANSPORT_H

#include "history.h"
#include "paths.h"
#include "pictures.h"

/* What a transport works with; all of it is borrowed, and outlives it. */
typedef struct ws_setup {
    const ws_scripts *scripts;
    const ws_layers *layers;
    const ws_frame *base; /* of the present generation */
    const ws_rank_rows *ranks;
    const ws_paths *paths;
    double script_seconds, overhead;
    double live_seconds; /* between two live updates, at least */
    const char *live;    /* HOST:PORT; NULL: nobody is dialled */
    uint64_t first_step;
    int required, always, wait, watchers;
    int (*stop)(void *context);
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *wait_context;
    ws_log log;
} ws_setup;

typedef struct ws_transport ws_transport;

/* Every transport begins with this. All functions are called from the host's thread; all but start, next,
 * wants, show and end may be NULL. */
struct ws_transport {
    /* Gets ready to show frames. WS_NO_PICTURES, WS_IO_FAILED, WS_NO_MEMORY. */
    int (*start)(ws_transport *self, ws_history *history);

    /* The first step >= from that it wants for a script; a frame may be wanted earlier by `tick`. */
    uint64_t (*next)(const ws_transport *self, uint64_t from);

    /* After each row: `now` in seconds of the monotonic clock. Returns 1 if it wants this very step, or
     * `next` may have changed. */
    int (*tick)(ws_transport *self, uint64_t step, double now);

    /* Whether it wants a frame at `step`; adds to wanted[layer] what it wants of each (ws_wants). *is_dump: a
     * script waits for it, it is not only news. */
    int (*wants)(ws_transport *self, uint64_t step, uint8_t *wanted, int *is_dump);

    /* Memory for the frame that it wants, NULL if any will do. *wanted loses what there is no room for (after
     * a failure of the system, which is told). *is_base: it takes a frame that is its own base. */
    void *(*memory)(ws_transport *self, uint8_t *wanted, int *is_base);

    /* Shows the frame. `now` as above, when its making began. WS_SCRIPT_FAILED. */
    int (*show)(ws_transport *self, const void *frame, double began);

    /* Shapes have changed: the setup's base is another one. */
    int (*reshape)(ws_transport *self);

    /* See insitu.h: poll (1 or 0), is_held and status. */
    int (*command)(ws_transport *self, ws_command *out);
    int (*is_held)(const ws_transport *self, char who[WS_VIEWER_SIZE]);
    void (*tell_status)(ws_transport *self, const char *json);

    /* See insitu.h. */
    void (*sync)(ws_transport *self);
    int (*finish)(ws_transport *self, uint64_t last_step);
    void (*report)(const ws_transport *self, ws_report *report);
    void (*end)(ws_transport *self);
};

/* Scripts run in this process. They are tried here (errors as ws_insitu_start); nothing is changed on disk.
 * *out is untouched on error, and freed by its `end`. */
int ws_inline_create(const ws_setup *setup, ws_transport **out);

/* Scripts run in a sidecar; strangers may watch. Without scripts there is no sidecar. */
int ws_sidecar_create(const ws_setup *setup, ws_transport **out);

/* Scripts only tell what is to be recorded. */
int ws_unseen_create(const ws_setup *setup, ws_transport **out);

/* Whether a schedule wants `step`; adds what it wants of each convolution (ws_wants). For transports. */
int ws_transport_wants(const ws_setup *setup, const ws_schedule *schedule, uint64_t step, uint8_t *wanted);

/* What a set wants of one layer: nothing of one that is no convolution. */
uint8_t ws_transport_of_layer(const ws_setup *setup, const ws_layer_set *set, uint32_t layer);

/* Adds the weights of every convolution. */
void ws_transport_want_weights(const ws_setup *setup, uint8_t *wanted);

/* What the trial and the start of the setup's scripts need. */
ws_pictures_options ws_transport_pictures(const ws_setup *setup);

#endif
