/* SPDX-License-Identifier: BSD-3-Clause */
/* What this library and its helper program say to each other, as JSON. */
#ifndef WEIGHTSCAPE_REQUEST_H
#define WEIGHTSCAPE_REQUEST_H

#include "row_layout.h"
#include "script.h"
#include <jansson.h>

/* A script as JSON, NULL if a text of it is no UTF-8; and back, owned by the caller (ws_script_free).
 * WS_BAD_ARGUMENT if it is none. */
json_t *ws_request_script(const ws_script *script);
int ws_request_read_script(const json_t *json, ws_script *out);

/* Names and kinds of layers as JSON; and back, as the layout of their rows (ws_row_layout_free).
 * WS_BAD_ARGUMENT, WS_NO_MEMORY. */
json_t *ws_request_layers(const ws_layers *layers);
int ws_request_read_layout(const json_t *list, ws_row_layout *out);

/* A schedule as a list of rules, and back; what is no rule is left out. */
json_t *ws_request_schedule(const ws_schedule *schedule);
void ws_request_rules(const json_t *list, ws_schedule *out);

#endif
