/* SPDX-License-Identifier: BSD-3-Clause */
#include "checkpoints.h"
#include "cnn/number.h"
#include "cnn/replacement.h"
#include "cnn/status.h"
#include "tell.h"
#include "text.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "step_"
#define ENDING ".safetensors"

char *checkpoint_path(const char *folder, uint64_t step)
{
    return text_format("%s/" PREFIX "%08llu" ENDING, folder, (unsigned long long)step);
}

char *checkpoint_last_path(const char *folder)
{
    return text_format("%s/last" ENDING, folder);
}

static int ends_with(const char *text, const char *ending)
{
    const size_t length = strlen(text), needed = strlen(ending);
    return length >= needed && !strcmp(text + length - needed, ending);
}

/* The step that a file's name tells; 0 for other files, as no file has that step. */
static uint64_t step_of_name(const char *name)
{
    uint64_t step = 0;
    if (strncmp(name, PREFIX, strlen(PREFIX)) || !ends_with(name, ENDING))
        return 0;
    char *digits = text_copy(name + strlen(PREFIX));
    digits[strlen(digits) - strlen(ENDING)] = '\0';
    if (cnn_parse_whole(name, digits, 1, UINT64_MAX, &step))
        step = 0;
    free(digits);
    return step;
}

static int compare_steps(const void *a, const void *b)
{
    const uint64_t left = ((const checkpoint_file *)a)->step, right = ((const checkpoint_file *)b)->step;
    return (left > right) - (left < right);
}

static void add_file(checkpoint_list *list, const char *folder, const char *name, uint64_t step)
{
    checkpoint_file *files = memory_of(list->count + 1, sizeof *files);
    if (list->count)
        memcpy(files, list->files, list->count * sizeof *files);
    files[list->count++] = (checkpoint_file){step, text_format("%s/%s", folder, name)};
    free(list->files);
    list->files = files;
}

int checkpoint_list_read(const char *folder, checkpoint_list *out)
{
    DIR *entries = opendir(folder);
    if (!entries)
        return cnn_fail(CNN_IO_FAILED, "%s: %s", folder, strerror(errno));
    checkpoint_list list = {0};
    for (const struct dirent *entry; (entry = readdir(entries));) {
        const uint64_t step = step_of_name(entry->d_name);
        if (step)
            add_file(&list, folder, entry->d_name, step);
    }
    closedir(entries);
    if (list.count)
        qsort(list.files, list.count, sizeof *list.files, compare_steps);
    *out = list;
    return CNN_OK;
}

void checkpoint_list_free(checkpoint_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->files[i].path);
    free(list->files);
    *list = (checkpoint_list){0};
}

int checkpoint_link_last(const char *path, const char *last)
{
    char *aside = text_format("%s" CNN_REPLACEMENT_ENDING, last);
    unlink(aside);
    const int done = link(path, aside) == 0 && rename(aside, last) == 0;
    /* rename does nothing where both names are the same file already. */
    if (done)
        unlink(aside);
    free(aside);
    return done;
}

/* Removes the oldest of the files up to `step`; files after it are not of this past. */
static int prune(const char *folder, uint64_t step, size_t keep)
{
    checkpoint_list list;
    int status = checkpoint_list_read(folder, &list);
    if (status)
        return status;
    size_t old = 0;
    while (old < list.count && list.files[old].step <= step)
        old++;
    for (size_t i = 0; !status && i + keep < old; i++)
        if (unlink(list.files[i].path) < 0)
            status =
                cnn_fail(CNN_IO_FAILED, "%s: cannot be removed: %s", list.files[i].path, strerror(errno));
    checkpoint_list_free(&list);
    return status;
}

int checkpoint_store(const char *folder, const cnn_net *net, const cnn_optimizer *optimizer, uint64_t step,
                     size_t keep)
{
    char *path = checkpoint_path(folder, step), *last = checkpoint_last_path(folder);
    int status = cnn_checkpoint_save(path, net, optimizer, step);
    /* A file system without hard links holds it twice. */
    if (!status && !checkpoint_link_last(path, last))
        status = cnn_checkpoint_save(last, net, optimizer, step);
    if (!status && keep)
        status = prune(folder, step, keep);
    free(path);
    free(last);
    return status;
}

void checkpoint_clean(const char *folder)
{
    DIR *entries = opendir(folder);
    if (!entries)
        return;
    for (const struct dirent *entry; (entry = readdir(entries));) {
        if (!ends_with(entry->d_name, CNN_REPLACEMENT_ENDING))
            continue;
        char *path = text_format("%s/%s", folder, entry->d_name);
        if (unlink(path) < 0)
            tell_warning("%s: cannot be removed: %s", path, strerror(errno));
        free(path);
    }
    closedir(entries);
}

