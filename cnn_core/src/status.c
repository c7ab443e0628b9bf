/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/status.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Room for two of the longest paths and what is said of them. */
enum { MESSAGE_SIZE = 2 * 4096 + 1024 };

static _Thread_local char message[MESSAGE_SIZE];

const char *cnn_status_text(int status)
{
    switch (status) {
#define CNN_STATUS_ROW(code, number, text)                                                                   \
    case number:                                                                                             \
        return text;
        CNN_STATUS_LIST(CNN_STATUS_ROW)
#undef CNN_STATUS_ROW
    default:
        return "unknown status";
    }
}

const char *cnn_message(void)
{
    return message;
}

int cnn_fail(int status, const char *format, ...)
{
    /* The arguments may point into the old message. */
    char text[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);

    cnn_one_line(text);
    memcpy(message, text, strlen(text) + 1);
    return status;
}

void cnn_one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}
