/* SPDX-License-Identifier: BSD-3-Clause */
#include "steering.h"
#include "cnn/replacement.h"
#include "cnn/status.h"
#include "file_tail.h"
#include "regular_file.h"
#include "run_record.h"
#include "tell.h"
#include "text.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct app_steering {
    char *path;
    int fd;
    off_t size;   /* of whole lines */
    int is_torn;  /* after them there is a part of one */
    off_t before; /* the last write */
    int is_durable;
};

/* ---- reading ---- */

/* Where the reading of a file is, and why it ended. */
typedef struct reading {
    steering_log log;
    off_t end;       /* after the last line that was taken */
    size_t line;     /* the line read last */
    int is_torn;     /* the last line is */
    int is_cut;      /* a line could not be read, or there is no memory for it */
    char *complaint; /* of the first bad line; NULL: none */
} reading;

int steering_is_merge(const steering_entry *entry)
{
    return !entry->before && !strcmp(entry->name, STEERING_MERGE);
}

/* The network that a merge has made, NULL if the line does not tell it. */
static const char *net_after(const steering_entry *entry)
{
    return json_string_value(json_object_get(entry->result, "net"));
}

/* Takes texts out of an object that has those keys and no other. Returns 0, or -1 with the reason. */
static int unpack(json_t *object, steering_entry *entry, char *reason, size_t room)
{
    json_error_t error;
    json_int_t step;
    const char *time;
    *reason = '\0';
    entry->before = NULL;
    entry->result = NULL;
    const int is_action = json_object_get(object, "action") != NULL;
    const int failed = is_action
                           ? json_unpack_ex(object, &error, JSON_STRICT, "{s:I, s:s, s:s, s:s, s:s, s?o}",
                                            "step", &step, "action", &entry->name, "value", &entry->value,
                                            "origin", &entry->origin, "time", &time, "result", &entry->result)
                           : json_unpack_ex(object, &error, JSON_STRICT, "{s:I, s:s, s:s, s:s, s:s, s:s}",
                                            "step", &step, "name", &entry->name, "old", &entry->before, "new",
                                            &entry->value, "origin", &entry->origin, "time", &time);
    if (failed)
        snprintf(reason, room, "%s", error.text);
    else if (step < 0)
        snprintf(reason, room, "step %lld is below 0", (long long)step);
    else if (steering_is_merge(entry) && !net_after(entry))
        snprintf(reason, room, "a merge without a result that tells the network");
    else if (!steering_is_merge(entry) && entry->result)
        snprintf(reason, room, "only a merge has a result");
    else
        entry->step = (uint64_t)step;
    return *reason ? -1 : 0;
}

/* Reads one line into an entry with texts of its own. Returns 0, or -1 with the reason. */
static int read_line(const char *line, size_t length, uint64_t before, steering_entry *out, char *reason,
                     size_t room)
{
    json_error_t error;
    json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
    steering_entry entry = {0};
    int bad = !object;
    if (bad)
        snprintf(reason, room, "%s", error.text);
    else
        bad = unpack(object, &entry, reason, room);
    if (!bad && entry.step < before) {
        snprintf(reason, room, "step %llu is before step %llu of the line above",
                 (unsigned long long)entry.step, (unsigned long long)before);
        bad = -1;
    }
    if (!bad)
        *out = (steering_entry){.step = entry.step,
                                .name = text_copy(entry.name),
                                .before = entry.before ? text_copy(entry.before) : NULL,
                                .value = text_copy(entry.value),
                                .origin = text_copy(entry.origin),
                                .result = json_incref(entry.result)};
    json_decref(object);
    return bad ? -1 : 0;
}

static void free_entry(steering_entry *entry)
{
    free((char *)entry->name);
    free((char *)entry->before);
    free((char *)entry->value);
    free((char *)entry->origin);
    json_decref(entry->result);
}

static void add_entry(steering_log *log, const steering_entry *entry)
{
    /* Room doubles at each power of two. */
    if ((log->count & (log->count - 1)) == 0) {
        steering_entry *larger = memory_of(log->count ? 2 * log->count : 1, sizeof *larger);
        if (log->count)
            memcpy(larger, log->entries, log->count * sizeof *larger);
        free(log->entries);
        log->entries = larger;
    }
    log->entries[log->count++] = *entry;
}

