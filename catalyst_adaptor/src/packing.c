/* SPDX-License-Identifier: BSD-3-Clause */
#include "packing.h"
#include "message.h"
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

/* Measured on weights, gradients and rows of a real training: level 3 takes up to half as long again and
 * saves nothing. */
#define LEVEL 1
/* Shorter parts do not gain what the head of a block and a Huffman table of their own cost. */
#define SHORTEST_PART 256

typedef struct scratch {
    char *at;
    size_t capacity;
} scratch;

struct ws_packer {
    ZSTD_CCtx *compressor;
    ZSTD_DCtx *expander;
    scratch split, joined;
};

/* What zstd is fed with, part by part. */
typedef struct stream {
    ZSTD_CCtx *compressor;
    ZSTD_inBuffer in;
    ZSTD_outBuffer out;
    size_t begun; /* where the part that is not flushed begins */
    size_t problem;
} stream;

static int reserve(scratch *memory, size_t bytes)
{
    if (bytes <= memory->capacity)
        return WS_OK;
    const size_t whole = (bytes + WS_FRAME_ALIGNMENT - 1) / WS_FRAME_ALIGNMENT * WS_FRAME_ALIGNMENT;
    char *at = aligned_alloc(WS_FRAME_ALIGNMENT, whole);
    if (!at)
        return ws_fail(WS_NO_MEMORY, "no memory to pack %zu bytes", bytes);
    free(memory->at);
    memory->at = at;
    memory->capacity = whole;
    return WS_OK;
}

static int reserve_frame(ws_frame *frame, size_t bytes)
{
    scratch memory = {frame->memory, frame->capacity};
    const int status = reserve(&memory, bytes);
    if (status == WS_OK)
        *frame = (ws_frame){memory.at, memory.capacity};
    return status;
}

/* Constant distances, so that compilers make vector instructions of it. */
static void split_words(char *restrict to, const char *restrict from, size_t count)
{
    char *restrict second = to + count, *restrict third = to + 2 * count, *restrict fourth = to + 3 * count;
    for (size_t i = 0; i < count; i++) {
        to[i] = from[4 * i];
        second[i] = from[4 * i + 1];
        third[i] = from[4 * i + 2];
        fourth[i] = from[4 * i + 3];
    }
}

static void join_words(char *restrict to, const char *restrict from, size_t count)
{
    const char *second = from + count, *third = from + 2 * count, *fourth = from + 3 * count;
    for (size_t i = 0; i < count; i++) {
        to[4 * i] = from[i];
        to[4 * i + 1] = second[i];
        to[4 * i + 2] = third[i];
        to[4 * i + 3] = fourth[i];
    }
}

/* All first bytes, then all second bytes, ... of `count` elements. */
static void split(char *restrict to, const char *restrict from, size_t width, size_t count)
{
    if (width == sizeof(float)) {
        split_words(to, from, count);
        return;
    }
    for (size_t byte = 0; byte < width; byte++)
        for (size_t i = 0; i < count; i++)
            to[byte * count + i] = from[i * width + byte];
}

