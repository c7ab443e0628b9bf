/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* asprintf */
#include "paths.h"
#include "message.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *inside(const char *folder, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

int ws_paths_of(const char *folder, ws_paths *out)
{
    char here[PATH_MAX] = "";
    *out = (ws_paths){0};
    if (!folder)
        return WS_OK;
    if (folder[0] != '/' && !getcwd(here, sizeof here))
        return ws_fail(WS_IO_FAILED, "%s: the working folder is not known: %s", folder, strerror(errno));
    out->folder = folder[0] == '/' ? strdup(folder) : inside(here, folder);
    if (out->folder) {
        out->history = inside(out->folder, "history.ws");
        out->recording = inside(out->folder, "recording.wsrec");
        out->backlog = inside(out->folder, "backlog.wsrec");
        out->viewers = inside(out->folder, "viewers");
    }
    return out->folder && out->history && out->recording && out->backlog && out->viewers
               ? WS_OK
               : ws_fail(WS_NO_MEMORY, "no memory for the names of the files in %s", folder);
}

int ws_paths_make(const ws_paths *paths)
{
    if (!paths->folder || mkdir(paths->folder, 0777) == 0 || errno == EEXIST)
        return WS_OK;
    return ws_fail(WS_IO_FAILED, "%s: the folder cannot be made: %s", paths->folder, strerror(errno));
}

void ws_paths_free(ws_paths *paths)
{
    free(paths->folder);
    free(paths->history);
    free(paths->recording);
    free(paths->backlog);
    free(paths->viewers);
    *paths = (ws_paths){0};
}
