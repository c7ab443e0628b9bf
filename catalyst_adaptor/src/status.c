/* SPDX-License-Identifier: BSD-3-Clause */
#include "status.h"
#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE_SIZE = 8192 };

static _Thread_local char message[MESSAGE_SIZE];

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

const char *ws_message(void)
{
    return message;
}

const char *ws_version(void)
{
    return WEIGHTSCAPE_VERSION;
}

int ws_fail(int status, const char *format, ...)
{
    /* The arguments may point into the old message. */
    char text[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t i = 0;
    for (; text[i]; i++)
        message[i] = (unsigned char)text[i] < ' ' ? '?' : text[i];
    message[i] = '\0';
    return status;
}
