/* SPDX-License-Identifier: BSD-3-Clause */
#include "run_folder.h"
#include "cnn/number.h"
#include "cnn/replacement.h"
#include "cnn/status.h"
#include "control_socket.h"
#include "folders.h"
#include "text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUNS "runs"

run_folder run_folder_of(const char *path)
{
    return (run_folder){.path = text_copy(path),
                        .record = text_format("%s/run.json", path),
                        .metrics = text_format("%s/metrics.csv", path),
                        .history = text_format("%s/history.ws", path),
                        .recording = text_format("%s/recording.wsrec", path),
                        .backlog = text_format("%s/backlog.wsrec", path),
                        .steering = text_format("%s/steering.jsonl", path),
                        .control = text_format("%s/" CONTROL_NAME, path),
                        .viewers = text_format("%s/viewers", path),
                        .checkpoints = text_format("%s/checkpoints", path),
                        .images = text_format("%s/images", path),
                        .lock = -1};
}

void run_folder_close(run_folder *folder)
{
    if (folder->lock >= 0)
        close(folder->lock);
    free(folder->path);
    free(folder->record);
    free(folder->metrics);
    free(folder->history);
    free(folder->recording);
    free(folder->backlog);
    free(folder->steering);
    free(folder->control);
    free(folder->viewers);
    free(folder->checkpoints);
    free(folder->images);
    free(folder->made);
    *folder = (run_folder){.lock = -1};
}

static int lock_folder(run_folder *folder)
{
    return folders_lock(folder->path,
                        "another training, or a watch that draws what it left, is writing there",
                        &folder->lock);
}

/* All that is in a folder before its record is; names of what is written aside, too. */
static const char *const before_record[] = {"metrics.csv",
                                            "metrics.csv" CNN_REPLACEMENT_ENDING,
                                            "history.ws",
                                            "steering.jsonl",
                                            "steering.jsonl" CNN_REPLACEMENT_ENDING,
                                            "recording.wsrec",
                                            "viewers",
                                            "run.json" CNN_REPLACEMENT_ENDING,
                                            "backlog.wsrec",
                                            "viewers.part",
                                            CONTROL_NAME,
                                            ".control.tmp"};

enum { BEFORE_RECORD = sizeof before_record / sizeof before_record[0] };

static int is_before_record(const char *name)
{
    for (size_t i = 0; i < BEFORE_RECORD; i++)
        if (!strcmp(name, before_record[i]))
            return 1;
    return !strcmp(name, "checkpoints") || !strcmp(name, "images");
}

/* Whether there are rows in the log: training has begun then, whatever became of its record. */
static int has_rows(const char *metrics)
{
    FILE *file = fopen(metrics, "re");
    int lines = 0;
    for (int c; file && lines < 2 && (c = getc(file)) != EOF;)
        lines += c == '\n';
    if (file)
        fclose(file);
    return lines > 1;
}

/* Whether all in it is what a training leaves that was killed before it began. */
static int is_unbegun(const run_folder *folder)
{
    DIR *entries = opendir(folder->path);
    int unbegun = entries && !has_rows(folder->metrics) &&
                  (access(folder->checkpoints, F_OK) < 0 || !folders_check_empty(folder->checkpoints, "")) &&
                  (access(folder->images, F_OK) < 0 || !folders_check_empty(folder->images, ""));
    for (const struct dirent *entry; unbegun && (entry = readdir(entries));)
        unbegun =
            !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || is_before_record(entry->d_name);
    if (entries)
        closedir(entries);
    return unbegun;
}

/* Whatever is not there, or not ours because it has content, stays as it is. */
static void empty(const run_folder *folder)
{
    for (size_t i = 0; i < BEFORE_RECORD; i++)
        unlinkat(folder->lock, before_record[i], 0);
    unlinkat(folder->lock, "checkpoints", AT_REMOVEDIR);
    unlinkat(folder->lock, "images", AT_REMOVEDIR);
}

/* Makes the folder itself and those inside. */
static int make_folder(run_folder *folder)
{
    int status = folders_make(folder->path, &folder->made);
    if (!status)
        status = lock_folder(folder);
    if (!status && is_unbegun(folder))
        empty(folder);
    if (!status)
        status = folders_check_empty(folder->path, "exists and is not empty (--resume goes on with a run)");
    if (!status && (mkdir(folder->checkpoints, 0777) < 0 || mkdir(folder->images, 0777) < 0))
        status =
            cnn_fail(CNN_IO_FAILED, "%s: folders cannot be made in it: %s", folder->path, strerror(errno));
    return status;
}

/* The next free number in RUNS. */
static uint64_t next_number(void)
{
    uint64_t highest = 0, number;
    DIR *entries = opendir(RUNS);
    if (!entries)
        return 1;
    for (const struct dirent *entry; (entry = readdir(entries));)
        if (!cnn_parse_whole(RUNS, entry->d_name, 1, UINT32_MAX, &number) && number > highest)
            highest = number;
    closedir(entries);
    return highest + 1;
}

int run_folder_create(const char *path, run_folder *out)
{
    char *numbered = path ? NULL : text_format(RUNS "/%llu", (unsigned long long)next_number());
    run_folder folder = run_folder_of(path ? path : numbered);
    free(numbered);
    const int status = make_folder(&folder);
    if (!status)
        *out = folder;
    else if (folder.made)
        run_folder_abandon(&folder);
    else
        run_folder_close(&folder);
    return status;
}

int run_folder_open(const char *path, run_folder *out)
{
    run_folder folder = run_folder_of(path);
    int status = lock_folder(&folder);
    if (!status && access(folder.record, F_OK) < 0)
        status = cnn_fail(CNN_BAD_FILE, "%s: %s, so there is no run to go on with", folder.record,
                          strerror(errno));
    if (status)
        run_folder_close(&folder);
    else
        *out = folder;
    return status;
}

typedef void past_action(const char *path, const char *aside);

static void each_of_past(const run_folder *folder, past_action *act)
{
    const char *const paths[] = {folder->history, folder->recording, folder->backlog};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char *aside = text_format("%s.aside", paths[i]);
        act(paths[i], aside);
        free(aside);
    }
}

static void lay_aside(const char *path, const char *aside)
{
    rename(path, aside);
}

static void bring_back(const char *path, const char *aside)
{
    rename(aside, path);
}

static void forget(const char *path, const char *aside)
{
    (void)path;
    unlink(aside);
}

void run_folder_lay_past_aside(const run_folder *folder)
{
    each_of_past(folder, lay_aside);
}

void run_folder_bring_past_back(const run_folder *folder)
{
    each_of_past(folder, bring_back);
}

void run_folder_forget_past(const run_folder *folder)
{
    each_of_past(folder, forget);
}

int run_folder_is_used(const char *path)
{
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return 0;
    const int used = flock(folder, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
    close(folder);
    return used;
}

void run_folder_abandon(run_folder *folder)
{
    empty(folder);
    unlinkat(folder->lock, "run.json", 0);
    if (folder->made)
        folders_remove(folder->path, folder->made);
    run_folder_close(folder);
}
