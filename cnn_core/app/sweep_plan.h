/* SPDX-License-Identifier: BSD-3-Clause */
/* What a sweep is to do: its axes, the options that all runs share, and the runs. */
#ifndef APP_SWEEP_PLAN_H
#define APP_SWEEP_PLAN_H

#include "sweep_axis.h"

enum { SWEEP_MOST_RUNS = 1000, SWEEP_MOST_AXES = 8 };

/* One training. */
typedef struct sweep_run {
    char *name;     /* of its folder: its number and its values */
    char **values;  /* one per axis */
    uint64_t steps; /* in all */
    double images;  /* that it trains on, about: how long it takes follows from it */
} sweep_run;

typedef struct sweep_plan {
    sweep_axis axes[SWEEP_MOST_AXES];
    size_t axis_count;
    option_values *shared; /* of train: what the call gives to all runs; paths are absolute */
    uint64_t random, seed; /* runs drawn at random; 0: a grid of all combinations */
    sweep_run *runs;
    size_t run_count;
} sweep_plan;

/* Makes the plan of a call, and tries all of it: options against each other, data, networks. Returns
 * OPTIONS_GOOD; OPTIONS_HELPED, where train's help was asked for; OPTIONS_BAD after one line. Nothing is
 * written. Free with sweep_plan_free for OPTIONS_GOOD. */
int sweep_plan_make(const option_values *call, sweep_plan *out);
void sweep_plan_free(sweep_plan *plan);

/* The plan as an object: equal for two calls if they ask for the same runs. */
json_t *sweep_plan_json(const sweep_plan *plan);

/* The values of a run as "lr=0.1 optimizer=sgd"; the caller frees it. */
char *sweep_plan_words(const sweep_plan *plan, size_t run);

/* The options of a run as arguments of train, without where it is and how many threads: a list that ends with
 * NULL, owned as is each of its texts. */
char **sweep_plan_arguments(const sweep_plan *plan, size_t run);

#endif
