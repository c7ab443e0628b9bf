/* SPDX-License-Identifier: BSD-3-Clause */
/* The reading side of frames: all that the bridge needs of them. */
#include "frame.h"
#include "status.h"
#include <stdio.h>
#include <string.h>

static int check_array(const ws_frame *frame, uint32_t index)
{
    const ws_frame_array *array = &frame->arrays[index];
    uint64_t bytes = 4;
    int good = memchr(array->name, '\0', sizeof array->name) != NULL &&
               (array->type == WS_FLOAT32 || array->type == WS_INT32) && array->rank <= 4;
    for (int i = 0; good && i < 4; i++) {
        good = array->shape[i] >= 0 &&
               (array->shape[i] == 0 || bytes <= frame->size / (uint64_t)array->shape[i]);
        bytes *= (uint64_t)array->shape[i];
    }
    good = good && array->bytes == bytes && array->offset % WS_FRAME_ALIGNMENT == 0 &&
           array->offset <= frame->size && bytes <= frame->size - array->offset;
    return good ? WS_OK
                : ws_fail(WS_BAD_FILE, "frame: array %u does not fit in %llu bytes", index,
                          (unsigned long long)frame->size);
}

int ws_frame_check(const void *block, size_t size)
{
    const ws_frame *frame = block;
    if (size < sizeof *frame || memcmp(frame->magic, WS_FRAME_MAGIC, sizeof frame->magic))
        return ws_fail(WS_BAD_FILE, "frame: %zu bytes that do not begin as a frame", size);
    if (frame->version != WS_FRAME_VERSION)
        return ws_fail(WS_BAD_FILE, "frame: version %u, this library reads %d", frame->version,
                       WS_FRAME_VERSION);
    if (frame->size != size || frame->array_count > (size - sizeof *frame) / sizeof *frame->arrays)
        return ws_fail(WS_BAD_FILE, "frame: says %llu bytes and %u arrays, is %zu bytes",
                       (unsigned long long)frame->size, frame->array_count, size);
    for (uint32_t i = 0; i < frame->array_count; i++) {
        const int status = check_array(frame, i);
        if (status)
            return status;
    }
    return WS_OK;
}

const ws_frame_array *ws_frame_find(const ws_frame *frame, const char *layer, const char *array)
{
    char name[WS_FRAME_NAME_SIZE];
    snprintf(name, sizeof name, "%s.%s", layer, array);
    for (uint32_t i = 0; i < frame->array_count; i++)
        if (!strcmp(frame->arrays[i].name, name))
            return &frame->arrays[i];
    return NULL;
}
