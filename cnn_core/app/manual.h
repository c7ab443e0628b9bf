/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_MANUAL_H
#define APP_MANUAL_H

/* Prints the source of weightscape(1), from the tables of the commands, on standard output. */
void manual_print(void);

#endif
