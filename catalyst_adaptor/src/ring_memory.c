/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* memfd_create, O_TMPFILE, F_OFD_SETLK */
#include "ring_memory.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define NAME "weightscape-ring"

/* Missing from the headers of Debian 12; the kernel knows it since 6.3 and may insist on it. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static const ws_ring_memory nothing = {.descriptor = -1, .life = -1};

static int memory_file(void)
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    const int descriptor = memfd_create(NAME, flags | MFD_NOEXEC_SEAL);
    return descriptor < 0 && errno == EINVAL ? memfd_create(NAME, flags) : descriptor;
}

static int nameless_file(const char *folder)
{
    const int descriptor = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return descriptor;
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/." NAME "-XXXXXX", folder) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    const int named = mkostemp(path, O_CLOEXEC);
    if (named >= 0)
        unlink(path);
    return named;
}

/* Allocates the parts of a file of this size: 0, or the number of an error. */
static int allocate_parts(int descriptor, const ws_ring_part *parts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const int reason = posix_fallocate(descriptor, (off_t)parts[i].at, (off_t)parts[i].bytes);
        if (reason)
            return reason;
    }
    return 0;
}

/* 0, or the number of an error. */
static int allocate(int descriptor, size_t bytes, const ws_ring_part *parts, uint32_t count)
{
    struct rlimit limit;
    sigset_t all, before;
    /* A file beyond the limit would bring SIGXFSZ, which ends the host. */
    if (bytes > INT64_MAX || (getrlimit(RLIMIT_FSIZE, &limit) == 0 && bytes > limit.rlim_cur))
        return EFBIG;
    /* A signal undoes an allocation: a host's timer could keep it from ever succeeding. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int reason =
        ftruncate(descriptor, (off_t)bytes) != 0 ? errno : allocate_parts(descriptor, parts, count);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return reason;
}

/* A second open file description of the same file. */
static int reopened(int descriptor)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    return open(path, O_RDWR | O_CLOEXEC);
}

/* Pages that are there are mapped before they are needed: the writer shall not fault while it trains. Where
 * the kernel cannot do that, it will. */
static void populate(const ws_ring_memory *memory, const ws_ring_part *parts, uint32_t count)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (uint32_t i = 0; i < count; i++) {
        const size_t from = parts[i].at / page * page, end = parts[i].at + parts[i].bytes;
        madvise(memory->at + from, end - from, MADV_POPULATE_WRITE);
    }
}

static int open_made(size_t bytes, const ws_ring_part *parts, uint32_t count, const char *folder,
                     ws_ring_memory *made)
{
    made->descriptor = folder ? nameless_file(folder) : memory_file();
    if (made->descriptor < 0)
        return -1;
    errno = allocate(made->descriptor, bytes, parts, count);
    if (errno)
        return -1;
    /* Nobody can cut the memory under those who have mapped it; a file in a folder knows no seals. */
    if (!folder && fcntl(made->descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return -1;
    made->life = reopened(made->descriptor);
    if (made->life < 0)
        return -1;
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, made->descriptor, 0);
    if (at == MAP_FAILED)
        return -1;
    made->at = at;
    made->bytes = bytes;
    populate(made, parts, count);
    return 0;
}

int ws_ring_memory_make(size_t bytes, const char *folder, ws_ring_memory *out)
{
    return ws_ring_memory_make_parts(bytes, &(ws_ring_part){0, bytes}, 1, folder, out);
}

int ws_ring_memory_complete(ws_ring_memory *memory)
{
    const ws_ring_part all = {0, memory->bytes};
    const int reason = allocate(memory->descriptor, memory->bytes, &all, 1);
    if (reason)
        return ws_fail(WS_IO_FAILED, "shared memory: cannot have %zu bytes: %s", memory->bytes,
                       strerror(reason));
    populate(memory, &all, 1);
    return WS_OK;
}

int ws_ring_memory_make_parts(size_t bytes, const ws_ring_part *parts, uint32_t count, const char *folder,
                              ws_ring_memory *out)
{
    ws_ring_memory made = nothing;
    made.is_file = folder != NULL;
    if (open_made(bytes, parts, count, folder, &made) != 0) {
        const int reason = errno;
        ws_ring_memory_close(&made);
        return ws_fail(WS_IO_FAILED, "%s: cannot have %zu bytes: %s", folder ? folder : "shared memory",
                       bytes, strerror(reason));
    }
    *out = made;
    return WS_OK;
}

int ws_ring_memory_map(int descriptor, size_t bytes, ws_ring_memory *out)
{
    ws_ring_memory mapped = nothing;
    /* The mapping keeps the description it was made from, which must not be the one with the locks. */
    const int other = reopened(descriptor);
    mapped.life = reopened(descriptor);
    void *at = MAP_FAILED;
    if (other >= 0 && mapped.life >= 0)
        at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
    const int reason = errno;
    if (other >= 0)
        close(other);
    if (at == MAP_FAILED) {
        ws_ring_memory_close(&mapped);
        return ws_fail(WS_IO_FAILED, "descriptor %d: cannot map %zu bytes: %s", descriptor, bytes,
                       strerror(reason));
    }
    mapped.at = at;
    mapped.bytes = bytes;
    *out = mapped;
    return WS_OK;
}

int ws_ring_memory_join(const ws_ring_memory *of, ws_ring_memory *out)
{
    ws_ring_memory joined = nothing;
    joined.at = of->at;
    joined.life = reopened(of->descriptor);
    if (joined.life < 0)
        return ws_fail(WS_IO_FAILED, "descriptor %d: cannot open it again: %s", of->descriptor,
                       strerror(errno));
    *out = joined;
    return WS_OK;
}

void ws_ring_memory_close(ws_ring_memory *memory)
{
    if (memory->life >= 0)
        close(memory->life);
    if (memory->bytes)
        munmap(memory->at, memory->bytes);
    if (memory->descriptor >= 0)
        close(memory->descriptor);
    *memory = nothing;
}

static int lock(const ws_ring_memory *memory, int command, short kind, int byte, struct flock *about)
{
    *about = (struct flock){.l_type = kind, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(memory->life, command, about);
}

int ws_ring_memory_hold(const ws_ring_memory *memory, int byte)
{
    struct flock about;
    if (lock(memory, F_OFD_SETLK, F_WRLCK, byte, &about) == 0)
        return 1;
    if (errno == EAGAIN || errno == EACCES)
        return 0;
    return ws_fail(WS_IO_FAILED, "shared memory: cannot lock byte %d: %s", byte, strerror(errno));
}

void ws_ring_memory_drop(const ws_ring_memory *memory, int byte)
{
    struct flock about;
    lock(memory, F_OFD_SETLK, F_UNLCK, byte, &about);
}

int ws_ring_memory_is_held(const ws_ring_memory *memory, int byte)
{
    struct flock about;
    return lock(memory, F_OFD_GETLK, F_WRLCK, byte, &about) != 0 || about.l_type != F_UNLCK;
}
