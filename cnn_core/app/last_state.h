/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_LAST_STATE_H
#define APP_LAST_STATE_H

#include "drawing.h"
#include "run_folder.h"

/* Draws a run that has neither recording nor backlog, and trains no more: the state of its newest checkpoint,
 * once, with all scripts, into the folder `output`. Says so in a line. Returns the exit status. */
int last_state_draw(const run_folder *folder, const json_t *record, const drawing_scripts *scripts,
                    const char *output, int quiet);

#endif