/* Reads lines up to the first of a later step, or a bad one, or the one that would be more than `most`. */
static void read_lines(FILE *file, uint64_t last, size_t most, reading *into)
{
    char *line = NULL, reason[256];
    size_t room = 0;
    uint64_t before = 0;
    ssize_t length;
    while ((length = getline(&line, &room, file)) > 0) {
        steering_entry entry;
        into->line++;
        into->is_torn = line[length - 1] != '\n';
        if (into->is_torn)
            break;
        if (read_line(line, (size_t)length, before, &entry, reason, sizeof reason)) {
            into->complaint = text_copy(reason);
            break;
        }
        if (entry.step > last || into->log.count == most) {
            free_entry(&entry);
            break;
        }
        entry.line = into->line;
        before = entry.step;
        add_entry(&into->log, &entry);
        into->end = ftello(file);
    }
    into->is_cut = length < 0 && !feof(file);
    free(line);
}

/* 1 if nothing follows where the reading has stopped. */
static int is_at_end(FILE *file)
{
    const int next = getc(file);
    return next == EOF && !ferror(file);
}

/* Reads as told above. A bad last line of the run's own log is what a crash has left of it. */
static int read_file(FILE *file, const char *path, uint64_t last, size_t most, int may_be_torn, reading *into)
{
    *into = (reading){.log = {.path = text_copy(path)}};
    read_lines(file, last, most, into);
    int status = CNN_OK;
    if (into->is_cut || ferror(file))
        status = cnn_fail(CNN_IO_FAILED, "%s: cannot be read", path);
    else if (into->complaint && may_be_torn && is_at_end(file))
        into->is_torn = 1;
    else if (into->complaint)
        status = cnn_fail(CNN_BAD_FILE, "%s:%zu: %s", path, into->line, into->complaint);
    else if (into->is_torn && !may_be_torn)
        status = cnn_fail(CNN_BAD_FILE, "%s:%zu: is torn, it has no end", path, into->line);
    free(into->complaint);
    if (status)
        steering_log_free(&into->log);
    return status;
}

int steering_read(const char *path, steering_log *out)
{
    FILE *file = NULL;
    reading read;
    int status = regular_file_open(path, &file, NULL);
    if (status)
        return status;
    status = read_file(file, path, UINT64_MAX, SIZE_MAX, 0, &read);
    fclose(file);
    if (!status)
        *out = read.log;
    return status;
}

static int is_missing(const char *path)
{
    return access(path, F_OK) < 0 && errno == ENOENT;
}

int steering_read_past(const char *path, uint64_t step, steering_log *out)
{
    FILE *file = NULL;
    reading read;
    if (is_missing(path)) {
        *out = (steering_log){.path = text_copy(path)};
        return CNN_OK;
    }
    int status = regular_file_open(path, &file, NULL);
    if (status)
        return status;
    status = read_file(file, path, step, SIZE_MAX, 1, &read);
    fclose(file);
    if (!status)
        *out = read.log;
    return status;
}

size_t steering_merge_count(const steering_log *log)
{
    size_t count = 0;
    for (size_t i = 0; i < log->count; i++)
        count += (size_t)steering_is_merge(&log->entries[i]);
    return count;
}

void steering_log_match(steering_log *log, const char *whole, const char *net)
{
    size_t known = 0; /* lines up to the merge that made the network */
    for (size_t i = 0; i < log->count; i++)
        if (steering_is_merge(&log->entries[i]) && !strcmp(net_after(&log->entries[i]), net))
            known = i + 1;
    if (!known && strcmp(whole, net))
        return;
    while (known < log->count && !steering_is_merge(&log->entries[known]))
        known++;
    while (log->count > known)
        free_entry(&log->entries[--log->count]);
}

void steering_log_free(steering_log *log)
{
    for (size_t i = 0; i < log->count; i++)
        free_entry(&log->entries[i]);
    free(log->entries);
    free(log->path);
    *log = (steering_log){0};
}

/* ---- writing ---- */

static int open_to_write(const char *path, app_steering **out)
{
    const int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0)
        return cnn_fail(CNN_IO_FAILED, "%s: %s", path, strerror(errno));
    app_steering *opened = memory_of(1, sizeof *opened);
    *opened =
        (app_steering){.path = text_copy(path), .fd = fd, .size = lseek(fd, 0, SEEK_END), .is_durable = 1};
    *out = opened;
    return CNN_OK;
}

