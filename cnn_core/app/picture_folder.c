/* SPDX-License-Identifier: BSD-3-Clause */
#include "picture_folder.h"
#include "cnn/status.h"
#include "folders.h"
#include "text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* More processes than any run lets watch it. */
enum { MOST_FOLDERS = 1000 };

static int lock_folder(picture_folder *folder)
{
    folder->lock = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->lock < 0)
        return cnn_fail(CNN_IO_FAILED, "%s: %s", folder->path, strerror(errno));
    if (flock(folder->lock, LOCK_EX | LOCK_NB) == 0)
        return CNN_OK;
    if (errno == EWOULDBLOCK)
        return cnn_fail(CNN_BAD_ARGUMENT, "%s: another process is drawing there", folder->path);
    return cnn_fail(CNN_IO_FAILED, "%s: cannot be locked: %s", folder->path, strerror(errno));
}

int picture_folder_open(const char *path, picture_folder *out)
{
    picture_folder folder = {.path = text_copy(path), .made = folders_make_around(path), .lock = -1};
    int status = CNN_OK;
    if (mkdir(path, 0777) == 0)
        folder.made = folder.made ? folder.made : text_copy(path);
    else if (errno != EEXIST)
        status = cnn_fail(CNN_IO_FAILED, "%s: cannot be made: %s", path, strerror(errno));
    if (!status)
        status = lock_folder(&folder);
    if (status)
        picture_folder_close(&folder);
    else
        *out = folder;
    return status;
}

int picture_folder_open_free(const char *path, picture_folder *out)
{
    int status = picture_folder_open(path, out);
    for (int i = 2; status == CNN_BAD_ARGUMENT && i <= MOST_FOLDERS; i++) {
        char *numbered = text_format("%s-%d", path, i);
        status = picture_folder_open(numbered, out);
        free(numbered);
    }
    return status;
}

void picture_folder_close(picture_folder *folder)
{
    if (folder->made)
        folders_remove(folder->path, folder->made);
    if (folder->lock >= 0)
        close(folder->lock);
    free(folder->path);
    free(folder->made);
    *folder = (picture_folder){.lock = -1};
}
