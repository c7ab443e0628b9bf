/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_DOCTOR_SCRIPT_H
#define APP_DOCTOR_SCRIPT_H

/* Starts a Catalyst script, with the channels of `net` (a line or a file) on 28 x 28 images, in a process of
 * its own, and prints one line about it. Returns 0 if it can be used. */
int doctor_try_script(const char *script, const char *net);

#endif
