/* SPDX-License-Identifier: BSD-3-Clause */
#include "folders.h"
#include "cnn/status.h"
#include "text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

char *folders_make_around(const char *path)
{
    char *part = text_copy(path), *outermost = NULL;
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0777) == 0 && !outermost)
            outermost = text_copy(part);
        *slash = '/';
    }
    free(part);
    return outermost;
}

int folders_make(const char *path, char **made)
{
    *made = folders_make_around(path);
    if (mkdir(path, 0777) == 0)
        *made = *made ? *made : text_copy(path);
    else if (errno != EEXIST)
        return cnn_fail(CNN_IO_FAILED, "%s: cannot be made: %s", path, strerror(errno));
    return CNN_OK;
}

int folders_lock(const char *path, const char *busy, int *lock)
{
    *lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock < 0)
        return cnn_fail(CNN_IO_FAILED, "%s: %s", path, strerror(errno));
    /* Who asks whether it is locked holds it for an instant: again after that. */
    const struct timespec instant = {.tv_nsec = 10000000};
    for (int again = 10; flock(*lock, LOCK_EX | LOCK_NB) != 0; again--) {
        if (errno != EWOULDBLOCK)
            return cnn_fail(CNN_IO_FAILED, "%s: cannot be locked: %s", path, strerror(errno));
        if (again == 0)
            return cnn_fail(CNN_BAD_ARGUMENT, "%s: %s", path, busy);
        nanosleep(&instant, NULL);
    }
    return CNN_OK;
}

int folders_check_empty(const char *path, const char *found)
{
    DIR *entries = opendir(path);
    if (!entries)
        return cnn_fail(CNN_IO_FAILED, "%s: %s", path, strerror(errno));
    int has_any = 0;
    for (const struct dirent *entry; !has_any && (entry = readdir(entries));)
        has_any = strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
    closedir(entries);
    return has_any ? cnn_fail(CNN_BAD_ARGUMENT, "%s: %s", path, found) : CNN_OK;
}

void folders_remove(const char *path, const char *outermost)
{
    char *part = text_copy(path);
    while (rmdir(part) == 0 && strlen(part) > strlen(outermost))
        *strrchr(part, '/') = '\0';
    free(part);
}
