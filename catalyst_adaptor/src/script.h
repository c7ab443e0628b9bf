/* SPDX-License-Identifier: BSD-3-Clause */
/* One pipeline script as the user named it: "SCRIPT.py[,key=value...]".
 * Internal to catalyst_adaptor. */
#ifndef WS_SCRIPT_H
#define WS_SCRIPT_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ws_script {
    char *path;       /* owned */
    char **arguments; /* "--key=value", owned, argument_count of them */
    int argument_count;
    char *folder; /* OUTPUT/NAME.cdb, absolute, owned */
} ws_script;

/* Takes the text apart; the path ends at the first comma that a key and "="
 * follow. `number` scripts before it have names in `others`, so that two of one
 * name get folders of their own. Errors: WS_BAD_SCRIPT (no file, or not
 * readable), WS_NO_MEMORY. Free with ws_script_clear. */
int ws_script_parse(const char *text, const char *output, const ws_script *others, int number,
                    ws_script *out);
void ws_script_clear(ws_script *script);

#ifdef __cplusplus
}
#endif
#endif
