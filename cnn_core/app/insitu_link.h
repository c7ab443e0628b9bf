/* SPDX-License-Identifier: BSD-3-Clause */
/* Connects a network in training to the in-situ adaptor: the only place that sees both. */
#ifndef APP_INSITU_LINK_H
#define APP_INSITU_LINK_H

#include "cnn/trainer.h"
#include "insitu_views.h"
#include "merged_filters.h"
#include <weightscape/insitu.h>

typedef struct insitu_link insitu_link;

/* What a link is opened for. Texts are copied. */
typedef struct insitu_plan {
    const char **scripts; /* NULL terminated; NULL: none */
    const char *images;   /* folder */
    const char *folder;   /* of the run; NULL: nothing is kept */
    uint64_t first_step;
    int transport; /* of ws_options, as what follows */
    int wait, always, watchers, required, read_only;
    double overhead;
    uint64_t record;
    const char *live;
    int ranks;                    /* that share the training, and are shown; 0: it is not shared */
    insitu_views_plan views;      /* zeroed: nothing but weights can be shown */
    const merged_filters *merged; /* borrowed; NULL: filters that are there no more are not shown */
    int (*stop)(void *context);
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *context; /* of both */
} insitu_plan;

/* Numbers of a step beside cnn_step. */
typedef struct insitu_times {
    double time_s;
    const cnn_evaluation *validation; /* the last one measured */
} insitu_times;

/* The log of the adaptor as messages of the program. */
void insitu_tell(void *context, ws_log_level level, const char *line);

/* Opens the adaptor for all layers of `net` with parameters, whose arrays are borrowed, and starts the
 * scripts. Returns a ws_status; ws_message tells what went wrong. Close with insitu_link_close. */
int insitu_link_open(const insitu_plan *plan, cnn_net *net, insitu_link **out);

/* Another network takes the place of the one that is shown: the same layers, with as many units as it has.
 * To be called between two steps, while the old one is still there, after the plan's `merged` has got that
 * merge. Returns a ws_status; ws_message tells. */
int insitu_link_change(insitu_link *link, cnn_net *net);

/* Threads with which to compute what is shown; borrowed. Without them one does it. */
void insitu_link_use(insitu_link *link, cnn_threads *threads);

/* The ranks of this trainer compute a share each of what is shown; borrowed. */
void insitu_link_share(insitu_link *link, cnn_trainer *trainer);

/* From which correlation on pictures show filters as a group. */
void insitu_link_set_threshold(insitu_link *link, double threshold);

/* For cnn_observer.next_frame. */
const volatile uint64_t *insitu_link_next(const insitu_link *link);

/* Keeps a step in the histories. Returns a ws_status: WS_IO_FAILED once, when they are kept in memory only
 * from here on. */
int insitu_link_row(insitu_link *link, const cnn_step *step, const insitu_times *times);

/* Shows the state after `step`; failures are told by the adaptor and counted in its report. */
void insitu_link_frame(insitu_link *link, uint64_t step);

/* What viewers ask for, and what they are told, as in insitu.h: the next command (1 or 0), whether one wants
 * the training to rest, that it rests, a number of what they see, the training's status. */
int insitu_link_poll(insitu_link *link, ws_command *command);
int insitu_link_is_held(const insitu_link *link, char who[WS_VIEWER_SIZE]);
void insitu_link_idle(insitu_link *link);
int insitu_link_set(insitu_link *link, const char *name, double value);
int insitu_link_status(insitu_link *link, const char *json);

/* Makes sure, before a checkpoint, that what is still to be drawn outlives this process. */
void insitu_link_sync(insitu_link *link);

/* Waits until all is drawn. Returns as ws_insitu_finish. */
int insitu_link_finish(insitu_link *link);

/* Writes what the channels hold at `step` into `folder`. Returns a ws_status. */
int insitu_link_export(insitu_link *link, uint64_t step, const char *folder);

/* What it amounts to so far. */
ws_report insitu_link_report(const insitu_link *link);

/* Ends the scripts. NULL is allowed. */
void insitu_link_close(insitu_link *link);

#endif
