/* SPDX-License-Identifier: BSD-3-Clause */
/* The knobs of a training: what may be turned between two steps, by whomever. One table says what each is
 * called, what it may be, and how it is read and set; docs/steering.md is the same for people. */
#ifndef APP_KNOBS_H
#define APP_KNOBS_H

#include "cnn/trainer.h"
#include "insitu_link.h"
#include "merge_spec.h"

enum { KNOB_VALUE_SIZE = WS_COMMAND_VALUE };

/* What follows from a knob. */
typedef enum knob_reach {
    KNOB_TRAINS, /* the bits of the training */
    KNOB_SHOWS,  /* what viewers see */
    KNOB_GUIDES, /* when the training rests or ends */
} knob_reach;

/* What the knobs turn. All is borrowed but `schedule`. */
typedef struct app_knobs {
    cnn_trainer *trainer;
    insitu_link *link;
    int shows;       /* 0: nothing is shown to viewers, so that KNOB_SHOWS is refused */
    uint64_t epochs; /* the training ends after them, however many steps they take; 0: at a step */
    char *schedule;  /* as text; owned */
    double overhead, live_rate;
    uint64_t pause_at; /* a step, 0: none */
    int stop_after_epoch;
    merge_spec merge; /* of the run */
} app_knobs;

typedef struct app_knob app_knob;

/* One of several knobs that are turned together. */
typedef struct knob_change {
    const char *name, *value; /* what is asked for; borrowed */
    /* Filled by knobs_turn; both texts end with knobs_free_changes. */
    const app_knob *knob;
    char *before, *after; /* the values in force, as text that gives the same value again */
} knob_change;

/* What knobs_undo needs. */
typedef struct knob_undo {
    cnn_course course;
    uint64_t total_steps;
} knob_undo;

/* The knob called `name`, NULL if there is none. */
const app_knob *knob_find(const char *name);
/* Knob number `index`, NULL past the last one. */
const app_knob *knob_at(size_t index);
const char *knob_name(const app_knob *knob);
knob_reach knob_reach_of(const app_knob *knob);

/* The value in force as text, which the caller frees; NULL if this training has nothing that it could turn.
 */
char *knob_text(const app_knob *knob, const app_knobs *knobs);

/* Who asks: somebody now, or options and logs, which have been through this, and may have more. */
typedef enum knob_source { KNOB_ASKED, KNOB_LOGGED } knob_source;

/* CNN_BAD_ARGUMENT if the change would be refused: one line names the knob, the value and the limit. */
int knob_check(const app_knobs *knobs, const char *name, const char *value, knob_source source);

/* Makes all of the changes, or none: CNN_BAD_ARGUMENT, CNN_NO_MEMORY. */
int knobs_turn(app_knobs *knobs, knob_change *changes, size_t count, knob_source source, knob_undo *undo);

/* Takes back what knobs_turn has made. */
void knobs_undo(app_knobs *knobs, const knob_change *changes, size_t count, const knob_undo *undo);

void knobs_free_changes(knob_change *changes, size_t count);

/* Frees what is owned. */
void knobs_close(app_knobs *knobs);

#endif
