/* SPDX-License-Identifier: BSD-3-Clause */
/* What the adaptor keeps in a run's folder. */
#ifndef WEIGHTSCAPE_PATHS_H
#define WEIGHTSCAPE_PATHS_H

typedef struct ws_paths {
    char *folder;    /* absolute */
    char *history;   /* history.ws */
    char *recording; /* recording.wsrec */
    char *backlog;   /* backlog.wsrec */
    char *viewers;   /* viewers */
} ws_paths;

/* Of a folder; NULL: all are NULL. WS_NO_MEMORY, WS_IO_FAILED (no working folder). Free with ws_paths_free,
 * also after an error. */
int ws_paths_of(const char *folder, ws_paths *out);

/* Makes the folder if it is not there; what is around it must be. WS_IO_FAILED. */
int ws_paths_make(const ws_paths *paths);

void ws_paths_free(ws_paths *paths);

#endif
