/* SPDX-License-Identifier: BSD-3-Clause */
/* run.json: what a run was asked for, on what, and how far it came. */
#ifndef APP_RUN_RECORD_H
#define APP_RUN_RECORD_H

#include "cnn/trainer.h"
#include "data_source.h"
#include "options.h"
#include <jansson.h>
#include <weightscape/insitu.h>

/* What the record tells besides the options. */
typedef struct run_facts {
    const char *status; /* running, complete, interrupted, failed */
    const cnn_net *net;
    data_print data;
    uint64_t step, total_steps, steps_per_epoch;
    int threads; /* of each rank */
    int ranks;
    double seconds;            /* of training, earlier sessions included */
    cnn_evaluation validation; /* NaN: not measured */
    const char *transport;     /* of frames: none, inline, sidecar, record; borrowed */
    double budget;             /* share of the time for updates of viewers */
    ws_report report;          /* of this session */
    json_t *warnings;          /* early ones, a list; borrowed */
    const char *started;       /* UTC, of the first session; borrowed */
} run_facts;

/* Writes the record, aside first. Errors as cnn_replacement_*. */
int run_record_write(const char *path, const option_values *values, const run_facts *facts);

/* Reads a record; the caller ends with json_decref. Errors: CNN_IO_FAILED, CNN_BAD_FILE. */
int run_record_read(const char *path, json_t **out);

/* Gives `values` the recorded ones wherever the call gave none. Errors: CNN_BAD_ARGUMENT if the call
 * contradicts the record (names the option and both values), CNN_BAD_FILE if the record does not hold what it
 * should. */
int run_record_apply(const char *path, const json_t *record, option_values *values);

/* The recorded value of an option, as text, where `values` has another one; NULL: it is the same. The caller
 * frees it. */
char *run_record_other(const json_t *record, const option_values *values, const app_option *option);

/* Checks that `now` is the data of the record, CNN_BAD_ARGUMENT. */
int run_record_check_data(const json_t *record, const data_print *now);

/* A text of the record, NULL if there is none. Borrowed. */
const char *run_record_text(const json_t *record, const char *key);

/* The time now as UTC, e.g. 2025-01-31T12:00:00Z. */
enum { RUN_RECORD_TIME_SIZE = 32 };
const char *run_record_now(char out[RUN_RECORD_TIME_SIZE]);

#endif