static void join(char *restrict to, const char *restrict from, size_t width, size_t count)
{
    if (width == sizeof(float)) {
        join_words(to, from, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t byte = 0; byte < width; byte++)
            to[i * width + byte] = from[byte * count + i];
}

static const ws_frame_array *arrays_of(const void *frame)
{
    return (const ws_frame_array *)((const char *)frame + sizeof(ws_frame_header));
}

static size_t width_of(const ws_frame_array *array)
{
    return array->type == WS_FLOAT64 ? sizeof(double) : sizeof(float);
}

static void feed_until(stream *feed, size_t end, ZSTD_EndDirective how)
{
    if (feed->problem)
        return;
    feed->in.size = end;
    feed->problem = ZSTD_compressStream2(feed->compressor, &feed->out, &feed->in, how);
    feed->begun = end;
}

/* Ends a part: what follows has another statistic, and gets a block with a Huffman table of its own. */
static void feed_part(stream *feed, size_t end)
{
    if (end - feed->begun >= SHORTEST_PART)
        feed_until(feed, end, ZSTD_e_flush);
}

static stream start_feed(ws_packer *packer, size_t bytes, void *to, size_t room)
{
    ZSTD_CCtx_reset(packer->compressor, ZSTD_reset_session_only);
    stream feed = {packer->compressor, {packer->split.at, 0, 0}, {to, room, 0}, 0, 0};
    feed.problem = ZSTD_CCtx_setPledgedSrcSize(packer->compressor, bytes);
    return feed;
}

static int end_feed(stream *feed, size_t bytes, size_t *stored)
{
    feed_until(feed, bytes, ZSTD_e_end);
    if (feed->problem)
        return ws_fail(WS_NO_MEMORY, "cannot pack %zu bytes: %s", bytes, ZSTD_getErrorName(feed->problem));
    *stored = feed->out.pos;
    return WS_OK;
}

static void split_frame(char *to, const void *frame)
{
    const ws_frame_header *head = ws_frame_head(frame);
    size_t end = sizeof *head + head->array_count * sizeof(ws_frame_array);
    memcpy(to, frame, end);
    for (uint32_t i = 0; i < head->array_count; i++) {
        const ws_frame_array *array = &arrays_of(frame)[i];
        const size_t width = width_of(array);
        memset(to + end, 0, array->offset - end);
        split(to + array->offset, ws_frame_values(frame, array), width, array->bytes / width);
        end = array->offset + array->bytes;
    }
    memset(to + end, 0, head->bytes - end);
}

static void feed_frame(stream *feed, const void *frame)
{
    for (uint32_t i = 0; i < ws_frame_head(frame)->array_count; i++) {
        const ws_frame_array *array = &arrays_of(frame)[i];
        const size_t width = width_of(array), plane = array->bytes / width;
        for (size_t byte = 0; byte <= width && plane >= SHORTEST_PART; byte++)
            feed_part(feed, array->offset + byte * plane);
    }
}

int ws_packer_create(ws_packer **out)
{
    ws_packer *packer = calloc(1, sizeof *packer);
    if (packer) {
        packer->compressor = ZSTD_createCCtx();
        packer->expander = ZSTD_createDCtx();
    }
    if (!packer || !packer->compressor || !packer->expander ||
        ZSTD_isError(ZSTD_CCtx_setParameter(packer->compressor, ZSTD_c_compressionLevel, LEVEL))) {
        ws_packer_free(packer);
        return ws_fail(WS_NO_MEMORY, "no memory to pack frames");
    }
    *out = packer;
    return WS_OK;
}

void ws_packer_free(ws_packer *packer)
{
    if (!packer)
        return;
    ZSTD_freeCCtx(packer->compressor);
    ZSTD_freeDCtx(packer->expander);
    free(packer->split.at);
    free(packer->joined.at);
    free(packer);
}

size_t ws_packed_most(size_t bytes)
{
    /* Each part may cost the head of a block. */
    return ZSTD_compressBound(bytes) + bytes / SHORTEST_PART * 4;
}

int ws_pack_frame(ws_packer *packer, const void *frame, void *to, size_t room, size_t *stored)
{
    const size_t bytes = ws_frame_head(frame)->bytes;
    const int status = reserve(&packer->split, bytes);
    if (status)
        return status;
    split_frame(packer->split.at, frame);
    stream feed = start_feed(packer, bytes, to, room);
    feed_frame(&feed, frame);
    return end_feed(&feed, bytes, stored);
}

/* A row's fields change little from row to row: the whole row is the element whose bytes are split. */
int ws_pack_rows(ws_packer *packer, const void *rows, size_t row_bytes, size_t count, void *to, size_t room,
                 size_t *stored)
{
    const size_t bytes = row_bytes * count;
    const int status = reserve(&packer->split, bytes);
    if (status)
        return status;
    split(packer->split.at, rows, row_bytes, count);
    stream feed = start_feed(packer, bytes, to, room);
    return end_feed(&feed, bytes, stored);
}

/* What zstd says that it holds is checked before memory is taken for it. */
static int expand(ws_packer *packer, const void *from, size_t stored, size_t bytes)
{
    const unsigned long long holds = ZSTD_getFrameContentSize(from, stored);
    if (holds == ZSTD_CONTENTSIZE_ERROR || holds == ZSTD_CONTENTSIZE_UNKNOWN)
        return ws_fail(WS_BAD_FILE, "its packed bytes are not those of a zstd frame that tells its size");
    if (holds != bytes)
        return ws_fail(WS_BAD_FILE, "it has %llu bytes packed, its record says %zu", holds, bytes);
    const int status = reserve(&packer->split, bytes);
    if (status)
        return status;
    const size_t got = ZSTD_decompressDCtx(packer->expander, packer->split.at, bytes, from, stored);
    if (ZSTD_isError(got))
        return ws_fail(WS_BAD_FILE, "it cannot be unpacked: %s", ZSTD_getErrorName(got));
    if (got != bytes)
        return ws_fail(WS_BAD_FILE, "it has %zu bytes unpacked, its record says %zu", got, bytes);
    return WS_OK;
}

int ws_unpack_frame(ws_packer *packer, const void *from, size_t stored, size_t bytes, ws_frame *out)
{
    int status = expand(packer, from, stored, bytes);
    /* Head and directory are never split: they can be checked before anything is believed. */
    if (status == WS_OK)
        status = ws_frame_check(packer->split.at, bytes);
    if (status == WS_OK)
        status = reserve_frame(out, bytes);
    if (status)
        return status;
    memcpy(out->memory, packer->split.at, bytes);
    for (uint32_t i = 0; i < ws_frame_head(out->memory)->array_count; i++) {
        const ws_frame_array *array = &arrays_of(out->memory)[i];
        const size_t width = width_of(array);
        join((char *)out->memory + array->offset, packer->split.at + array->offset, width,
             array->bytes / width);
    }
    return WS_OK;
}

int ws_unpack_rows(ws_packer *packer, const void *from, size_t stored, size_t row_bytes, size_t count,
                   const void **rows)
{
    int status = expand(packer, from, stored, row_bytes * count);
    if (status == WS_OK)
        status = reserve(&packer->joined, row_bytes * count);
    if (status)
        return status;
    join(packer->joined.at, packer->split.at, row_bytes, count);
    *rows = packer->joined.at;
    return WS_OK;
}
