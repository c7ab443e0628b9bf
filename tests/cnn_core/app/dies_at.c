/* SPDX-License-Identifier: BSD-3-Clause */
/* Preloaded into a program, it kills it as nothing can be caught: before the call number DIES_AT, from 1,
 * that changes the names or the length of a file, counted from when the file DIES_FROM is there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void pass_by(void)
{
    static int calls;
    const char *from = getenv("DIES_FROM"), *at = getenv("DIES_AT");
    if (from && at && access(from, F_OK) == 0 && ++calls == atoi(at))
        kill(getpid(), SIGKILL);
}

static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

int rename(const char *from, const char *to)
{
    pass_by();
    return ((int (*)(const char *, const char *))next("rename"))(from, to);
}

int link(const char *from, const char *to)
{
    pass_by();
    return ((int (*)(const char *, const char *))next("link"))(from, to);
}

int unlink(const char *name)
{
    pass_by();
    return ((int (*)(const char *))next("unlink"))(name);
}

int ftruncate(int fd, off_t length)
{
    pass_by();
    return ((int (*)(int, off_t))next("ftruncate"))(fd, length);
}
