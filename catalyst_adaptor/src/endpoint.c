/* SPDX-License-Identifier: BSD-3-Clause */
#include "endpoint.h"
#include <stdio.h>
#include <string.h>

#define MOST_DIGITS 5
#define MOST_PORT   65535

/* 1..65535, or 0 if it is none. */
static uint16_t read_port(const char *text)
{
    uint32_t port = 0;
    const size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > MOST_DIGITS || text[digits])
        return 0;
    for (size_t i = 0; i < digits; i++)
        port = 10 * port + (uint32_t)(text[i] - '0');
    return port <= MOST_PORT ? (uint16_t)port : 0;
}

/* What names and addresses are made of. */
static int is_host(const char *text, size_t length, int is_bracketed)
{
    static const char known[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    if (length == 0 || length >= WS_HOST_SIZE)
        return 0;
    return is_bracketed ? strspn(text, "0123456789abcdefABCDEF:.%") == length : strspn(text, known) == length;
}

int ws_endpoint_parse(const char *text, ws_endpoint *out)
{
    const char *colon = strrchr(text, ':');
    const int is_bracketed = colon && colon > text && text[0] == '[' && colon[-1] == ']';
    const char *host = text + is_bracketed;
    const size_t length = colon ? (size_t)(colon - host) - (size_t)is_bracketed : 0;
    const uint16_t port = colon ? read_port(colon + 1) : 0;
    if (!colon || !is_host(host, length, is_bracketed) || !port)
        return ws_fail(WS_BAD_ARGUMENT, "\"%s\" is not HOST:PORT with a port from 1 to %d", text, MOST_PORT);
    snprintf(out->host, sizeof out->host, "%.*s", (int)length, host);
    out->port = port;
    return WS_OK;
}
