/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames and rows made smaller for a recording, without loss: bytes that are alike are put together, then
 * zstd. */
#ifndef WEIGHTSCAPE_PACKING_H
#define WEIGHTSCAPE_PACKING_H

#include "frame.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WS_PACKING_MOST ((uint64_t)1 << 31) /* bytes that may be packed at once */

/* Memory that packing needs, kept from call to call. One thread at a time. */
typedef struct ws_packer ws_packer;

/* WS_NO_MEMORY; *out is untouched. NULL may be freed. */
int ws_packer_create(ws_packer **out);
void ws_packer_free(ws_packer *packer);

/* Room that is enough for `bytes` bytes packed. */
size_t ws_packed_most(size_t bytes);

/* Packs a checked frame into `room` bytes at `to`. The gaps between its arrays become zeros. WS_NO_MEMORY. */
int ws_pack_frame(ws_packer *packer, const void *frame, void *to, size_t room, size_t *stored);

/* Packs `count` rows of `row_bytes` each. WS_NO_MEMORY. */
int ws_pack_rows(ws_packer *packer, const void *rows, size_t row_bytes, size_t count, void *to, size_t room,
                 size_t *stored);

/* Unpacks a frame of `bytes` bytes and checks it (ws_frame_check). WS_BAD_FILE says what is wrong, but not
 * where; WS_NO_MEMORY. Nothing larger than `bytes` is allocated. */
int ws_unpack_frame(ws_packer *packer, const void *from, size_t stored, size_t bytes, ws_frame *out);

/* Unpacks rows; *rows is borrowed until the packer's next call. Errors as ws_unpack_frame. */
int ws_unpack_rows(ws_packer *packer, const void *from, size_t stored, size_t row_bytes, size_t count,
                   const void **rows);

#ifdef __cplusplus
}
#endif
#endif
