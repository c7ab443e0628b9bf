/* SPDX-License-Identifier: BSD-3-Clause */
/* A frame as it comes out of a file or another process, and, as one, what a recording would make of it. */
#include "frame.h"
#include "fuzz.h"
#include "message.h"
#include "packing.h"
#include <stdlib.h>
#include <string.h>

/* Reads every value. */
static void read_arrays(const void *block)
{
    const ws_frame_array *arrays = (const ws_frame_array *)((const char *)block + sizeof(ws_frame_header));
    unsigned sum = 0;
    for (uint32_t i = 0; i < ws_frame_head(block)->array_count; i++) {
        const ws_frame_array *found = ws_frame_find(block, arrays[i].name);
        fuzz_require(found != NULL, "an array is found by its name");
        const unsigned char *values = ws_frame_values(block, found);
        for (uint64_t j = 0; j < found->bytes; j++)
            sum += values[j];
    }
    fuzz_require(sum + 1 != sum, "values can be read");
}

static void pack(const void *block, size_t size)
{
    static ws_packer *packer;
    if (!packer)
        fuzz_require(ws_packer_create(&packer) == WS_OK, "there is a packer");
    const size_t room = ws_packed_most(size);
    void *packed = malloc(room);
    size_t stored;
    ws_frame unpacked = {0};
    fuzz_require(ws_pack_frame(packer, block, packed, room, &stored) == WS_OK, "a sound frame can be packed");
    fuzz_require(ws_unpack_frame(packer, packed, stored, size, &unpacked) == WS_OK,
                 "what was packed unpacks");
    fuzz_require(ws_frame_head(unpacked.memory)->bytes == size, "a frame keeps its size");
    read_arrays(unpacked.memory);
    free(packed);
    ws_frame_free(&unpacked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t aligned = (size + WS_FRAME_ALIGNMENT) / WS_FRAME_ALIGNMENT * WS_FRAME_ALIGNMENT;
    char *memory = aligned_alloc(WS_FRAME_ALIGNMENT, aligned);
    /* At the end of the memory, so that a read beyond is seen, as far as alignment allows that. */
    char *block = memory + (aligned - size) / sizeof(uint64_t) * sizeof(uint64_t);
    if (size)
        memcpy(block, data, size);
    if (ws_frame_check(block, size)) {
        fuzz_require_line(ws_message(), "frame: ");
    } else {
        read_arrays(block);
        pack(block, size);
    }
    free(memory);
    return 0;
}
