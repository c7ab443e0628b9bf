/* SPDX-License-Identifier: BSD-3-Clause */
#include "sweep_folder.h"
#include "cnn/status.h"
#include "folders.h"
#include "json_file.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RECORD "sweep.json"

static const char version_key[] = "weightscape";

static sweep_folder names_in(const char *path)
{
    return (sweep_folder){.path = text_copy(path),
                          .record = text_format("%s/" RECORD, path),
                          .table = text_format("%s/sweep.csv", path),
                          .picture = text_format("%s/compare.png", path),
                          .lock = -1};
}

void sweep_folder_close(sweep_folder *folder)
{
    if (folder->lock >= 0)
        close(folder->lock);
    free(folder->path);
    free(folder->record);
    free(folder->table);
    free(folder->picture);
    *folder = (sweep_folder){.lock = -1};
}

/* ---- what was asked ---- */

static int read_record(const char *path, json_t **out)
{
    json_t *record;
    const int status = json_file_read(path, &record);
    if (status)
        return status;
    if (!json_is_array(json_object_get(record, "runs"))) {
        json_decref(record);
        return cnn_fail(CNN_BAD_FILE, "%s: has no list \"runs\"", path);
    }
    *out = record;
    return CNN_OK;
}

/* The --vary of a record as they were asked; the caller frees it. */
static char *asked_axes(const json_t *record)
{
    const json_t *axes = json_object_get(record, "vary");
    char *text = text_copy("");
    for (size_t i = 0; i < json_array_size(axes); i++) {
        const char *asked = json_string_value(json_object_get(json_array_get(axes, i), "asked"));
        char *longer = text_format("%s%s--vary %s", text, *text ? " " : "", asked ? asked : "?");
        free(text);
        text = longer;
    }
    return text;
}

static int check_same(const sweep_folder *folder, const json_t *recorded, const json_t *asked)
{
    static const char *const keys[] = {"vary", "random", "options", "runs"};
    size_t i = 0;
    while (i < sizeof keys / sizeof *keys &&
           (json_equal(json_object_get(recorded, keys[i]), json_object_get(asked, keys[i])) ||
            (!json_object_get(recorded, keys[i]) && !json_object_get(asked, keys[i]))))
        i++;
    if (i == sizeof keys / sizeof *keys)
        return CNN_OK;
    char *axes = asked_axes(recorded);
    const int status = cnn_fail(CNN_BAD_ARGUMENT, "%s: holds another sweep: %s%s", folder->path, axes,
                                i == 0   ? ""
                                : i == 1 ? " with another --random or --seed"
                                         : " with other options of train");
    free(axes);
    return status;
}

static int write_record(const sweep_folder *folder, json_t *asked)
{
    json_t *whole = json_pack("{s:s}", version_key, WEIGHTSCAPE_VERSION);
    json_object_update(whole, asked);
    return json_file_write(folder->record, whole);
}

/* ---- opening ---- */

static int take(sweep_folder *folder, json_t *asked)
{
    int status = folders_lock(folder->path, "another sweep, or a training, is writing there", &folder->lock);
    if (status)
        return status;
    json_t *recorded;
    if (access(folder->record, F_OK)) {
        status = folders_check_empty(folder->path, "is not empty and holds no sweep");
        return status ? status : write_record(folder, asked);
    }
    status = read_record(folder->record, &recorded);
    if (status)
        return status;
    status = check_same(folder, recorded, asked);
    json_decref(recorded);
    return status;
}

int sweep_folder_open(const char *path, json_t *asked, sweep_folder *out)
{
    sweep_folder folder = names_in(path);
    char *made;
    int status = folders_make(path, &made);
    if (!status)
        status = take(&folder, asked);
    if (status && made)
        folders_remove(path, made);
    free(made);
    if (status)
        sweep_folder_close(&folder);
    else
        *out = folder;
    return status;
}

int sweep_folder_runs(const char *path, char ***runs, char **option)
{
    json_t *record;
    char *file = text_format("%s/" RECORD, path);
    const int status = read_record(file, &record);
    free(file);
    if (status)
        return status;
    const json_t *list = json_object_get(record, "runs"),
                 *first = json_array_get(json_object_get(record, "vary"), 0);
    char **paths = memory_of(json_array_size(list) + 1, sizeof *paths);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(list, i), "name"));
        paths[i] = text_format("%s/%s", path, name ? name : "");
    }
    const char *varied = json_string_value(json_object_get(first, "option"));
    *option = varied ? text_copy(varied) : NULL;
    *runs = paths;
    json_decref(record);
    return CNN_OK;
}
