/* SPDX-License-Identifier: BSD-3-Clause */
/* Preloaded into a program, it makes a disk fail. Calls on paths that match the pattern BAD_DISK_PATH are
 * counted, or those calls only that BAD_DISK_ONLY names; from number BAD_DISK_AT on, from 1, BAD_DISK_MOST of
 * them (1 unless given) go wrong as BAD_DISK_HOW says: an error by its name; `short`, half of the bytes are
 * taken; `kill`, the process dies before the call; `torn`, it dies in the midst of it. Each counted call is a
 * line of the file BAD_DISK_LOG, if that is given. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { GOES_WELL, FAILS, IS_SHORT, IS_TORN };

static atomic_long calls;

static long number_of(const char *name, long fallback)
{
    const char *text = getenv(name);
    return text ? atol(text) : fallback;
}

static int error_of(const char *how)
{
    static const struct {
        const char *name;
        int error;
    } errors[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EINTR", EINTR}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS}};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (!strcmp(how, errors[i].name))
            return errors[i].error;
    return 0;
}

static void write_down(const char *call, const char *path)
{
    char line[PATH_MAX + 64];
    const char *log = getenv("BAD_DISK_LOG");
    if (!log)
        return;
    const int length = snprintf(line, sizeof line, "%s %s\n", call, path);
    const int fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || syscall(SYS_write, fd, line, length) != length)
        _exit(99);
    syscall(SYS_close, fd);
}

/* Whether a list of words, which begins and ends with a blank, has this one; no list has all. */
static int is_named(const char *list, const char *word)
{
    char wanted[32];
    snprintf(wanted, sizeof wanted, " %s ", word);
    return !list || strstr(list, wanted);
}

/* What is to happen to this call. */
static int fate_of(const char *call, const char *path)
{
    const char *pattern = getenv("BAD_DISK_PATH"), *how = getenv("BAD_DISK_HOW");
    if (!pattern || !path || fnmatch(pattern, path, 0) || !is_named(getenv("BAD_DISK_ONLY"), call))
        return GOES_WELL;
    write_down(call, path);
    const long number = atomic_fetch_add(&calls, 1) + 1, at = number_of("BAD_DISK_AT", 0);
    if (!how || !at || number < at || number - at >= number_of("BAD_DISK_MOST", 1))
        return GOES_WELL;
    if (!strcmp(how, "kill"))
        kill(getpid(), SIGKILL);
    if (!strcmp(how, "short"))
        return IS_SHORT;
    if (!strcmp(how, "torn"))
        return IS_TORN;
    errno = error_of(how);
    if (!errno)
        _exit(99);
    return FAILS;
}

static int fate_of_file(const char *call, int fd)
{
    char name[32], path[PATH_MAX];
    const int reason = errno;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(name, path, sizeof path - 1);
    errno = reason;
    path[length > 0 ? length : 0] = '\0';
    return fate_of(call, path);
}

/* ---- what takes or gives bytes ---- */

static size_t some_of(size_t size)
{
    return size > 1 ? size / 2 : size;
}

/* How many bytes a call of this fate is about. */
static size_t bytes_of(int fate, size_t size)
{
    return fate == GOES_WELL ? size : some_of(size);
}

static ssize_t after(int fate, ssize_t result)
{
    if (fate == IS_TORN)
        kill(getpid(), SIGKILL);
    return result;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    const int fate = fate_of_file("write", fd);
    return fate == FAILS ? -1 : after(fate, syscall(SYS_write, fd, bytes, bytes_of(fate, size)));
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    const int fate = fate_of_file("pwrite", fd);
    return fate == FAILS ? -1 : after(fate, syscall(SYS_pwrite64, fd, bytes, bytes_of(fate, size), at));
}

ssize_t read(int fd, void *bytes, size_t size)
{
    const int fate = fate_of_file("read", fd);
    return fate == FAILS ? -1 : after(fate, syscall(SYS_read, fd, bytes, bytes_of(fate, size)));
}

ssize_t pread(int fd, void *bytes, size_t size, off_t at)
{
    const int fate = fate_of_file("pread", fd);
    return fate == FAILS ? -1 : after(fate, syscall(SYS_pread64, fd, bytes, bytes_of(fate, size), at));
}

/* ---- what is done, or not ---- */

static int is_to_fail(const char *call, const char *path)
{
    return fate_of(call, path) == FAILS;
}

int fsync(int fd)
{
    /* What is about processes that die needs no disk. */
    return fate_of_file("fsync", fd) == FAILS ? -1 : 0;
}

int ftruncate(int fd, off_t length)
{
    return fate_of_file("ftruncate", fd) == FAILS ? -1 : (int)syscall(SYS_ftruncate, fd, length);
}

int truncate(const char *path, off_t length)
{
    return is_to_fail("truncate", path) ? -1 : (int)syscall(SYS_truncate, path, length);
}

int close(int fd)
{
    /* Linux closes it in any case. */
    const int fails = fate_of_file("close", fd) == FAILS, reason = errno;
    const int result = (int)syscall(SYS_close, fd);
    if (fails)
        errno = reason;
    return fails ? -1 : result;
}

int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return is_to_fail("open", path) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* What Python and C++ call. */
int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int rename(const char *from, const char *to)
{
    return is_to_fail("rename", to) ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int link(const char *from, const char *to)
{
    return is_to_fail("link", to) ? -1 : (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
    return is_to_fail("unlink", path) ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int mkdir(const char *path, mode_t mode)
{
    return is_to_fail("mkdir", path) ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

FILE *fopen(const char *path, const char *how)
{
    FILE *(*const next)(const char *, const char *) =
        (FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, "fopen");
    return is_to_fail("fopen", path) ? NULL : next(path, how);
}

DIR *opendir(const char *path)
{
    DIR *(*const next)(const char *) = (DIR * (*)(const char *)) dlsym(RTLD_NEXT, "opendir");
    return is_to_fail("opendir", path) ? NULL : next(path);
}
