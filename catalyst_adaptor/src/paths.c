/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "paths.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int try_folder(const char *folder, const char *below, const char *file, char path[WS_PATH_SIZE])
{
    const int length = snprintf(path, WS_PATH_SIZE, "%s%s/%s", folder, below, file);
    return length > 0 && length < WS_PATH_SIZE && access(path, R_OK) == 0;
}

/* The folder of the file that holds this code: the shared library, or the
 * program it is linked into. */
static int own_folder(char folder[WS_PATH_SIZE])
{
    Dl_info about;
    if (!dladdr((const void *)&ws_find_bridge, &about) || !about.dli_fname)
        return 0;
    char *real = realpath(strchr(about.dli_fname, '/') ? about.dli_fname : "/proc/self/exe", NULL);
    char *slash = real ? strrchr(real, '/') : NULL;
    const int good = slash && slash - real < WS_PATH_SIZE;
    if (good) {
        *slash = '\0';
        strcpy(folder, real);
    }
    free(real);
    return good;
}

int ws_find_bridge(const char *file, char path[WS_PATH_SIZE])
{
    const char *named = getenv("WEIGHTSCAPE_BRIDGE");
    if (named && *named)
        return try_folder(named, "", file, path);
    static const char *const places[] = {"/weightscape", "/../lib/weightscape",
                                         "/../" WEIGHTSCAPE_LIBDIR "/weightscape"};
    char folder[WS_PATH_SIZE];
    if (own_folder(folder))
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
            if (try_folder(folder, places[i], file, path))
                return 1;
    return try_folder(WEIGHTSCAPE_BRIDGE_FOLDER, "", file, path);
}
