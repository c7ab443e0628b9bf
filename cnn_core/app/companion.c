/* SPDX-License-Identifier: BSD-3-Clause */
#include "companion.h"
#include "cnn/status.h"
#include "signals.h"
#include "text.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TICKS_A_SECOND = 20, PATIENCE_SECONDS = 5 };

char *companion_find(const char *name)
{
    if (strchr(name, '/'))
        return access(name, X_OK) == 0 ? text_copy(name) : NULL;
    const char *path = getenv("PATH");
    for (const char *rest = path ? path : ""; *rest;) {
        const size_t length = strcspn(rest, ":");
        char *program = text_format("%.*s/%s", (int)length, rest, name);
        if (access(program, X_OK) == 0)
            return program;
        free(program);
        rest += length + (rest[length] == ':');
    }
    return NULL;
}

enum { WITH_US = -1 }; /* no descriptor */

/* In the child: leaves the terminal. Returns 0, or -1 with errno. */
static int go_apart(int errors)
{
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (setpgid(0, 0) || nothing < 0 || dup2(nothing, STDIN_FILENO) < 0)
        return -1;
    return dup2(nothing, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0 ? -1 : 0;
}

/* In the child: becomes the program, or tells through the pipe why not. */
static void become(char *const arguments[], int errors, pid_t parent, int pipe_end)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int is_ready = errors == WITH_US || go_apart(errors) == 0;
    if (is_ready && getppid() == parent)
        execv(arguments[0], arguments);
    const int problem = errno;
    if (write(pipe_end, &problem, sizeof problem) < 0)
        _exit(126);
    _exit(127);
}

static pid_t start(char *const arguments[], int errors)
{
    int ends[2];
    const pid_t parent = getpid();
    if (pipe(ends))
        return cnn_fail(CNN_IO_FAILED, "%s: cannot be started: %s", arguments[0], strerror(errno)), -1;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    const pid_t child = fork();
    if (child == 0)
        become(arguments, errors, parent, ends[1]);
    int problem = errno;
    close(ends[1]);
    /* The pipe closes when the program has taken over. */
    const int has_failed = child < 0 || read(ends[0], &problem, sizeof problem) > 0;
    close(ends[0]);
    if (!has_failed)
        return child;
    if (child > 0)
        waitpid(child, NULL, 0);
    cnn_fail(CNN_IO_FAILED, "%s: cannot be started: %s", arguments[0], strerror(problem));
    return -1;
}

pid_t companion_start(char *const arguments[])
{
    return start(arguments, WITH_US);
}

pid_t companion_start_apart(char *const arguments[], int errors)
{
    return start(arguments, errors);
}

static void one_tick(void)
{
    const struct timespec tick = {.tv_nsec = 1000000000 / TICKS_A_SECOND};
    nanosleep(&tick, NULL);
}

int companion_has_ended(pid_t companion, int *exit_status)
{
    int how;
    if (waitpid(companion, &how, WNOHANG) != companion)
        return 0;
    *exit_status = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
    return 1;
}

int companion_wait(pid_t companion, int *exit_status)
{
    while (!companion_has_ended(companion, exit_status)) {
        if (signals_caught())
            return 0;
        one_tick();
    }
    return 1;
}

void companion_end(pid_t companion)
{
    int exit_status;
    if (companion <= 0 || kill(companion, SIGTERM))
        return;
    for (int i = 0; i < PATIENCE_SECONDS * TICKS_A_SECOND; i++) {
        if (companion_has_ended(companion, &exit_status))
            return;
        one_tick();
    }
    kill(companion, SIGKILL);
    waitpid(companion, NULL, 0);
}
