/* SPDX-License-Identifier: BSD-3-Clause */
/* The sidecar: the process that draws for a training, beside it and at idle priority. */
#ifndef WEIGHTSCAPE_SIDECAR_MAIN_H
#define WEIGHTSCAPE_SIDECAR_MAIN_H

#include <jansson.h>

#define SIDECAR_RING 3 /* the descriptor of the ring */

/* Draws until the training behind the ring has ended and all is drawn; or, if the request names a viewer,
 * shows it what is newest until the training has ended. What the request holds is written in
 * sidecar_request.c. Returns an exit status: 0, or 1 after a line on standard error. */
int sidecar_main(const json_t *request);

#endif
