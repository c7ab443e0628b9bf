/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* memfd_create */
#include "fuzz.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const char *fuzz_file(int number, const uint8_t *data, size_t size)
{
    static int descriptors[FUZZ_FILES];
    static char paths[FUZZ_FILES][32];
    if (!descriptors[number]) {
        descriptors[number] = memfd_create("fuzz", MFD_CLOEXEC);
        snprintf(paths[number], sizeof paths[number], "/proc/self/fd/%d", descriptors[number]);
    }
    const int fd = descriptors[number];
    fuzz_require(fd > 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size,
                 "a file in memory can be written");
    return paths[number];
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    fuzz_require(text != NULL, "there is memory for the input");
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

void fuzz_take(const uint8_t **data, size_t *size, void *to, size_t count)
{
    const size_t there = count < *size ? count : *size;
    memset(to, 0, count);
    if (there)
        memcpy(to, *data, there);
    *data += there;
    *size -= there;
}

void fuzz_require(int holds, const char *what)
{
    if (holds)
        return;
    dprintf(STDERR_FILENO, "fuzz: it does not hold that %s\n", what);
    abort();
}

void fuzz_require_line(const char *message, const char *begin)
{
    int is_line = *message != '\0' && !strncmp(message, begin, strlen(begin));
    for (const char *c = message; *c; c++)
        is_line = is_line && (unsigned char)*c >= ' ' && *c != 0x7f;
    if (!is_line)
        dprintf(STDERR_FILENO, "fuzz: message \"%s\" where \"%s...\" is expected\n", message, begin);
    fuzz_require(is_line, "a message is one line that names the thing");
}

void fuzz_hush(void)
{
    /* The descriptors stay as they are: sanitizers and the fuzzer write to them. */
    static FILE *nobody;
    if (nobody)
        return;
    nobody = fopen("/dev/null", "we");
    fuzz_require(nobody != NULL, "/dev/null can be written");
    stdout = stderr = nobody;
}
