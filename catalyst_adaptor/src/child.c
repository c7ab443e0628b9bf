/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "child.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double steady_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* In the child: only calls that are safe after fork. Never returns. */
static void become(char *const arguments[], pid_t parent, int answer, int failed)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    /* Out of the terminal's reach: Ctrl-C is the host's, who needs its display to the end. */
    setsid();
    /* Keep the report pipe out of the way of the answer's number. */
    const int report = fcntl(failed, F_DUPFD_CLOEXEC, WS_ANSWER_FD + 1);
    const int source = fcntl(answer, F_DUPFD_CLOEXEC, WS_ANSWER_FD + 1);
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    int error = 0;
    if (report < 0 || source < 0 || nothing < 0 || dup2(nothing, 0) < 0 || dup2(nothing, 1) < 0 ||
        dup2(nothing, 2) < 0 || dup2(source, WS_ANSWER_FD) < 0)
        error = errno;
    if (!error) {
        execvp(arguments[0], arguments);
        error = errno;
    }
    if (write(report, &error, sizeof error) < 0)
        _exit(126);
    _exit(127);
}

int ws_child_start(char *const arguments[], ws_child *out)
{
    int answer[2], failed[2];
    if (pipe2(answer, O_CLOEXEC) < 0)
        return errno;
    if (pipe2(failed, O_CLOEXEC) < 0) {
        const int error = errno;
        close(answer[0]);
        close(answer[1]);
        return error;
    }
    const pid_t parent = getpid(), pid = fork();
    int error = pid < 0 ? errno : 0;
    if (pid == 0)
        become(arguments, parent, answer[1], failed[1]);
    close(answer[1]);
    close(failed[1]);
    /* The report pipe closes by itself when the program has started. */
    if (!error && read(failed[0], &error, sizeof error) == (ssize_t)sizeof error)
        waitpid(pid, NULL, 0);
    close(failed[0]);
    if (error) {
        close(answer[0]);
        return error;
    }
    *out = (ws_child){pid, answer[0]};
    return 0;
}

int ws_child_line(ws_child *child, double seconds, char *line, size_t size)
{
    const double end = steady_seconds() + seconds;
    size_t length = 0;
    for (;;) {
        const double left = end - steady_seconds();
        struct pollfd wait = {.fd = child->answer, .events = POLLIN};
        if (left <= 0)
            return -1;
        const int ready = poll(&wait, 1, (int)(left * 1000) + 1);
        if (ready < 0 && errno != EINTR)
            return 0;
        if (ready <= 0)
            continue;
        char c;
        if (read(child->answer, &c, 1) <= 0)
            return 0;
        if (c == '\n') {
            line[length] = '\0';
            return 1;
        }
        if (length + 1 < size)
            line[length++] = c;
    }
}

int ws_child_end(ws_child *child, double seconds)
{
    const double end = steady_seconds() + seconds;
    close(child->answer);
    for (;;) {
        int status;
        const pid_t done = waitpid(child->pid, &status, WNOHANG);
        if (done == child->pid)
            return status;
        if (done < 0 && errno != EINTR)
            return -1;
        if (steady_seconds() >= end)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
    }
    kill(child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
    return -1;
}
