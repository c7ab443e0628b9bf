/* SPDX-License-Identifier: BSD-3-Clause */
/* What a resumed run does to the metrics of a past that went further than its checkpoint. */
#ifndef APP_METRICS_CUT_H
#define APP_METRICS_CUT_H

#include "metrics.h"

/* Cuts the file after the last row of a step <= `step`, as metrics_resume tells, and fills *past (which holds
 * the values of an empty past). Errors: CNN_BAD_FILE if the first line is not `header`, CNN_IO_FAILED. */
int metrics_cut(const char *path, const char *header, uint64_t step, metrics_past *past);

#endif
