/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/number.h"
#include "cnn/status.h"
#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t plain;

static void make_plain(void)
{
    plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* The locale "C", whose numbers have a dot; it needs no file, so that it always exists. */
static locale_t plain_locale(void)
{
    pthread_once(&once, make_plain);
    return plain;
}

static int out_of_limits(const char *name, const char *text, const char *kind, const char *low,
                         const char *high)
{
    return cnn_fail(CNN_BAD_ARGUMENT, "%s: \"%s\" is not a %s in %s..%s", name, text, kind, low, high);
}

/* The number that is the whole of `text`, NaN if there is none. */
static double read_real(const char *text)
{
    /* strtod alone would also take hexadecimals, "inf" and leading blanks. */
    if (!*text || strspn(text, "0123456789+-.eE") != strlen(text))
        return NAN;
    char *end;
    const locale_t before = uselocale(plain_locale());
    const double value = strtod(text, &end);
    uselocale(before);
    return *end ? NAN : value;
}

int cnn_parse_real(const char *name, const char *text, double low, double high, double *out)
{
    const double value = read_real(text);
    if (!isfinite(value) || value < low || value > high) {
        char low_text[CNN_NUMBER_SIZE], high_text[CNN_NUMBER_SIZE];
        return out_of_limits(name, text, "number", cnn_format_real(low, low_text),
                             cnn_format_real(high, high_text));
    }
    *out = value;
    return CNN_OK;
}

int cnn_parse_whole(const char *name, const char *text, uint64_t low, uint64_t high, uint64_t *out)
{
    uint64_t value = 0;
    int good = *text != '\0';
    for (const char *c = text; *c && good; c++) {
        const uint64_t digit = (uint64_t)(*c - '0');
        good = isdigit((unsigned char)*c) && value <= (UINT64_MAX - digit) / 10;
        value = value * 10 + digit;
    }
    if (!good || value < low || value > high) {
        char low_text[CNN_NUMBER_SIZE], high_text[CNN_NUMBER_SIZE];
        snprintf(low_text, sizeof low_text, "%llu", (unsigned long long)low);
        snprintf(high_text, sizeof high_text, "%llu", (unsigned long long)high);
        return out_of_limits(name, text, "whole number", low_text, high_text);
    }
    *out = value;
    return CNN_OK;
}

const char *cnn_format_real(double value, char buffer[CNN_NUMBER_SIZE])
{
    if (!isfinite(value)) {
        strcpy(buffer, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return buffer;
    }
    const locale_t before = uselocale(plain_locale());
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(buffer, CNN_NUMBER_SIZE, "%.*g", digits, value);
        if (strtod(buffer, NULL) == value)
            break;
    }
    uselocale(before);
    return buffer;
}
