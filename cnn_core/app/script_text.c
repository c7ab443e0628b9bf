/* SPDX-License-Identifier: BSD-3-Clause */
#include "script_text.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

#define ENDING ".py"

size_t script_text_path_length(const char *text)
{
    const char *ending = strstr(text, ENDING ",");
    const size_t length = strlen(text);
    if (ending)
        return (size_t)(ending - text) + strlen(ENDING);
    const int is_script = length >= strlen(ENDING) && !strcmp(text + length - strlen(ENDING), ENDING);
    return is_script ? length : strcspn(text, ",");
}

char *script_text_absolute(const char *text)
{
    const size_t length = script_text_path_length(text);
    char *script = text_format("%.*s", (int)length, text), *absolute = realpath(script, NULL);
    char *result = absolute ? text_format("%s%s", absolute, text + length) : text_copy(text);
    free(script);
    free(absolute);
    return result;
}
