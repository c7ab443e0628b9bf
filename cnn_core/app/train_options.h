/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of `train`, and what they amount to. */
#ifndef APP_TRAIN_OPTIONS_H
#define APP_TRAIN_OPTIONS_H

#include "cnn/trainer.h"
#include "merge_spec.h"
#include "options.h"
#include <weightscape/insitu.h>

extern const app_option train_option_table[];

/* What becomes of the steps that somebody wants to see. */
typedef struct insitu_choice {
    const char *name; /* as in --insitu; borrowed */
    int is_on;        /* 0: nothing is shown, and nobody can attach */
    int transport;    /* where it is on: ws_options.transport */
    int draws;        /* scripts are given, and not only for their steps to be recorded */
    int wait, required;
    const char *live; /* HOST:PORT; NULL: not */
    double overhead;  /* a share, (0, 1] */
    uint64_t record;  /* as in ws_options */
} insitu_choice;

/* A training as it was asked for; lengths are known only together with the data. */
typedef struct train_plan {
    const char *data;            /* folder; borrowed from the values, as all texts here but `net` */
    const char *run, *resume;    /* NULL: not given */
    const char *replay_steering; /* the run whose knobs are turned again; NULL: none */
    char *net;                   /* the line, read from its file where one was named; owned */
    cnn_trainer_options trainer; /* total_steps is 0 until train_plan_total */
    uint64_t epochs;             /* 0: `steps` counts */
    uint64_t steps;
    int steps_are_more; /* `steps` is to be added to the steps done */
    uint64_t seed;
    int classes, threads;
    uint32_t probe;            /* images that pictures of activations and correlations look at */
    uint32_t validation;       /* CNN_VALIDATION_TWELFTH without the option */
    uint64_t checkpoint_every; /* steps; 0: an epoch */
    size_t keep_checkpoints;   /* 0: all */
    int stop_on_nan, strict, quiet, warns;
    merge_spec merge; /* the defaults without --merge */
    int has_merge;
    insitu_choice insitu;
} train_plan;

/* Refuses options of one call that contradict each other, CNN_BAD_ARGUMENT. */
int train_options_check(const option_values *values);

/* Reads checked values. A file named by --net is read only if the call itself gave it. Returns 0 or a status
 * of cnn_core; free with train_plan_free in both cases. */
int train_plan_make(const option_values *values, train_plan *plan);

/* The plan of a run that goes on in this process, whose `values` are settled: an end that was told as so many
 * steps more is where it is, and knobs begin as the options have them. Returns 0 or a status of cnn_core. */
int train_plan_go_on(const option_values *values, train_plan *plan);
void train_plan_free(train_plan *plan);

/* Sets the number of steps after which the training ends. Returns 0, or CNN_BAD_ARGUMENT if `done` are more.
 * The mark of the course is not after `done`. */
int train_plan_total(train_plan *plan, const cnn_course *course, uint64_t done);

#endif
