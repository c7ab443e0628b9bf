/* SPDX-License-Identifier: BSD-3-Clause */
/* "SCRIPT.py,key=value,..." as path, arguments and folder. */
#ifndef WEIGHTSCAPE_SCRIPT_H
#define WEIGHTSCAPE_SCRIPT_H

#include "bridge_table.h"

typedef struct ws_scripts {
    ws_script *at; /* owned, with all it points to */
    uint32_t count;
} ws_scripts;

/* Parses all texts. Each script gets the folder OUTPUT/NAME.cdb, NAME-2.cdb for a second one of that name.
 * The path ends at the first comma, but commas up to and within "....py" belong to it. WS_BAD_ARGUMENT (an
 * argument that is not key=value, no output), WS_NO_MEMORY. Free with ws_scripts_free, also after an error.
 */
int ws_scripts_parse(const char *const *texts, uint32_t count, const char *output, ws_scripts *out);

/* WS_BAD_SCRIPT if the file cannot be opened. */
int ws_script_is_readable(const ws_script *script);

/* What people call it: the file's name. Borrowed. */
const char *ws_script_name(const ws_script *script);

/* Frees what one script owns. */
void ws_script_free(ws_script *script);

void ws_scripts_free(ws_scripts *scripts);

#endif
