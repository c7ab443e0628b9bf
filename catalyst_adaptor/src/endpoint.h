/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a ParaView listens. */
#ifndef WEIGHTSCAPE_ENDPOINT_H
#define WEIGHTSCAPE_ENDPOINT_H

#include "message.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WS_HOST_SIZE 256

typedef struct ws_endpoint {
    char host[WS_HOST_SIZE]; /* name or address, without brackets */
    uint16_t port;           /* 1..65535 */
} ws_endpoint;

/* Reads "HOST:PORT" or "[ADDRESS]:PORT". WS_BAD_ARGUMENT, the message names the text; *out is untouched. */
int ws_endpoint_parse(const char *text, ws_endpoint *out);

#ifdef __cplusplus
}
#endif
#endif
