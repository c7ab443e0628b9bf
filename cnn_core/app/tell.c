/* SPDX-License-Identifier: BSD-3-Clause */
#include "tell.h"
#include "cnn/status.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 3 * 4096 };

static const char *command_name;
static int live; /* the terminal's last line is one that will be rewritten */
static int is_silent, is_plain;
static char first_error[LINE_SIZE];

void tell_silently(void)
{
    is_silent = 1;
}

void tell_aloud(void)
{
    is_silent = 0;
}

const char *tell_first_error(void)
{
    return first_error;
}

void tell_as(const char *command)
{
    command_name = command;
}

void tell_plainly(void)
{
    is_plain = 1;
}

int tell_is_live(void)
{
    return !is_plain && isatty(STDOUT_FILENO);
}

/* Takes the rewritten line away, so that what follows starts on a clean one. */
static void end_live(void)
{
    if (live)
        fputs("\r\033[K", stdout);
    fflush(stdout);
    live = 0;
}

static void tell(const char *kind, const char *format, va_list arguments)
{
    char line[LINE_SIZE];
    vsnprintf(line, sizeof line, format, arguments);
    cnn_one_line(line);
    if (is_silent) {
        if (!*kind && !*first_error)
            memcpy(first_error, line, sizeof line);
        return;
    }
    end_live();
    fprintf(stderr, "weightscape%s%s: %s%s\n", command_name ? " " : "", command_name ? command_name : "",
            kind, line);
}

void tell_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell("", format, arguments);
    va_end(arguments);
}

void tell_warning(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell("note: ", format, arguments);
    va_end(arguments);
}

void tell_note(void *context, const char *line)
{
    (void)context;
    tell_warning("%s", line);
}

void tell_live(const char *line)
{
    if (is_silent)
        return;
    printf("\r%s\033[K", line);
    fflush(stdout);
    live = 1;
}

void tell_line(const char *line)
{
    if (is_silent)
        return;
    end_live();
    puts(line);
    fflush(stdout);
}
