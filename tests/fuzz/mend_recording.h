/* SPDX-License-Identifier: BSD-3-Clause */
/* Puts right checksums into a damaged recording, so that what they guard is read, too. */
#ifndef FUZZ_MEND_RECORDING_H
#define FUZZ_MEND_RECORDING_H

#include <stddef.h>
#include <stdint.h>

/* `size` bytes at `file`, any. */
void fuzz_mend_recording(uint8_t *file, size_t size);

#endif
