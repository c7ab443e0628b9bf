/* SPDX-License-Identifier: BSD-3-Clause */
#include "merge_states.h"
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
#include <unistd.h>

#define PREFIX "before_merge_"
#define ENDING ".safetensors"

char *merge_state_path(const char *folder, size_t number)
{
    return text_format("%s/" PREFIX "%zu" ENDING, folder, number);
}

/* The number that a file's name tells; 0 for other files. */
static size_t number_of_name(const char *name)
{
    const size_t length = strlen(name), around = strlen(PREFIX) + strlen(ENDING);
    uint64_t number = 0;
    if (length <= around || strncmp(name, PREFIX, strlen(PREFIX)) ||
        strcmp(name + length - strlen(ENDING), ENDING))
        return 0;
    char *digits = text_format("%.*s", (int)(length - around), name + strlen(PREFIX));
    if (cnn_parse_whole(name, digits, 1, SIZE_MAX, &number))
        number = 0;
    free(digits);
    return (size_t)number;
}

/* Removes the states with numbers in first..last. */
static void forget(const char *folder, size_t first, size_t last)
{
    DIR *entries = opendir(folder);
    if (!entries)
        return;
    for (const struct dirent *entry; (entry = readdir(entries));) {
        const size_t number = number_of_name(entry->d_name);
        if (!number || number < first || number > last)
            continue;
        char *path = text_format("%s/%s", folder, entry->d_name);
        if (unlink(path) < 0)
            tell_warning("%s: cannot be removed: %s", path, strerror(errno));
        free(path);
    }
    closedir(entries);
}

int merge_state_save(const char *folder, size_t number, const cnn_net *net, const cnn_optimizer *optimizer,
                     uint64_t step, size_t keep)
{
    char *path = merge_state_path(folder, number);
    const int status = cnn_checkpoint_save(path, net, optimizer, step);
    free(path);
    if (!status && keep && number > keep)
        forget(folder, 1, number - keep);
    return status;
}

void merge_states_forget(const char *folder, size_t last)
{
    forget(folder, last + 1, SIZE_MAX);
}

/* Copies a whole file. */
static int copy(const char *from, const char *to)
{
    FILE *file = fopen(from, "re");
    if (!file)
        return cnn_fail(CNN_IO_FAILED, "%s: %s", from, strerror(errno));
    const int status = cnn_replacement_copy(to, file, from);
    fclose(file);
    return status;
}

/* Removes the checkpoints of steps after `step`, the newest one last. */
static int forget_after(const char *folder, uint64_t step)
{
    checkpoint_list list;
    int status = checkpoint_list_read(folder, &list);
    if (status)
        return status;
    for (size_t i = 0; i < list.count && !status; i++)
        if (list.files[i].step > step && unlink(list.files[i].path) < 0)
            status =
                cnn_fail(CNN_IO_FAILED, "%s: cannot be removed: %s", list.files[i].path, strerror(errno));
    checkpoint_list_free(&list);
    return status;
}

int merge_state_return(const char *folder, size_t number, uint64_t step)
{
    char *before = merge_state_path(folder, number), *path = checkpoint_path(folder, step),
         *last = checkpoint_last_path(folder);
    int status = forget_after(folder, step);
    if (!status)
        status = copy(before, path);
    /* A file system without hard links holds it twice. */
    if (!status && !checkpoint_link_last(path, last))
        status = copy(before, last);
    if (!status)
        forget(folder, number, SIZE_MAX);
    free(before);
    free(path);
    free(last);
    return status;
}
