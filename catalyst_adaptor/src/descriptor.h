/* SPDX-License-Identifier: BSD-3-Clause */
/* fsync and ftruncate as they are, but that no signal interrupts them: 0, or -1 with errno. */
#ifndef WEIGHTSCAPE_DESCRIPTOR_H
#define WEIGHTSCAPE_DESCRIPTOR_H

#include <sys/types.h>

int ws_descriptor_sync(int descriptor);
int ws_descriptor_cut(int descriptor, off_t length);

#endif
