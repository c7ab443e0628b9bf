/* SPDX-License-Identifier: BSD-3-Clause */
/* What is shown at one step, as one flat block of memory: a header, a directory
 * of named arrays, their values. Flat, so that it can be handed over in the
 * process, stored, or put in shared memory, and be read without knowing which.
 */
#ifndef WS_FRAME_H
#define WS_FRAME_H

#include "layer.h"
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { WS_FRAME_VERSION = 1, WS_FRAME_NAME_SIZE = 48, WS_FRAME_ALIGNMENT = 64 };

#define WS_FRAME_MAGIC "WSFRAME" /* with its end, 8 bytes */

typedef enum ws_array_type { WS_FLOAT32 = 1, WS_INT32 = 2 } ws_array_type;

typedef struct ws_frame_array {
    char name[WS_FRAME_NAME_SIZE]; /* "conv1.weight" */
    uint32_t type;                 /* ws_array_type */
    uint32_t rank;
    int64_t shape[4]; /* row-major */
    uint64_t offset;  /* of the values, from the start of the frame; a multiple of
                         WS_FRAME_ALIGNMENT */
    uint64_t bytes;
} ws_frame_array;

typedef struct ws_frame {
    char magic[8]; /* WS_FRAME_MAGIC */
    uint32_t version;
    uint32_t array_count;
    uint64_t size; /* of the whole block */
    uint64_t step;
    uint64_t generation; /* rises whenever a shape changes */
    double epoch, loss, accuracy, learning_rate, validation_loss, validation_accuracy;
    ws_frame_array arrays[]; /* [array_count] */
} ws_frame;

/* A growing block that frames are built in, one after the other. */
typedef struct ws_frame_buffer {
    ws_frame *frame;
    size_t capacity;
} ws_frame_buffer;

/* Builds the frame of `step`: for each convolution whose bit is set in `wanted`
 * (bit i: i-th convolution, the last bit: all from the 63rd on) its arrays
 * L.weight, L.gradient, L.initial (float32 K,C,R,S) and L.group (int32 K).
 * `row` gives the scalars. WS_NO_MEMORY leaves the buffer as it was. */
int ws_frame_build(ws_frame_buffer *buffer, const ws_layer_state *layers, int layer_count, uint64_t wanted,
                   const ws_row *row, uint64_t step, uint64_t generation);
void ws_frame_buffer_free(ws_frame_buffer *buffer);

/* Whether convolution number `index` is wanted. */
static inline int ws_frame_wants(uint64_t wanted, int index)
{
    return (int)(wanted >> (index < 63 ? index : 63) & 1);
}

/* Checks a block of `size` bytes from elsewhere: magic, version, directory,
 * extents. WS_BAD_FILE names what is wrong. */
int ws_frame_check(const void *block, size_t size);

/* The array called LAYER.ARRAY, NULL if the frame does not hold it. */
const ws_frame_array *ws_frame_find(const ws_frame *frame, const char *layer, const char *array);
static inline const void *ws_frame_values(const ws_frame *frame, const ws_frame_array *array)
{
    return (const char *)frame + array->offset;
}

#ifdef __cplusplus
}
#endif
#endif
