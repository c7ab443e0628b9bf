/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_WARNINGS_TEXT_H
#define APP_WARNINGS_TEXT_H

#include <jansson.h>

/* Prints the early warnings of a run's record, or of a training's status, for people: a line each, which
 * begins with `indent`, and `label` in `width` columns; nothing without warnings. */
void warnings_print(const json_t *warnings, const char *indent, const char *label, int width);

#endif
