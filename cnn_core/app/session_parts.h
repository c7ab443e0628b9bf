/* SPDX-License-Identifier: BSD-3-Clause */
/* What a session consists of, for the files that open it, run it and sum it up. */
#ifndef APP_SESSION_PARTS_H
#define APP_SESSION_PARTS_H

#include "cnn/trainer.h"
#include "control.h"
#include "data_source.h"
#include "early_signs.h"
#include "insitu_link.h"
#include "knobs.h"
#include "metrics.h"
#include "picture_progress.h"
#include "progress.h"
#include "run_record.h"
#include "session.h"
#include "session_merge.h"
#include "session_steer.h"
#include "session_warnings.h"
#include "steering.h"

struct app_session {
    /* borrowed */
    train_plan *plan;
    option_values *values;
    run_folder *folder;
    /* owned */
    cnn_data data;
    cnn_net *net;
    char *whole;              /* the network that the run began with, as text */
    merged_filters *merged;   /* that are there no more, for pictures */
    cnn_optimizer *optimizer; /* until the trainer takes it */
    cnn_threads *threads;
    cnn_trainer *trainer;
    insitu_link *link;
    app_metrics *metrics;
    app_knobs knobs;
    app_steering *steering; /* the log that is written */
    app_control *control;   /* NULL: there can be no socket here */
    steering_log past;      /* what this run has turned up to its first step */
    early_signs *signs;     /* NULL: nobody wants warnings */
    json_t *warnings;       /* as run.json has them */
    steering_log replay;    /* what another run has turned; empty: none */
    /* state */
    data_print print;
    size_t replayed; /* lines of `replay` that are done */
    app_steer steer;
    app_merging merging;
    cnn_step last;             /* the newest row; of step 0 before the first */
    uint64_t first_step;       /* of the checkpoint it began with; 0 for a new run */
    uint64_t saved_step;       /* of the newest checkpoint */
    double time_before;        /* seconds of training in earlier sessions */
    cnn_evaluation validation; /* the last one measured; NaN before */
    uint64_t validation_step;  /* when */
    app_progress progress;
    picture_progress pictures; /* of the wait at the end */
    double budget_looked;      /* when the budget was looked at; +infinity: it needs no more looks */
    int failed;      /* something could not be written: told already, and the exit status tells it too */
    int last_failed; /* the newest step has values that are not finite */
    int not_finite;  /* a step's values were not */
    int is_lost;     /* a rank is, or differs from the others: no more steps */
    int is_doubtful; /* the parameters are not the same on all ranks, so that they are not saved */
    int ended, stopped,
        complete;  /* no more steps; because of a value that is not finite; because all are done */
    int cut_short; /* a signal has ended the wait for pictures */
    char started[RUN_RECORD_TIME_SIZE];
};

/* Images in a batch of evaluations; it changes no result. */
enum { EVALUATION_BATCH = 100 };

/* Writes run.json with this status; returns a status of cnn_core. */
int session_write_record(const app_session *session, const char *status);

/* Saves the state of this step unless that is done. Errors as checkpoint_store. */
int session_save_now(app_session *session);

/* Saves the state of this step anew, as it has another network now; tells it if that fails. */
void session_save_merged(app_session *session);

/* Tells once, after ten seconds, if what scripts ask for takes more of the time than the budget. */
void session_check_budget(app_session *session);

/* Waits, after the last step, until all pictures are drawn or a signal comes. */
void session_finish_pictures(app_session *session);

/* 1 if a picture that scripts asked for is missing, or a script failed. */
int session_misses_pictures(const app_session *session);

/* Tells what came out of it: validation, pictures, where things are and what to type next. */
void session_tell_summary(const app_session *session);

#endif
