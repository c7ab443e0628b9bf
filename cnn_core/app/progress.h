/* SPDX-License-Identifier: BSD-3-Clause */
/* How far a training is, in one line: rewritten on a terminal, else a new one every few seconds and at each
 * epoch. */
#ifndef APP_PROGRESS_H
#define APP_PROGRESS_H

#include "cnn/trainer.h"

typedef struct app_progress {
    int quiet;
    const cnn_trainer *trainer;  /* borrowed */
    uint64_t first;              /* the step where this session began */
    double images_before;        /* that the training had seen then */
    double started, told, ended; /* seconds of the clock; ended: 0 before */
    double rested, rests_since;  /* seconds of rest so far, and since when it rests now; 0: it does not */
} app_progress;

/* Starts the clock of the session of `trainer`, which is borrowed at the step it is at. */
app_progress progress_begin(const cnn_trainer *trainer, int quiet);

/* Stops the clock: what follows is no training. */
void progress_end(app_progress *progress);

/* Between these two the clock stands still. */
void progress_rest(app_progress *progress);
void progress_go_on(app_progress *progress);

/* Seconds of training so far, without those of rest. */
double progress_seconds(const app_progress *progress);

/* True if it is time to tell something; always at a step at which `validation` was measured (else NULL). */
int progress_is_due(const app_progress *progress, const cnn_evaluation *validation);

/* Tells it. `insitu_seconds`: how much of the session's time went into pictures. */
void progress_tell(app_progress *progress, const cnn_step *step, double insitu_seconds,
                   const cnn_evaluation *validation);

/* Images that this session has trained on so far, and in a second on average. */
double progress_images(const app_progress *progress);
double progress_images_per_second(const app_progress *progress);

#endif
