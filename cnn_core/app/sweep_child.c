/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* pipe2 */
#include "sweep_child.h"
#include "cnn/status.h"
#include "companion.h"
#include "run_folder.h"
#include "tell.h"
#include "text.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TAIL = 1 << 16 }; /* bytes in which the last row of the metrics is looked for */

int sweep_child_prepare(const char *path)
{
    if (run_folder_is_used(path))
        return -1;
    run_folder folder = run_folder_of(path);
    const int is_run = access(folder.record, F_OK) == 0;
    run_folder_close(&folder);
    return is_run;
}

/* ---- starting ---- */

static char **arguments_of(char *program, const char *path, char *const *options, int resume, int threads)
{
    size_t count = 0, at = 0;
    while (options[count])
        count++;
    char **arguments = memory_of(count + 6, sizeof *arguments);
    arguments[at++] = text_copy(program);
    arguments[at++] = text_copy("train");
    arguments[at++] = text_copy("--quiet");
    arguments[at++] = text_format(resume ? "--resume=%s" : "--run=%s", path);
    if (threads)
        arguments[at++] = text_format("--threads=%d", threads);
    for (size_t i = 0; i < count && !resume; i++)
        arguments[at++] = text_copy(options[i]);
    return arguments;
}

int sweep_child_start(const char *path, char *const *options, int resume, int threads, sweep_child *out)
{
    char self[PATH_MAX];
    int ends[2];
    if (!realpath("/proc/self/exe", self))
        return cnn_fail(CNN_IO_FAILED, "/proc/self/exe: cannot be read");
    if (pipe2(ends, O_CLOEXEC))
        return cnn_fail(CNN_IO_FAILED, "%s: cannot be started: %s", path, strerror(errno));
    char **arguments = arguments_of(self, path, options, resume, threads);
    const pid_t pid = companion_start_apart(arguments, ends[1]);
    for (size_t i = 0; arguments[i]; i++)
        free(arguments[i]);
    free(arguments);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return CNN_IO_FAILED;
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *out = (sweep_child){.pid = pid, .errors = ends[0]};
    return CNN_OK;
}

/* ---- what it says ---- */

static void pass_on(const char *line, const char *name, int is_ending)
{
    static const char who[] = "weightscape train: ", note[] = "note: ";
    if (!strncmp(line, who, strlen(who)))
        line += strlen(who);
    const int is_note = !strncmp(line, note, strlen(note));
    if (!is_note)
        tell_error("%s: %s", name, line);
    else if (!is_ending)
        tell_warning("%s: %s", name, line + strlen(note));
}

static void end_line(sweep_child *child, const char *name, int is_ending)
{
    child->line[child->length] = '\0';
    if (child->length)
        pass_on(child->line, name, is_ending);
    child->length = 0;
}

void sweep_child_listen(sweep_child *child, const char *name, int is_ending)
{
    char bytes[1024];
    for (ssize_t got; (got = read(child->errors, bytes, sizeof bytes)) > 0;)
        for (ssize_t i = 0; i < got; i++) {
            if (bytes[i] == '\n' || child->length == sizeof child->line - 1)
                end_line(child, name, is_ending);
            if (bytes[i] != '\n')
                child->line[child->length++] = bytes[i];
        }
}

int sweep_child_has_ended(sweep_child *child, const char *name, int is_ending, int *exit_status)
{
    if (!companion_has_ended(child->pid, exit_status))
        return 0;
    sweep_child_listen(child, name, is_ending);
    end_line(child, name, is_ending);
    close(child->errors);
    *child = (sweep_child){0};
    return 1;
}

/* ---- how far it is ---- */

/* The number that the last whole line begins with; 0 without one. */
static uint64_t step_of_last_line(char *text, size_t length)
{
    while (length && text[length - 1] != '\n')
        length--;
    if (!length)
        return 0;
    text[length - 1] = '\0';
    const char *line = strrchr(text, '\n');
    return line ? strtoull(line + 1, NULL, 10) : 0;
}

uint64_t sweep_child_step(const char *path)
{
    run_folder folder = run_folder_of(path);
    const int file = open(folder.metrics, O_RDONLY | O_CLOEXEC);
    run_folder_close(&folder);
    if (file < 0)
        return 0;
    char *tail = memory_of(TAIL, 1);
    const off_t end = lseek(file, 0, SEEK_END);
    const ssize_t got = pread(file, tail, TAIL - 1, end > TAIL - 1 ? end - (TAIL - 1) : 0);
    const uint64_t step = got > 0 ? step_of_last_line(tail, (size_t)got) : 0;
    free(tail);
    close(file);
    return step;
}