int steering_create(const char *path, app_steering **out)
{
    const int status = cnn_replacement_all(path, "", 0);
    return status ? status : open_to_write(path, out);
}

int steering_resume(const char *path, uint64_t step, size_t count, app_steering **out)
{
    FILE *file = NULL;
    reading read;
    if (is_missing(path))
        return steering_create(path, out);
    int status = regular_file_open(path, &file, NULL);
    if (status)
        return status;
    status = read_file(file, path, step, count, 1, &read);
    struct stat about;
    if (!status && fstat(fileno(file), &about) < 0)
        status = cnn_fail(CNN_IO_FAILED, "%s: %s", path, strerror(errno));
    if (!status) {
        if (read.is_torn)
            tell_warning("%s:%zu: the last line is torn and is cut", path, read.line);
        if (read.end < about.st_size)
            status = file_tail_cut(file, path, read.end, step, "knobs that were turned");
        steering_log_free(&read.log);
    }
    fclose(file);
    return status ? status : open_to_write(path, out);
}

/* The lines as text, which the caller frees; NULL if there is no memory, or a text is not UTF-8. */
static char *lines_of(const steering_entry *entries, size_t count)
{
    char now[RUN_RECORD_TIME_SIZE];
    run_record_now(now);
    char *text = text_copy("");
    for (size_t i = 0; i < count; i++) {
        const steering_entry *entry = &entries[i];
        const json_int_t step = (json_int_t)entry->step;
        json_t *object =
            entry->before
                ? json_pack("{s:I, s:s, s:s, s:s, s:s, s:s}", "step", step, "name", entry->name, "old",
                            entry->before, "new", entry->value, "origin", entry->origin, "time", now)
                : json_pack("{s:I, s:s, s:s, s:s, s:s, s:O*}", "step", step, "action", entry->name, "value",
                            entry->value, "origin", entry->origin, "time", now, "result", entry->result);
        char *line = object ? json_dumps(object, JSON_ENSURE_ASCII) : NULL;
        json_decref(object);
        char *longer = line ? text_format("%s%s\n", text, line) : NULL;
        free(line);
        free(text);
        text = longer;
        if (!text)
            return NULL;
    }
    return text;
}

/* Takes back what has arrived of a line: nothing may follow a part of one. */
static void mend(app_steering *steering)
{
    const int failed = cnn_cut_file(steering->fd, steering->size) < 0;
    if (failed && !steering->is_torn)
        tell_warning("%s: its last line is torn (--resume mends it)", steering->path);
    steering->is_torn = failed;
}

int steering_write(app_steering *steering, const steering_entry *entries, size_t count)
{
    if (steering->is_torn)
        mend(steering);
    if (steering->is_torn)
        return cnn_fail(CNN_IO_FAILED, "%s: cannot be written: its last line is torn", steering->path);
    char *text = lines_of(entries, count);
    if (!text)
        return cnn_fail(CNN_IO_FAILED, "%s: cannot be written: a text is not UTF-8", steering->path);
    const size_t length = strlen(text);
    size_t done = 0;
    int status = CNN_OK;
    while (done < length && !status) {
        const ssize_t written = write(steering->fd, text + done, length - done);
        if (written > 0)
            done += (size_t)written;
        else if (written == 0 || errno != EINTR)
            status = cnn_fail(CNN_IO_FAILED, "%s: cannot be written: %s", steering->path, strerror(errno));
    }
    free(text);
    steering->is_durable = 0;
    steering->before = steering->size;
    if (!status)
        steering->size += (off_t)length;
    else
        mend(steering);
    return status;
}

void steering_take_back(app_steering *steering)
{
    if (cnn_cut_file(steering->fd, steering->before) < 0)
        tell_warning("%s: its last line tells of what was not done", steering->path);
    else
        steering->size = steering->before;
}

int steering_sync(app_steering *steering)
{
    if (steering->is_durable)
        return CNN_OK;
    if (cnn_sync_file(steering->fd) < 0)
        return cnn_fail(CNN_IO_FAILED, "%s: cannot be made durable: %s", steering->path, strerror(errno));
    steering->is_durable = 1;
    return CNN_OK;
}

void steering_close(app_steering *steering)
{
    if (!steering)
        return;
    close(steering->fd);
    free(steering->path);
    free(steering);
}
