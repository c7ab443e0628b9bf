/* SPDX-License-Identifier: BSD-3-Clause */
#include "counts_allocations.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* glibc's own names of what is replaced here. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t boundary, size_t size);

static atomic_long calls;

long counted_allocations(void)
{
    return calls;
}

void *malloc(size_t size)
{
    calls++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    calls++;
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    calls++;
    return __libc_realloc(block, size);
}

void *aligned_alloc(size_t boundary, size_t size)
{
    calls++;
    return __libc_memalign(boundary, size);
}

int posix_memalign(void **block, size_t boundary, size_t size)
{
    calls++;
    void *got = __libc_memalign(boundary, size);
    if (!got)
        return ENOMEM;
    *block = got;
    return 0;
}

/* Of the process that was preloaded, not of its children. */
static __attribute__((destructor)) void write_down(void)
{
    const char *name = getenv("ALLOCATIONS_FILE");
    const int file = name ? open(name, O_WRONLY | O_CREAT | O_EXCL, 0600) : -1;
    if (file >= 0) {
        dprintf(file, "%ld\n", counted_allocations());
        close(file);
    }
}
