/* SPDX-License-Identifier: BSD-3-Clause */
/* Filters are merged while a session trains: by --merge, by whoever asks, as in a log that is replayed; and
 * what was merged is undone. */
#ifndef APP_SESSION_MERGE_H
#define APP_SESSION_MERGE_H

#include "cnn/probe.h"
#include "control.h"
#include "merge_spec.h"
#include "session_steer.h"

typedef struct app_merging {
    size_t number;        /* of the merge that made the network, as the log counts; 0: none */
    cnn_probe probe;      /* the one used last; its memory is NULL before the first */
    uint32_t asked;       /* how many images it was to have */
    size_t replayed;      /* lines of the log that is replayed which are behind this step */
    uint64_t replay_end;  /* up to this step that log, and no schedule, tells what is merged */
    json_t *told;         /* what came of the newest merge; NULL: none */
    int is_nothing;       /* the last one was refused because there was nothing to merge */
    cnn_net *left_behind; /* a network before a merge at which somebody may still look; owned */
    int undoes;           /* the session is to end, and begin again before merge `number` */
    uint64_t undo_step;   /* the step of that state */
    char undone_by[STEER_WHO_SIZE];
} app_merging;

/* What the next session of this process takes over when a merge is undone: the data, the socket with those
 * who are connected, and the rest in which the training was. */
struct session_legacy {
    cnn_data data;
    app_control *control;
    int paused, failed;
    char paused_by[STEER_WHO_SIZE];
    size_t undone; /* number of the merge; 0: none */
    char undone_by[STEER_WHO_SIZE];
};

/* What is merged by --merge after the step made last, and what the log that is replayed has there. To be
 * called once after each step, before its checkpoint. */
void session_merge_due(app_session *session);

/* Merges now, as the line says, or, for "", as --merge does. CNN_BAD_ARGUMENT if it is refused or there is
 * nothing to merge. */
int session_merge_now(app_session *session, const char *line, const char *origin);

/* Refuses what could not be merged again, before anything is begun, and finds where the log ends. */
int session_check_merges(app_session *session);

/* Goes on in the rest in which the session before was, and writes down and tells that a merge is undone.
 * Errors as steering_write. */
int session_take_legacy(app_session *session, const session_legacy *legacy);

/* Frees what is owned. */
void session_close_merging(app_session *session);

/* Asks for the last merge to be undone: the session ends. CNN_BAD_ARGUMENT if nothing was merged, or its
 * state is not kept or not whole. */
int session_undo_merge(app_session *session, const char *origin);

#endif
