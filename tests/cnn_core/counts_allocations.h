/* SPDX-License-Identifier: BSD-3-Clause */
/* How often a program asks for memory: of one that is linked with this library, or into which it is
 * preloaded. In the second case the number is written to the file ALLOCATIONS_FILE when the program ends. */
#ifndef COUNTS_ALLOCATIONS_H
#define COUNTS_ALLOCATIONS_H

/* Calls of malloc and its kin so far, by all threads. */
long counted_allocations(void);

#endif
