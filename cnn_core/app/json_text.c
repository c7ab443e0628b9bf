/* SPDX-License-Identifier: BSD-3-Clause */
#include "json_text.h"
#include "cnn/number.h"
#include "text.h"

char *json_text(const json_t *value)
{
    char number[CNN_NUMBER_SIZE];
    if (json_is_string(value))
        return text_copy(json_string_value(value));
    if (json_is_integer(value))
        return text_format("%lld", (long long)json_integer_value(value));
    return json_is_real(value) ? text_copy(cnn_format_real(json_real_value(value), number)) : NULL;
}
