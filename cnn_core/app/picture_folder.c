/* SPDX-License-Identifier: BSD-3-Clause */
#include "picture_folder.h"
#include "cnn/status.h"
#include "folders.h"
#include "text.h"
#include <stdlib.h>
#include <unistd.h>

/* More processes than any run lets watch it. */
enum { MOST_FOLDERS = 1000 };

int picture_folder_open(const char *path, picture_folder *out)
{
    picture_folder folder = {.path = text_copy(path), .lock = -1};
    int status = folders_make(path, &folder.made);
    if (!status)
        status = folders_lock(path, "another process is drawing there", &folder.lock);
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
