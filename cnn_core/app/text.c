/* SPDX-License-Identifier: BSD-3-Clause */
#include "text.h"
#include "exit_status.h"
#include "tell.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail_without_memory(size_t size)
{
    tell_error("no memory for %zu bytes", size);
    exit(EXIT_FAILED);
}

void *memory_of(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        fail_without_memory(count * size);
    return memory;
}

char *text_format(const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        fail_without_memory(strlen(format));
    char *text = memory_of((size_t)length + 1, 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

char *text_copy(const char *text)
{
    return text_format("%s", text);
}

char *text_shell_word(const char *text)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./,:=+@%-";
    if (*text && strspn(text, safe) == strlen(text))
        return text_copy(text);
    char *word = memory_of(4 * strlen(text) + 3, 1), *at = word;
    *at++ = '\'';
    for (; *text; text++) {
        if (*text == '\'')
            at = stpcpy(at, "'\\''");
        else
            *at++ = *text;
    }
    *at = '\'';
    return word;
}

const char *text_of_size(double bytes, char out[TEXT_SIZE_SIZE])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;
    for (; bytes >= 1000 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        bytes /= 1000;
    snprintf(out, TEXT_SIZE_SIZE, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return out;
}

const char *text_of_share(double share, char out[TEXT_SHARE_SIZE])
{
    snprintf(out, TEXT_SHARE_SIZE, "%.*f %%", share < 0.0995 ? 1 : 0, 100 * share);
    return out;
}

const char *text_of_time(double seconds, char out[TEXT_TIME_SIZE])
{
    const unsigned long long whole = seconds > 0 ? (unsigned long long)(seconds + 0.5) : 0;
    if (whole < 60)
        snprintf(out, TEXT_TIME_SIZE, "%llu s", whole);
    else if (whole < 3600)
        snprintf(out, TEXT_TIME_SIZE, "%llu min %02llu s", whole / 60, whole % 60);
    else
        snprintf(out, TEXT_TIME_SIZE, "%llu h %02llu min", whole / 3600, whole / 60 % 60);
    return out;
}
