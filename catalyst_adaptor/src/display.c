/* SPDX-License-Identifier: BSD-3-Clause */
#include "display.h"
#include "status.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const double patience = 20; /* seconds for Xvfb to tell its number */

int ws_display_possible(void)
{
    const char *path = getenv("PATH");
    while (path && *path) {
        const size_t length = strcspn(path, ":");
        char file[4096];
        const int size = snprintf(file, sizeof file, "%.*s/Xvfb", (int)length, path);
        if (size > 0 && (size_t)size < sizeof file && access(file, X_OK) == 0)
            return 1;
        path += length + (path[length] == ':');
    }
    return 0;
}

int ws_display_start(ws_display *out)
{
    /* -displayfd: the server picks a free number and tells it. -noreset: the
     * first client's end must not end it. */
    char *const arguments[] = {"Xvfb",         "-displayfd", "3",         "-screen", "0",
                               "1280x1024x24", "-noreset",   "-nolisten", "tcp",     NULL};
    if (!ws_display_possible())
        return ws_fail(WS_NO_PICTURES, "no display: DISPLAY is not usable and there is no Xvfb "
                                       "(apt-get install xvfb brings it)");
    ws_display display = {{0, -1}, NULL};
    const int error = ws_child_start(arguments, &display.server);
    if (error)
        return ws_fail(WS_NO_PICTURES, "no display: Xvfb cannot be started: %s", strerror(error));
    char number[32], name[40];
    if (ws_child_line(&display.server, patience, number, sizeof number) != 1) {
        ws_child_end(&display.server, 0);
        return ws_fail(WS_NO_PICTURES, "no display: Xvfb did not start within %g s", patience);
    }
    const char *before = getenv("DISPLAY");
    display.before = before ? strdup(before) : NULL;
    snprintf(name, sizeof name, ":%s", number);
    setenv("DISPLAY", name, 1);
    *out = display;
    return WS_OK;
}

void ws_display_stop(ws_display *display)
{
    if (!display->server.pid)
        return;
    if (display->before)
        setenv("DISPLAY", display->before, 1);
    else
        unsetenv("DISPLAY");
    free(display->before);
    kill(display->server.pid, SIGTERM);
    ws_child_end(&display->server, 5);
    *display = (ws_display){{0, -1}, NULL};
}
