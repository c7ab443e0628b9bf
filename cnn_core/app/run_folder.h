/* SPDX-License-Identifier: BSD-3-Clause */
/* The folder of one run: its files' names, and that only one training writes there. */
#ifndef APP_RUN_FOLDER_H
#define APP_RUN_FOLDER_H

typedef struct run_folder {
    char *path;
    char *record;      /* run.json */
    char *metrics;     /* metrics.csv */
    char *history;     /* history.ws */
    char *recording;   /* recording.wsrec */
    char *backlog;     /* backlog.wsrec: what is still to be drawn */
    char *steering;    /* steering.jsonl: what was turned while it trained */
    char *control;     /* the socket of `weightscape ctl`, while it trains */
    char *viewers;     /* how to attach while it trains */
    char *checkpoints; /* folder */
    char *images;      /* folder */
    int lock;          /* descriptor of the folder, locked; -1: not */
    char *made; /* the outermost folder that this process has made: the run's or one around it; NULL: none */
} run_folder;

/* The names in the folder `path`; nothing is touched. Free with run_folder_close. */
run_folder run_folder_of(const char *path);

/* Makes the folder `path`, or, for NULL, runs/N with N one above the highest there, and locks it. A folder
 * that exists must be empty, or hold nothing but what a training has left that was killed before it began,
 * which is removed. Errors: CNN_BAD_ARGUMENT (not empty; in use), CNN_IO_FAILED; nothing is left
 * then. */
int run_folder_create(const char *path, run_folder *out);

/* Locks the folder of an existing run. Errors: CNN_BAD_ARGUMENT (in use), CNN_BAD_FILE (no run.json),
 * CNN_IO_FAILED. */
int run_folder_open(const char *path, run_folder *out);

/* What the adaptor has kept of a past that the run begins again without: moved aside, so that it can be
 * brought back if the new beginning fails, and removed when it has not. What is not there is no matter. */
void run_folder_lay_past_aside(const run_folder *folder);
void run_folder_bring_past_back(const run_folder *folder);
void run_folder_forget_past(const run_folder *folder);

/* 1 if a training is writing there now, else 0. */
int run_folder_is_used(const char *path);

/* Removes what run_folder_create made and what is in it before the first step, for a run that never began,
 * and closes. */
void run_folder_abandon(run_folder *folder);

/* Unlocks and frees the names. */
void run_folder_close(run_folder *folder);

#endif
