/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* pipe2 */
#include "nurse.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_FAILURES 5
#define MOST_DEATHS   3 /* of one step */
#define FIRST_PAUSE   0.1
#define LONGEST_PAUSE 30.0
#define MOST_READS    16

static const ws_nurse_words drawing = {
    "the process that draws", "no more pictures while training goes on; what is to be drawn is kept"};

void ws_nurse_begin(ws_nurse *nurse, char *request, int descriptor, const ws_place *place, double patience,
                    const ws_log *log)
{
    *nurse = (ws_nurse){.words = &drawing,
                        .request = request,
                        .descriptor = descriptor,
                        .place = place,
                        .log = *log,
                        .patience = patience,
                        .death_signal = SIGKILL,
                        .output = -1,
                        .died_at = WS_NEVER};
}

static void end_line(ws_nurse *nurse)
{
    if (nurse->length == 0)
        return;
    nurse->line[nurse->length] = '\0';
    memcpy(nurse->last_line, nurse->line, nurse->length + 1);
    nurse->length = 0;
    ws_tell(&nurse->log, WS_LOG_INFO, "%s", nurse->last_line);
}

/* Tells what it has printed since the last time: all that is there, but no more than it can print meanwhile.
 */
static void hear(ws_nurse *nurse)
{
    char bytes[4096];
    for (int i = 0; nurse->output >= 0 && i < MOST_READS; i++) {
        const ssize_t got = read(nurse->output, bytes, sizeof bytes);
        if (got <= 0)
            return;
        for (ssize_t j = 0; j < got; j++) {
            if (bytes[j] != '\n')
                nurse->line[nurse->length++] = bytes[j];
            if (bytes[j] == '\n' || nurse->length == sizeof nurse->line - 1)
                end_line(nurse);
        }
    }
}

static void close_output(ws_nurse *nurse)
{
    if (nurse->output < 0)
        return;
    hear(nurse);
    end_line(nurse);
    close(nurse->output);
    nurse->output = -1;
}

/* A pipe of which only our end does not block. */
static int open_output(ws_nurse *nurse, int *its_end)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return 0;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    nurse->output = ends[0];
    nurse->last_line[0] = '\0';
    *its_end = ends[1];
    return 1;
}

static void close_all(const int *descriptors, int count)
{
    for (int i = 0; i < count; i++)
        if (descriptors[i] >= 0)
            close(descriptors[i]);
}

static int start(ws_nurse *nurse, double now)
{
    char *const argv[] = {(char *)nurse->place->helper, "sidecar", NULL};
    int its_end = -1;
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    const int input = ws_child_memory_file("weightscape-request", nurse->request, strlen(nurse->request));
    int status;
    if (nothing < 0 || input < 0 || !open_output(nurse, &its_end))
        status = ws_fail(WS_IO_FAILED, "cannot be started: %s", strerror(errno));
    else
        status = ws_child_start(argv, (const int[3]){input, nothing, its_end}, nurse->descriptor,
                                nurse->death_signal, &nurse->child);
    close_all((const int[]){nothing, input, its_end}, 3);
    if (status)
        close_output(nurse);
    nurse->alive_at = now;
    return status;
}

static void give_up(ws_nurse *nurse, const char *why)
{
    nurse->given_up = 1;
    ws_tell(&nurse->log, WS_LOG_WARNING, "%s %s: %s", nurse->words->patient, why, nurse->words->loss);
}

static void plan_restart(ws_nurse *nurse, double now)
{
    double pause = FIRST_PAUSE;
    for (unsigned i = 1; i < nurse->failures; i++)
        pause *= 4;
    nurse->next_start = now + (pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE);
}

/* It has died; its last step is known from its pulse. */
static void note_death(ws_nurse *nurse, int status, const ws_pulse *pulse, double now)
{
    char how[WS_NURSE_LINE + 64];
    const char *words = nurse->last_line;
    close_output(nurse);
    if (WIFSIGNALED(status))
        snprintf(how, sizeof how, "has died by signal %d%s%s", WTERMSIG(status), words[0] ? ": " : "", words);
    else
        snprintf(how, sizeof how, "has ended with status %d%s%s", WEXITSTATUS(status), words[0] ? ": " : "",
                 words);
    nurse->child = 0;
    const int is_the_same = pulse->at != WS_NEVER && pulse->at == nurse->died_at && status == nurse->death;
    nurse->deaths_there = is_the_same ? nurse->deaths_there + 1 : 1;
    nurse->died_at = pulse->at;
    nurse->death = status;
    if (nurse->restarts++ == 0)
        ws_tell(&nurse->log, WS_LOG_WARNING, "%s %s; it is started again, training goes on",
                nurse->words->patient, how);
    if (++nurse->failures > MOST_FAILURES)
        give_up(nurse, how);
    else
        plan_restart(nurse, now);
}

static int is_same(const ws_pulse *a, const ws_pulse *b)
{
    return a->done == b->done && a->at == b->at && a->beat == b->beat;
}

/* Ends one that has given no sign of life for too long. */
static void end_hung(ws_nurse *nurse, const ws_pulse *pulse, double now)
{
    if (!is_same(pulse, &nurse->pulse)) {
        if (pulse->done != nurse->pulse.done)
            nurse->failures = 0;
        nurse->pulse = *pulse;
        nurse->alive_at = now;
    }
    if (now - nurse->alive_at > nurse->patience)
        kill(-nurse->child, SIGKILL);
}

ws_nurse_finding ws_nurse_look(ws_nurse *nurse, const ws_pulse *pulse, double now)
{
    if (!nurse->request || nurse->given_up)
        return WS_NURSE_WELL;
    if (!nurse->child) {
        if (now >= nurse->next_start && start(nurse, now) != WS_OK)
            give_up(nurse, ws_message());
        return WS_NURSE_WELL;
    }
    hear(nurse);
    int status;
    const pid_t ended = waitpid(nurse->child, &status, WNOHANG);
    if (ended == 0 || (ended < 0 && errno == EINTR)) {
        end_hung(nurse, pulse, now);
        return WS_NURSE_WELL;
    }
    if (ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        nurse->child = 0;
        nurse->next_start = 1e300;
        close_output(nurse);
        return WS_NURSE_LEFT;
    }
    /* Where the host ignores SIGCHLD the system keeps no status. */
    note_death(nurse, ended > 0 ? status : 0, pulse, now);
    return WS_NURSE_DIED;
}

void ws_nurse_ask(ws_nurse *nurse, char *request)
{
    if (!request)
        return;
    free(nurse->request);
    nurse->request = request;
}

int ws_nurse_blames(const ws_nurse *nurse, uint64_t step)
{
    return step != WS_NEVER && nurse->died_at == step && nurse->deaths_there >= MOST_DEATHS;
}

void ws_nurse_insist(ws_nurse *nurse, double now)
{
    nurse->given_up = 0;
    nurse->failures = 0;
    nurse->next_start = now;
    nurse->alive_at = now;
    if (nurse->child)
        kill(nurse->child, SIGCONT);
}

void ws_nurse_end(ws_nurse *nurse)
{
    if (nurse->child)
        ws_child_stop(nurse->child);
    close_output(nurse);
    free(nurse->request);
    *nurse = (ws_nurse){.output = -1};
}
