/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a training is to be like another one: what a replay of its knobs depends on. */
#ifndef APP_RUN_LIKENESS_H
#define APP_RUN_LIKENESS_H

#include "data_source.h"
#include "options.h"

/* Tells in one line which options and data differ from those of the run in the folder `path`, if any do.
 * Errors: as run_record_read. */
int run_likeness_tell(const char *path, const option_values *values, const data_print *data);

#endif
