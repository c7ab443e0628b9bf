/* SPDX-License-Identifier: BSD-3-Clause */
/* metrics.csv: one row per step, from 1. Columns: step, epoch, time_s, loss, accuracy, learning_rate,
 * validation_loss, validation_accuracy, and for each layer L with parameters L_weight_l2, L_gradient_l2,
 * L_distance_l2. A cell without a value is empty; a value that is not finite is nan, inf or -inf. */
#ifndef APP_METRICS_H
#define APP_METRICS_H

#include "cnn/trainer.h"

typedef struct app_metrics app_metrics;

/* What a row holds besides the step. */
typedef struct metrics_row {
    const cnn_step *step;
    double time_s;
    const cnn_evaluation *validation; /* NULL: not measured at this step */
} metrics_row;

/* What the rows up to a step tell of the past. */
typedef struct metrics_past {
    double time_s;             /* of the last row; 0 without rows */
    uint64_t rows, last_step;  /* kept */
    cnn_evaluation validation; /* the last one: loss and accuracy; NaN if there is none */
    uint64_t validation_step;  /* its row */
} metrics_past;

/* Begins a file. `net` is borrowed. Errors: CNN_IO_FAILED. */
int metrics_create(const char *path, const cnn_net *net, app_metrics **out);

/* Goes on after the row of step `step`. Rows after it, and a torn last one, are cut and kept in
 * PATH.after-STEP, or, if that exists, PATH.after-STEP.2 and so on. A file that is missing is begun. Errors:
 * CNN_BAD_FILE (another header), CNN_IO_FAILED. */
int metrics_resume(const char *path, const cnn_net *net, uint64_t step, metrics_past *past,
                   app_metrics **out);

/* From here on rows are of `net`, which is borrowed and has the same layers. */
void metrics_follow(app_metrics *metrics, const cnn_net *net);

/* Appends a row. Returns CNN_IO_FAILED once, when it cannot be written: it is taken back, and later rows are
 * left out. */
int metrics_write(app_metrics *metrics, const metrics_row *row);

/* Makes the rows durable; nothing to do after a failure. Returns CNN_IO_FAILED once, as metrics_write. */
int metrics_sync(app_metrics *metrics);

/* Closes the file; returns 0 if all rows were written. NULL is allowed. */
int metrics_close(app_metrics *metrics);

#endif
