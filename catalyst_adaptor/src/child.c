/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* memfd_create, close_range */
#include "child.h"
#include "clock.h"
#include "message.h"
#include "surroundings.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FIRST_FREE 4 /* descriptors 0..3 are given */

/* Between fork and exec: calls that are safe there, and no other. */
static void become(char *const argv[], char *const variables[], const int given[FIRST_FREE], int death_signal,
                   pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    for (int i = 1; i < NSIG; i++)
        if (i != SIGKILL && i != SIGSTOP)
            signal(i, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, death_signal);
    if (getppid() != parent)
        _exit(127);
    /* First out of the way of each other, then into place. */
    int moved[FIRST_FREE];
    for (int i = 0; i < FIRST_FREE; i++)
        moved[i] = given[i] < 0 ? -1 : fcntl(given[i], F_DUPFD, FIRST_FREE);
    for (int i = 0; i < FIRST_FREE; i++)
        if (moved[i] >= 0)
            dup2(moved[i], i);
    close_range(moved[FIRST_FREE - 1] < 0 ? FIRST_FREE - 1 : FIRST_FREE, ~0u, 0);
    execve(argv[0], argv, variables);
    _exit(127);
}

int ws_child_start(char *const argv[], const int standard[3], int fourth, int death_signal, pid_t *out)
{
    const int given[FIRST_FREE] = {standard[0], standard[1], standard[2], fourth};
    const pid_t parent = getpid();
    sigset_t all, before;
    char **variables = ws_surroundings_of_child();
    if (!variables)
        return ws_fail(WS_NO_MEMORY, "cannot start %s: no memory for its environment", argv[0]);
    /* No handler of the host may run in the child. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t child = fork();
    if (child == 0)
        become(argv, variables, given, death_signal, parent);
    const int reason = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    free(variables);
    if (child < 0)
        return ws_fail(WS_IO_FAILED, "cannot start %s: %s", argv[0], strerror(reason));
    setpgid(child, child); /* here as in the child: whoever is first */
    *out = child;
    return WS_OK;
}

static void wait_for(pid_t child, ws_child_end *end)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

void ws_child_stop(pid_t child)
{
    const double deadline = ws_clock() + WS_CHILD_STOP_SECONDS;
    kill(child, SIGTERM);
    while (waitpid(child, NULL, WNOHANG) == 0) {
        if (ws_clock() > deadline)
            kill(-child, SIGKILL);
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
}

/* Reads until the other end is closed or the time is over: 1 if it was closed. */
static int collect(int descriptor, FILE *into, double deadline)
{
    char bytes[4096];
    for (;;) {
        const double left = deadline - ws_clock();
        if (left <= 0)
            return 0;
        struct pollfd ready = {.fd = descriptor, .events = POLLIN};
        const int count = poll(&ready, 1, left > 3600 ? 3600000 : (int)(left * 1000) + 1);
        if (count <= 0)
            continue;
        const ssize_t got = read(descriptor, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return 1;
        fwrite(bytes, 1, (size_t)got, into);
    }
}

/* The last line that is not empty of what is in a file. */
static void last_line(int descriptor, char *out, size_t size)
{
    char tail[2048];
    const off_t end = lseek(descriptor, 0, SEEK_END);
    const off_t from = end > (off_t)sizeof tail - 1 ? end - (off_t)sizeof tail + 1 : 0;
    const ssize_t got = pread(descriptor, tail, sizeof tail - 1, from);
    size_t length = got > 0 ? (size_t)got : 0;
    while (length > 0 && (tail[length - 1] == '\n' || tail[length - 1] == ' '))
        length--;
    tail[length] = '\0';
    const char *line = strrchr(tail, '\n');
    snprintf(out, size, "%.*s", (int)size - 1, line ? line + 1 : tail);
}

int ws_child_memory_file(const char *name, const void *bytes, size_t count)
{
    const int descriptor = memfd_create(name, MFD_CLOEXEC);
    const char *from = bytes;
    while (descriptor >= 0 && count > 0) {
        const ssize_t written = write(descriptor, from, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            close(descriptor);
            return -1;
        }
        from += written;
        count -= (size_t)written;
    }
    if (descriptor >= 0)
        lseek(descriptor, 0, SEEK_SET);
    return descriptor;
}

static void close_all(const int *descriptors, int count)
{
    for (int i = 0; i < count; i++)
        if (descriptors[i] >= 0)
            close(descriptors[i]);
}

int ws_child_run(char *const argv[], const void *input, size_t input_bytes, double seconds, ws_child_end *end,
                 char **output)
{
    int pipes[2] = {-1, -1};
    char *text = NULL;
    size_t size;
    /* Files in memory, not pipes: nobody blocks, and a child that dies early sends no SIGPIPE here. */
    const int in = ws_child_memory_file("weightscape-input", input, input_bytes);
    const int errors = ws_child_memory_file("weightscape-errors", "", 0);
    FILE *collected = open_memstream(&text, &size);
    int status = WS_OK;
    if (in < 0 || errors < 0 || !collected || pipe2(pipes, O_CLOEXEC) != 0)
        status = ws_fail(WS_IO_FAILED, "cannot start %s: %s", argv[0], strerror(errno));
    pid_t child;
    if (status == WS_OK)
        status = ws_child_start(argv, (const int[3]){in, pipes[1], errors}, -1, SIGTERM, &child);
    if (pipes[1] >= 0)
        close(pipes[1]);
    if (status == WS_OK) {
        *end = (ws_child_end){0};
        end->timed_out = !collect(pipes[0], collected, ws_clock() + seconds);
        if (end->timed_out)
            kill(-child, SIGKILL);
        wait_for(child, end);
        last_line(errors, end->last_words, sizeof end->last_words);
    }
    close_all((const int[]){in, errors, pipes[0]}, 3);
    if (collected && fclose(collected) != 0 && status == WS_OK)
        status = ws_fail(WS_NO_MEMORY, "no memory for the answer of %s", argv[0]);
    if (status == WS_OK)
        *output = text;
    else
        free(text);
    return status;
}
