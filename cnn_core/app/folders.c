/* SPDX-License-Identifier: BSD-3-Clause */
#include "folders.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

void folders_remove(const char *path, const char *outermost)
{
    char *part = text_copy(path);
    while (rmdir(part) == 0 && strlen(part) > strlen(outermost))
        *strrchr(part, '/') = '\0';
    free(part);
}
