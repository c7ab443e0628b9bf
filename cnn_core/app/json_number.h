/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_JSON_NUMBER_H
#define APP_JSON_NUMBER_H

#include <jansson.h>

/* A number, or null for NaN and infinity, which JSON does not have. */
static inline json_t *json_number(double value)
{
    json_t *number = json_real(value);
    return number ? number : json_null();
}

#endif
