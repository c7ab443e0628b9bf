/* SPDX-License-Identifier: BSD-3-Clause */
#include "warnings_text.h"
#include <stdio.h>

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "not told";
}

void warnings_print(const json_t *warnings, const char *indent, const char *label, int width)
{
    size_t i;
    json_t *warning;
    json_array_foreach((json_t *)warnings, i, warning)
    {
        printf("%s%-*s step %lld: %s: %s\n", indent, width, label,
               (long long)json_integer_value(json_object_get(warning, "step")), text_at(warning, "reason"),
               text_at(warning, "evidence"));
    }
}
