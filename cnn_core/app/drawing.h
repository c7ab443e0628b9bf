/* SPDX-License-Identifier: BSD-3-Clause */
/* Draws a run or a recording for a command that does nothing else: with progress, until the end or a signal.
 */
#ifndef APP_DRAWING_H
#define APP_DRAWING_H

#include "options.h"
#include <jansson.h>
#include <weightscape/insitu.h>

/* The scripts of a drawing; the texts are borrowed. */
typedef struct drawing_scripts {
    const char **texts; /* NULL terminated; freed by the caller */
    uint32_t count;
} drawing_scripts;

/* Those of the call's --pipeline. */
drawing_scripts drawing_scripts_of_call(const option_values *values);

/* Those of a run's record. */
drawing_scripts drawing_scripts_of_run(const json_t *record);

/* The name of a script without its folder, ending and arguments, for folders; the caller frees it. */
char *drawing_name(const char *script);

/* Draws what `options` ask for, in which scripts, output, and what to draw are set, and tells what came of
 * it. Returns the exit status. */
int drawing_run(ws_watch_options *options, int quiet);

/* Tells how many images were written; returns the exit status that follows from the report. */
int drawing_tell_result(const ws_report *report, const char *output, int quiet);

/* The exit status of a drawing that a ws_status ended; told already, or, for WS_STOPPED, not worth telling.
 */
int drawing_exit_status(int status);

#endif
