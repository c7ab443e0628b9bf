/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of --pipeline: SCRIPT.py[,key=value...]. */
#ifndef APP_SCRIPT_TEXT_H
#define APP_SCRIPT_TEXT_H

#include <stddef.h>

/* Where the path in a script's text ends: with the name's ending, so that it may hold commas, else at the
 * first comma.
 */
size_t script_text_path_length(const char *text);

/* The same with the script's absolute path, or as it is where there is no such file. The caller frees it. */
char *script_text_absolute(const char *text);

#endif
