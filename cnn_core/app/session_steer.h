/* SPDX-License-Identifier: BSD-3-Clause */
/* What is asked of a training while it runs: knobs, rest, checkpoints, its end. Whoever asks, by the socket
 * or from a viewer, comes through the two functions below. */
#ifndef APP_SESSION_STEER_H
#define APP_SESSION_STEER_H

#include "cnn/trainer.h"
#include "knobs.h"
#include "session.h"
#include <jansson.h>

enum { STEER_WHO_SIZE = 128, STEER_REFUSAL_SIZE = 320 };

/* What has been asked for, and not yet ended. */
typedef struct app_steer {
    int paused; /* by a command, a breakpoint or the end of `step N`: until somebody lets it go on */
    char paused_by[STEER_WHO_SIZE];
    uint64_t rest_after; /* the step at which `step N` ends; 0: it was not asked for */
    char stepped_by[STEER_WHO_SIZE];
    int ignores_hold; /* somebody has let the training go on although a viewer holds it */
    int is_held;      /* it rests because a viewer holds it */
    char held_by[STEER_WHO_SIZE];
    int stopped; /* the training is to end after its step */
    char stopped_by[STEER_WHO_SIZE];
    int in_step;                      /* between two steps it is not */
    char rests_for[STEER_WHO_SIZE];   /* why it rests now; "": it does not */
    char refused[STEER_REFUSAL_SIZE]; /* the last refusal, in ASCII; "": none since something was taken */
    double refusal_told;              /* when */
    double looked, told;              /* when who asks was looked for, and viewers were told the status */
    int has_news;                     /* for viewers */
    double rate, rate_since,
        rate_images; /* images a second of late, and since when and what it is measured */
} app_steer;

/* Turns knobs, all or none, and writes them down. On success the texts of `changes` are filled, and freed
 * with knobs_free_changes; else the message tells what was refused. */
int session_turn(app_session *session, knob_change *changes, size_t count, knob_source source,
                 const char *origin);

/* pause, continue, step N, checkpoint, stop, merge SPEC, undo_merge. `value` is "" but for step and merge.
 * CNN_BAD_ARGUMENT for another name or a bad value. What cannot be done within a step (checkpoint) is the
 * caller's concern: app_steer.in_step. */
int session_act(app_session *session, const char *name, const char *value, const char *origin);

/* Keeps the message of cnn_core as the last refusal. */
void session_refuse(app_session *session);

/* Makes the knobs of a session as they were at its first step, and reads what is to be turned again. */
int session_open_knobs(app_session *session, const json_t *record);

/* Opens the log, and writes down what the options of a resumption change. */
int session_open_steering(app_session *session, const json_t *record);

/* Turns what the log to be replayed has at this step. */
void session_replay(app_session *session);

/* Between two steps: replays, listens, tells, rests. Cheap when there is nothing. */
void session_steer(app_session *session, const cnn_observer *observer);

/* Looks for those who ask, in the midst of a wait. */
void session_listen(app_session *session);

/* Whether the training is to end now. */
int session_is_to_end(const app_session *session);

/* What `ctl RUN status` tells, and, shorter, what viewers are told. The caller ends with json_decref. */
json_t *session_status(const app_session *session);
void session_tell_viewers(app_session *session);

/* Measures the images per second of late. */
void session_measure_rate(app_session *session);

/* The answer to one request of the socket (control.h); `context` is the session. */
char *session_answer(void *context, const char *line, size_t length, pid_t process);
char *session_refuse_long(void *context);

#endif
