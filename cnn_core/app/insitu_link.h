/* SPDX-License-Identifier: BSD-3-Clause */
/* Connects a network in training to the in-situ adaptor: the only place that sees both. */
#ifndef APP_INSITU_LINK_H
#define APP_INSITU_LINK_H

#include "cnn/trainer.h"
#include <weightscape/insitu.h>

typedef struct insitu_link insitu_link;

/* What a link is opened for. Texts are copied. */
typedef struct insitu_plan {
    const char **scripts; /* NULL terminated; NULL: none */
    const char *images;   /* folder */
    const char *history;  /* file; NULL: none */
    uint64_t first_step;
    int required, read_only;
} insitu_plan;

/* Numbers of a step beside cnn_step. */
typedef struct insitu_times {
    double time_s;
    const cnn_evaluation *validation; /* the last one measured */
} insitu_times;

/* Opens the adaptor for all layers of `net` with parameters, whose arrays are borrowed, and starts the
 * scripts. Returns a ws_status; ws_message tells what went wrong. Close with insitu_link_close. */
int insitu_link_open(const insitu_plan *plan, const cnn_net *net, insitu_link **out);

/* For cnn_observer.next_frame. */
const volatile uint64_t *insitu_link_next(const insitu_link *link);

/* Keeps a step in the histories. Returns a ws_status: WS_IO_FAILED once, when they are kept in memory only
 * from here on. */
int insitu_link_row(insitu_link *link, const cnn_step *step, const insitu_times *times);

/* Shows the state after `step`; failures are told by the adaptor and counted in its report. */
void insitu_link_frame(insitu_link *link, uint64_t step);

/* Writes what the channels hold at `step` into `folder`. Returns a ws_status. */
int insitu_link_export(insitu_link *link, uint64_t step, const char *folder);

/* What it amounts to so far. */
ws_report insitu_link_report(const insitu_link *link);

/* Ends the scripts. NULL is allowed. */
void insitu_link_close(insitu_link *link);

#endif
