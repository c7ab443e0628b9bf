/* SPDX-License-Identifier: BSD-3-Clause */
/* Preloaded into a program, it lets the allocation number NO_MEMORY_AT fail, from 1, and with NO_MEMORY_LASTS
 * all after it. Those of libpopt are not counted, and do not fail: it does not look whether they have. With
 * NO_MEMORY_TRACE the callers of the one that fails are told on standard error, for addr2line. When the
 * program ends in order, the file NO_MEMORY_COUNT gets a number of 64 bits for each allocation, which tells
 * from where it was asked for: the same for the same chain of callers. */
#define _GNU_SOURCE
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* glibc's own, which need no look-up: that would allocate. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

enum { MOST_CALLS = 1 << 20, DEPTH = 12 };

static atomic_long calls;
static long at;
static int lasts;
static uint64_t *places; /* NULL: nobody wants to know */
static __thread int is_looking;
static uintptr_t popt_begin, popt_end;

static int find_popt(struct dl_phdr_info *library, size_t size, void *context)
{
    (void)size, (void)context;
    if (!strstr(library->dlpi_name, "libpopt."))
        return 0;
    for (int i = 0; i < library->dlpi_phnum; i++)
        if (library->dlpi_phdr[i].p_type == PT_LOAD && library->dlpi_phdr[i].p_flags & PF_X) {
            popt_begin = library->dlpi_addr + library->dlpi_phdr[i].p_vaddr;
            popt_end = popt_begin + library->dlpi_phdr[i].p_memsz;
        }
    return 1;
}

__attribute__((constructor)) static void begin(void)
{
    void *first[1];
    const char *text = getenv("NO_MEMORY_AT");
    at = text ? atol(text) : 0;
    lasts = getenv("NO_MEMORY_LASTS") != NULL;
    dl_iterate_phdr(find_popt, NULL);
    backtrace(first, 1); /* loads what it needs */
    if (getenv("NO_MEMORY_COUNT")) {
        places = mmap(NULL, MOST_CALLS * sizeof *places, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                      -1, 0);
        if (places == MAP_FAILED)
            _exit(99);
    }
    /* What came before main, of libraries, is no business of the program's. */
    atomic_store(&calls, 0);
}

__attribute__((destructor)) static void end(void)
{
    if (!places)
        return;
    const int fd = open(getenv("NO_MEMORY_COUNT"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const long count = atomic_load(&calls) < MOST_CALLS ? atomic_load(&calls) : MOST_CALLS;
    const size_t size = (size_t)count * sizeof *places;
    if (fd < 0 || write(fd, places, size) != (ssize_t)size || close(fd) != 0)
        _exit(99);
}

/* The addresses of a chain of callers as one number: libraries lie elsewhere each time, but it is compared
 * within one process only. */
static uint64_t place_of(void *const *callers, int depth)
{
    uint64_t place = 1469598103934665603u;
    for (int i = 0; i < depth; i++)
        place = (place ^ (uint64_t)(uintptr_t)callers[i]) * 1099511628211u;
    return place;
}

/* This file's own functions, one of libc, and then whoever asked. */
static int is_of_popt(void *const *callers, int depth)
{
    for (int i = 0; i < depth && i < 5; i++)
        if ((uintptr_t)callers[i] - popt_begin < popt_end - popt_begin)
            return 1;
    return 0;
}

static int is_to_fail(void)
{
    if (is_looking)
        return 0;
    void *callers[DEPTH];
    is_looking = 1;
    const int depth = backtrace(callers, DEPTH);
    is_looking = 0;
    if (is_of_popt(callers, depth))
        return 0;
    const long number = atomic_fetch_add(&calls, 1) + 1;
    if (places && number <= MOST_CALLS)
        places[number - 1] = place_of(callers, depth);
    if (!at || number < at || (number > at && !lasts))
        return 0;
    if (number == at && getenv("NO_MEMORY_TRACE"))
        backtrace_symbols_fd(callers, depth, STDERR_FILENO);
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return is_to_fail() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return is_to_fail() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return is_to_fail() ? NULL : __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return is_to_fail() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *memory = is_to_fail() ? NULL : __libc_memalign(alignment, size);
    if (!memory)
        return ENOMEM;
    *out = memory;
    return 0;
}
