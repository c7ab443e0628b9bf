/* SPDX-License-Identifier: BSD-3-Clause */
#include "message.h"
#include <stdarg.h>
#include <stdio.h>

static _Thread_local char last_message[WS_MESSAGE_SIZE];

static void format_line(char line[WS_MESSAGE_SIZE], const char *format, va_list arguments)
{
    /* Another's message may be an argument of its successor, so the line is built beside it. */
    vsnprintf(line, WS_MESSAGE_SIZE, format, arguments);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

int ws_fail(int status, const char *format, ...)
{
    char line[WS_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    format_line(line, format, arguments);
    va_end(arguments);
    snprintf(last_message, sizeof last_message, "%s", line);
    return status;
}

const char *ws_message(void)
{
    return last_message;
}

const char *ws_status_text(int status)
{
    switch (status) {
#define WS_STATUS_ROW(code, number, text)                                                                    \
    case number:                                                                                             \
        return text;
        WS_STATUS_LIST(WS_STATUS_ROW)
#undef WS_STATUS_ROW
    default:
        return "unknown status";
    }
}

const char *ws_version(void)
{
    return WEIGHTSCAPE_VERSION;
}

static void standard_error(void *context, ws_log_level level, const char *line)
{
    static const char *const words[] = {"", "warning: ", "error: "};
    (void)context;
    fprintf(stderr, "weightscape: %s%s\n", words[level], line);
}

ws_log ws_log_of(const ws_options *options)
{
    return options->log ? (ws_log){options->log, options->log_context} : (ws_log){standard_error, NULL};
}

static void say_nothing(void *context, ws_log_level level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
}

ws_log ws_log_silent(void)
{
    return (ws_log){say_nothing, NULL};
}

void ws_tell(const ws_log *log, ws_log_level level, const char *format, ...)
{
    char line[WS_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    format_line(line, format, arguments);
    va_end(arguments);
    log->line(log->context, level, line);
}
