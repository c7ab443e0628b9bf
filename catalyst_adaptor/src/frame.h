/* SPDX-License-Identifier: BSD-3-Clause */
/* What is shown of one step: one flat block of memory, which can be handed over, written to a file or shared.
 *
 *     ws_frame_header    64-byte multiple
 *     ws_frame_array     one per array
 *     values             each array at a multiple of 64 bytes, in the order of the directory
 *
 * Arrays of a convolution L: L/weight, L/gradient (only if the host has one), L/initial, float32 [K,C,R,S] as
 * in the host's memory but dense; L/weight_range, float64 [1]. Native byte order. Whoever reads one from
 * elsewhere calls ws_frame_check first. */
#ifndef WEIGHTSCAPE_FRAME_H
#define WEIGHTSCAPE_FRAME_H

#include "layer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WS_FRAME_MAGIC     "WSFRAME"
#define WS_FRAME_VERSION   1
#define WS_FRAME_ALIGNMENT 64
#define WS_FRAME_RANK      4
#define WS_FRAME_NAME_SIZE 48

typedef enum ws_frame_type { WS_FLOAT32 = 1, WS_FLOAT64 = 2 } ws_frame_type;

/* The numbers of one step; NaN where there is no value. */
typedef struct ws_scalars {
    double epoch, time_s, loss, accuracy, learning_rate, validation_loss, validation_accuracy;
} ws_scalars;

typedef struct ws_frame_header {
    char magic[8];
    uint32_t version;
    uint32_t array_count;
    uint64_t bytes; /* of the whole block */
    uint64_t step;
    uint64_t generation; /* rises when the shape of any layer changes */
    ws_scalars scalars;
    char reserved[32]; /* zero */
} ws_frame_header;

typedef struct ws_frame_array {
    char name[WS_FRAME_NAME_SIZE]; /* ends with NUL */
    uint32_t type;                 /* ws_frame_type */
    uint32_t rank;                 /* 1..4 */
    int64_t shape[WS_FRAME_RANK];  /* each >= 1; 1 beyond the rank */
    uint64_t offset;               /* of the values, from the start of the block */
    uint64_t bytes;
} ws_frame_array;

/* A block and the memory that it lives in, kept from step to step. Zero-initialise; free with ws_frame_free.
 */
typedef struct ws_frame {
    void *memory;
    size_t capacity;
} ws_frame;

static inline const ws_frame_header *ws_frame_head(const void *block)
{
    return (const ws_frame_header *)block;
}

/* Writes the frame of `step`: the arrays of those convolutions whose `wanted` (one per layer) is not 0. */
int ws_frame_fill(ws_frame *frame, const ws_layers *layers, const uint8_t *wanted, uint64_t step,
                  uint64_t generation, const ws_scalars *scalars);
void ws_frame_free(ws_frame *frame);

/* WS_BAD_FILE unless these bytes are a frame in which every array lies where the directory says, without
 * overlap. */
int ws_frame_check(const void *block, size_t bytes);

/* Directory entry of a checked frame, NULL if there is no array of that name. */
const ws_frame_array *ws_frame_find(const void *block, const char *name);

static inline const void *ws_frame_values(const void *block, const ws_frame_array *array)
{
    return (const char *)block + array->offset;
}

#ifdef __cplusplus
}
#endif
#endif
