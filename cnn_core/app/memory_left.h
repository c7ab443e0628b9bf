/* SPDX-License-Identifier: BSD-3-Clause */
/* How much memory this process can still have before the system ends one. */
#ifndef APP_MEMORY_LEFT_H
#define APP_MEMORY_LEFT_H

/* Bytes: what the machine has available, or, if it is less, what is left of this process's control group;
 * infinite where the system does not tell. */
double memory_left(void);

#endif
