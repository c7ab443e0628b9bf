/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* pipe2, SCHED_IDLE */
#include "display.h"
#include "child.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASK_SECONDS   10
#define START_SECONDS 20
#define IDLE_PATIENCE 30 /* times as long, for a process that gets what others leave */
#define SCREEN        "1280x1024x24"

int ws_display_program(char out[PATH_MAX])
{
    const char *path = getenv("PATH");
    while (path && *path) {
        const size_t length = strcspn(path, ":");
        struct stat status;
        if (length > 0 && snprintf(out, PATH_MAX, "%.*s/Xvfb", (int)length, path) < PATH_MAX &&
            access(out, X_OK) == 0 && stat(out, &status) == 0 && S_ISREG(status.st_mode))
            return 1;
        path += length;
        path += *path == ':';
    }
    return 0;
}

static int patience(int seconds)
{
    return sched_getscheduler(0) == SCHED_IDLE ? IDLE_PATIENCE * seconds : seconds;
}

int ws_display_ask(const ws_place *place)
{
    const char *name = getenv("DISPLAY");
    if (!name || !*name)
        return 0;
    char *const argv[] = {(char *)place->helper, "display", NULL};
    ws_child_end end;
    char *output;
    if (ws_child_run(argv, "", 0, patience(ASK_SECONDS), &end, &output) != WS_OK)
        return -1;
    const int answers = strcmp(output, "answers\n") == 0;
    free(output);
    return answers ? 1 : -1;
}

/* Reads the display's number, which Xvfb writes when it is ready. */
static int read_number(int descriptor, char *out, size_t size)
{
    size_t length = 0;
    while (length < size - 1) {
        struct pollfd ready = {.fd = descriptor, .events = POLLIN};
        const int count = poll(&ready, 1, patience(START_SECONDS) * 1000);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return 0;
        const ssize_t got = read(descriptor, out + length, size - 1 - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return 0;
        length += (size_t)got;
        if (out[length - 1] == '\n') {
            out[length - 1] = '\0';
            return 1;
        }
    }
    return 0;
}

static int start_server(char *program, ws_display *display, char *number, size_t size)
{
    char *const argv[] = {program, "-displayfd", "3",   "-screen",  "0",
                          SCREEN,  "-nolisten",  "tcp", "-noreset", NULL};
    int pipes[2];
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0)
        return ws_fail(WS_NO_PICTURES, "cannot open /dev/null: %s", strerror(errno));
    if (pipe2(pipes, O_CLOEXEC) != 0) {
        const int reason = errno;
        close(nothing);
        return ws_fail(WS_NO_PICTURES, "cannot start %s: %s", program, strerror(reason));
    }
    pid_t server;
    const int status =
        ws_child_start(argv, (const int[3]){nothing, nothing, nothing}, pipes[1], SIGTERM, &server);
    close(pipes[1]);
    close(nothing);
    const int ready = status == WS_OK && read_number(pipes[0], number, size);
    close(pipes[0]);
    if (status == WS_OK && !ready) {
        ws_child_stop(server);
        return ws_fail(WS_NO_PICTURES, "%s was started but gave no display", program);
    }
    if (status == WS_OK)
        display->server = server;
    return status == WS_OK ? WS_OK : WS_NO_PICTURES;
}

static pid_t left; /* a server that ends with this process; 0: none */

void ws_display_end_left(void)
{
    if (left)
        ws_child_stop(left);
    left = 0;
}

/* Registered before ParaView is loaded, and so called after its windows are gone. */
static void end_left_at_exit(void)
{
    static int registered;
    if (!registered)
        registered = atexit(ws_display_end_left) == 0;
}

int ws_display_start(ws_display *display)
{
    char program[PATH_MAX], number[16], name[24];
    if (!ws_display_program(program))
        return ws_fail(WS_NO_PICTURES, "there is no display and no Xvfb on PATH; apt-get install xvfb");
    const int status = start_server(program, display, number, sizeof number);
    if (status)
        return status;
    end_left_at_exit();
    const char *before = getenv("DISPLAY");
    display->before = before ? strdup(before) : NULL;
    display->is_set = 1;
    snprintf(name, sizeof name, ":%s", number);
    setenv("DISPLAY", name, 1);
    return WS_OK;
}

int ws_display_is_gone(ws_display *display)
{
    if (!display->server || waitpid(display->server, NULL, WNOHANG) == 0)
        return 0;
    display->server = 0;
    return 1;
}

void ws_display_end(ws_display *display)
{
    if (display->server)
        ws_child_stop(display->server);
    if (display->is_set && display->before)
        setenv("DISPLAY", display->before, 1);
    else if (display->is_set)
        unsetenv("DISPLAY");
    free(display->before);
    *display = (ws_display){0};
}

void ws_display_leave(ws_display *display)
{
    if (display->server)
        left = display->server;
    free(display->before);
    *display = (ws_display){0};
}
