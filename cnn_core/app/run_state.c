/* SPDX-License-Identifier: BSD-3-Clause */
#include "run_state.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include "run_record.h"
#include "signals.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TAIL_MOST = 1 << 16, TICKS_A_SECOND = 50, PATIENCE_SECONDS = 10 };

/* The step of the last whole row, 0 if there is none. */
static uint64_t last_row(const char *path)
{
    static char tail[TAIL_MOST + 1];
    uint64_t step = 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    const off_t size = lseek(fd, 0, SEEK_END);
    const ssize_t got = pread(fd, tail, TAIL_MOST, size > TAIL_MOST ? size - TAIL_MOST : 0);
    close(fd);
    tail[got > 0 ? got : 0] = '\0';
    char *end = strrchr(tail, '\n');
    if (!end)
        return 0;
    *end = '\0';
    char *row = strrchr(tail, '\n');
    row = row ? row + 1 : tail;
    row[strcspn(row, ",")] = '\0';
    return cnn_parse_whole("step", row, 1, UINT64_MAX, &step) ? 0 : step;
}

int run_state_record(const run_folder *folder, json_t **out)
{
    const struct timespec tick = {.tv_nsec = 1000000000 / TICKS_A_SECOND};
    for (int i = 0; i < PATIENCE_SECONDS * TICKS_A_SECOND && !signals_caught(); i++) {
        if (access(folder->record, F_OK) == 0 || !run_folder_is_used(folder->path))
            break;
        nanosleep(&tick, NULL);
    }
    if (access(folder->record, F_OK) && errno == ENOENT)
        return cnn_fail(CNN_BAD_FILE, "%s: holds no run (there is no run.json)", folder->path);
    return run_record_read(folder->record, out);
}

run_state run_state_of(const run_folder *folder, const json_t *record)
{
    const char *told = run_record_text(record, "status");
    run_state state = {.is_used = run_folder_is_used(folder->path),
                       .step = (uint64_t)json_integer_value(json_object_get(record, "step"))};
    state.is_killed = told && !strcmp(told, "running") && !state.is_used;
    const uint64_t row = state.is_killed ? last_row(folder->metrics) : 0;
    if (row > state.step)
        state.step = row;
    return state;
}
