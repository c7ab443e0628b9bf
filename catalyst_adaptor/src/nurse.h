/* SPDX-License-Identifier: BSD-3-Clause */
/* Looks after the process that draws: starts it, starts it again when it has died, gives up when that does
 * not help. */
#ifndef WEIGHTSCAPE_NURSE_H
#define WEIGHTSCAPE_NURSE_H

#include "child.h"
#include "message.h"
#include "place.h"

#define WS_NURSE_LINE 512

/* How far the patient is, as it tells itself. */
typedef struct ws_pulse {
    uint64_t done; /* changes when it has done something */
    uint64_t at;   /* what it is working on, WS_NEVER: nothing */
    uint64_t beat; /* changes while it lives and waits */
} ws_pulse;

/* How its patient is spoken of. */
typedef struct ws_nurse_words {
    const char *patient;
    const char *loss; /* what giving it up means */
} ws_nurse_words;

typedef struct ws_nurse {
    const ws_nurse_words *words; /* may be changed after ws_nurse_begin */
    char *request;               /* owned: what it gets as standard input */
    int descriptor;              /* its fourth descriptor; borrowed */
    const ws_place *place;
    ws_log log;
    double patience;  /* seconds without a sign of life after which it is ended */
    int death_signal; /* what it gets when this process is gone; SIGKILL unless changed */
    pid_t child;      /* 0: none */
    int output;       /* our end of what it writes: a pipe; -1: none */
    char line[WS_NURSE_LINE], last_line[WS_NURSE_LINE]; /* what has come of a line; the last whole one */
    size_t length;
    int given_up;
    double next_start; /* when it may be started again */
    unsigned failures; /* deaths in a row without progress */
    uint64_t restarts;
    ws_pulse pulse; /* when it was last seen alive */
    double alive_at;
    uint64_t died_at; /* the step it died of, how, and how often in the same way */
    int death;        /* as waitpid tells it */
    unsigned deaths_there;
} ws_nurse;

/* What a look at the patient found. */
typedef enum ws_nurse_finding { WS_NURSE_WELL, WS_NURSE_DIED, WS_NURSE_LEFT } ws_nurse_finding;

/* Takes the request (owned from here on). The process is started at the first look. */
void ws_nurse_begin(ws_nurse *nurse, char *request, int descriptor, const ws_place *place, double patience,
                    const ws_log *log);

/* Another request for the next start (owned from here on); NULL: the one before. */
void ws_nurse_ask(ws_nurse *nurse, char *request);

/* Looks after it; `pulse` is what it tells now, `now` the monotonic clock. WS_NURSE_DIED: it has died since
 * the last look (told through the log the first time, and when it is given up). What it prints is told line
 * by line. WS_NURSE_LEFT: it has ended well. A system call or two. */
ws_nurse_finding ws_nurse_look(ws_nurse *nurse, const ws_pulse *pulse, double now);

/* Whether the step it died of last has now ended it three times, in the same way: then it is to be left out.
 * (What comes from outside may come twice; and in another way, as a rule.) */
int ws_nurse_blames(const ws_nurse *nurse, uint64_t step);

/* A new start for one that was given up; one that a signal has stopped is let go on. */
void ws_nurse_insist(ws_nurse *nurse, double now);

/* Ends the process. */
void ws_nurse_end(ws_nurse *nurse);

#endif
