/* SPDX-License-Identifier: BSD-3-Clause */
/* What is shown of one step: one flat block of memory, which can be handed over, written to a file or shared.
 *
 *     ws_frame_header    64-byte multiple
 *     ws_frame_array     one per array
 *     values             each array at a multiple of 64 bytes, in the order of the directory
 *
 * Arrays of a convolution L, as in the host's memory but dense, and those of them that are wanted and there:
 *
 *     L/weight, L/gradient           float32 [K,C,R,S]
 *     L/weight_range                 float64 [1]
 *     L/source                       int32   [K]       whatever is wanted of L
 *     L/group                        int32   [K]       whatever is wanted of L
 *     L/activation                   float32 [N,K,P,Q]
 *     L/pearson, L/pearson_weights   float64 [K,K]
 *     L/dead                         int32   [K]
 *
 * and, of a host that tells of its ranks, a row for each, whose columns are in rank_rows.h:
 *
 *     ranks                          float64 [ranks,9]
 *
 * A base, of which there is one for all frames of a generation, holds the weights of every convolution, and
 * what does not change from step to step:
 *
 *     L/initial                      float32 [K,C,R,S]
 *     L/source_channel               int32   [C]       as in ws_layer, as what follows
 *     L/whole                        int32   [2]
 *     L/merged                       float64 [G,3]
 *     L/merged_weight                float32 [G,C0,R,S]
 *     L/offers                       int32   [4]       N, P, Q of the activations (0 if there are none), and
 *                                                      whether there are correlations
 *
 * A frame may be its own base. Version 1 knew no int32; it is read as well. Native byte order. Whoever reads
 * one from elsewhere calls ws_frame_check first. */
#ifndef WEIGHTSCAPE_FRAME_H
#define WEIGHTSCAPE_FRAME_H

#include "layer.h"
#include "rank_rows.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WS_FRAME_MAGIC     "WSFRAME"
#define WS_FRAME_VERSION   2
#define WS_FRAME_OLDEST    1 /* that is read */
#define WS_FRAME_ALIGNMENT 64
#define WS_FRAME_RANK      4
#define WS_FRAME_NAME_SIZE 48

typedef enum ws_frame_type { WS_FLOAT32 = 1, WS_FLOAT64 = 2, WS_INT32 = 3 } ws_frame_type;

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

/* What is to be written. */
typedef struct ws_frame_plan {
    const ws_layers *layers;
    const uint8_t *wanted; /* per layer: bits of ws_wants; only convolutions */
    int is_base;           /* what a base holds, too */
    uint64_t step, generation;
    const ws_scalars *scalars;
    const ws_rank_rows *ranks; /* NULL, or none of them: the host does not tell */
} ws_frame_plan;

/* Bytes that a frame of this plan takes at most, with arrays that the host may hand over later. */
size_t ws_frame_most_bytes(const ws_frame_plan *plan);

/* Writes a frame into memory of ws_frame_most_bytes, aligned to WS_FRAME_ALIGNMENT: one copy of the host's
 * arrays. */
void ws_frame_write(void *memory, const ws_frame_plan *plan);

/* The same into memory that grows with it. WS_NO_MEMORY: *frame is as before. */
int ws_frame_fill(ws_frame *frame, const ws_frame_plan *plan);
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
