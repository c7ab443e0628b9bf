/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_JSON_TEXT_H
#define APP_JSON_TEXT_H

#include <jansson.h>

/* A text or a number as a command line has it, which gives the same value again; NULL for anything else. The
 * caller frees it. */
char *json_text(const json_t *value);

#endif