/* ---- loading ---- */

void checkpoint_state_free(checkpoint_state *state)
{
    cnn_net_free(state->net);
    cnn_optimizer_free(state->optimizer);
    *state = (checkpoint_state){0};
}

/* Whether the file belongs to the run. */
static int check_origin(const char *path, const cnn_checkpoint_info *info, const cnn_net *whole)
{
    if (!info->net || cnn_net_check_merged(whole->spec, info->net))
        return cnn_fail(CNN_BAD_FILE, "%s: is of the network \"%s\", the run has \"%s\"", path,
                        info->net ? info->net : "", whole->spec);
    if (info->seed != whole->seed)
        return cnn_fail(CNN_BAD_FILE, "%s: is of seed %llu, the run has %llu", path,
                        (unsigned long long)info->seed, (unsigned long long)whole->seed);
    return CNN_OK;
}

static int load_state(const cnn_safetensors *file, const cnn_net *whole, const cnn_optimizer_options *options,
                      checkpoint_state *state)
{
    cnn_checkpoint_info info;
    int status = cnn_checkpoint_check(file);
    if (!status)
        status = cnn_checkpoint_describe(file, &info);
    if (!status)
        status = check_origin(cnn_safetensors_path(file), &info, whole);
    if (!status)
        status = cnn_net_create(info.net, whole->input, whole->classes, whole->seed, &state->net);
    if (!status)
        status = cnn_optimizer_create(options, state->net, &state->optimizer);
    if (!status)
        status = cnn_checkpoint_load_optimizer(file, state->net, state->optimizer);
    if (!status)
        status = cnn_checkpoint_load(file, state->net, NULL, NULL);
    if (status)
        return status;
    /* Whoever looks at the run before its next step sees those of this one. */
    const int loaded = cnn_checkpoint_load_gradients(file, state->net);
    state->step = info.step;
    return loaded < 0 ? loaded : CNN_OK;
}

int checkpoint_load(const char *path, const cnn_net *whole, const cnn_optimizer_options *options,
                    checkpoint_state *out)
{
    cnn_safetensors *file;
    int status = cnn_safetensors_open(path, &file);
    if (status)
        return status;
    checkpoint_state state = {0};
    status = load_state(file, whole, options, &state);
    cnn_safetensors_close(file);
    if (status)
        checkpoint_state_free(&state);
    else
        *out = state;
    return status;
}

/* What is looked for, and the best that was found so far. */
typedef struct search {
    const cnn_net *whole;
    const cnn_optimizer_options *options;
    checkpoint_state best;
} search;

/* Takes `path` if it is good and of step `named` (0: of whatever step), or tells why it is skipped: the
 * message of the failure begins with the path. */
static void try_file(const char *path, uint64_t named, search *in)
{
    checkpoint_state state = {0};
    int status = checkpoint_load(path, in->whole, in->options, &state);
    if (!status && named && state.step != named)
        status = cnn_fail(CNN_BAD_FILE, "%s: is of step %llu", path, (unsigned long long)state.step);
    if (status) {
        tell_warning("%s (skipped)", cnn_message());
        checkpoint_state_free(&state);
        return;
    }
    checkpoint_state_free(&in->best);
    in->best = state;
    in->best.is_not_last = named != 0;
}

/* Tries last.safetensors; returns whether there is one. */
static int try_last(const char *folder, search *in)
{
    char *path = checkpoint_last_path(folder);
    struct stat about;
    const int found = lstat(path, &about) == 0;
    if (found)
        try_file(path, 0, in);
    free(path);
    return found;
}

int checkpoint_load_newest(const char *folder, const cnn_net *whole, const cnn_optimizer_options *options,
                           checkpoint_state *out)
{
    checkpoint_list list;
    int status = checkpoint_list_read(folder, &list);
    if (status)
        return status;
    search in = {.whole = whole, .options = options};
    const int found = try_last(folder, &in);
    /* A process killed between the two names of a state leaves a newer one than `last`. */
    for (size_t i = list.count; i-- && !(in.best.net && list.files[i].step <= in.best.step);)
        try_file(list.files[i].path, list.files[i].step, &in);
    if (!in.best.net && (found || list.count))
        status = cnn_fail(CNN_BAD_FILE, "%s: holds no checkpoint that can be used", folder);
    checkpoint_list_free(&list);
    *out = in.best;
    return status;
}
