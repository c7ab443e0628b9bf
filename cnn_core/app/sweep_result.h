/* SPDX-License-Identifier: BSD-3-Clause */
/* What came of a sweep's runs, and the table of it. */
#ifndef APP_SWEEP_RESULT_H
#define APP_SWEEP_RESULT_H

#include "sweep_plan.h"

typedef enum sweep_outcome {
    SWEEP_WAITS,    /* not begun, or not complete and to be gone on with */
    SWEEP_COMPLETE, /* all its steps are done */
    SWEEP_DIVERGED, /* it stopped where a value was not finite */
    SWEEP_STOPPED,  /* before its end, by a signal or weightscape ctl */
    SWEEP_FAILED,   /* it could not begin, died, or ended with an error */
} sweep_outcome;

typedef struct sweep_result {
    sweep_outcome outcome;
    uint64_t step;
    double seconds;        /* of training; NaN: not known, as all that follows */
    double loss, accuracy; /* on the validation images, at the end */
} sweep_result;

/* What the folder of a run tells: SWEEP_WAITS with the step it has reached for one that is not there, runs
 * now, or was killed; never SWEEP_FAILED. */
sweep_result sweep_result_read(const char *path);

/* The name of an outcome, a word. */
const char *sweep_outcome_name(sweep_outcome outcome);

/* The order of the table: by validation accuracy, then by loss, best first; those without come last, in the
 * plan's order. The caller frees it. */
size_t *sweep_result_order(const sweep_plan *plan, const sweep_result *results);

/* Writes sweep.csv, aside first: run, a column per option, status, validation_accuracy, validation_loss,
 * step, steps, seconds. A cell without a value is empty. Errors as cnn_replacement_*. */
int sweep_result_write(const char *path, const sweep_plan *plan, const sweep_result *results);

/* Tells the table on standard output. */
void sweep_result_tell(const sweep_plan *plan, const sweep_result *results);

#endif
