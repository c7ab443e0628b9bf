/* SPDX-License-Identifier: BSD-3-Clause */
/* The note in a run's folder that tells viewers where the ring of the training is: a process and one of its
 * descriptors. Only the same user can open it. */
#ifndef WEIGHTSCAPE_VIEWERS_H
#define WEIGHTSCAPE_VIEWERS_H

#include "ring.h"

/* Writes the note aside and renames it. WS_IO_FAILED. */
int ws_viewers_tell(const char *path, int descriptor, const uint8_t id[WS_RING_ID_SIZE]);

/* Opens the ring that a note tells of; *descriptor is to be closed. 1: it is there; 0: no note, or the
 * training that wrote it has ended; WS_BAD_FILE, WS_IO_FAILED (another user's training). */
int ws_viewers_open(const char *path, int *descriptor, uint8_t id[WS_RING_ID_SIZE]);

#endif
