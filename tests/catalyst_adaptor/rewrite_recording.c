/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes recordings of a kind that hosts seldom make, for the tests of the reader:
 *
 *     rewrite_recording IN OUT rows|history [LAYER]
 *
 * With `history` no rows are kept, as if they were in the run's history alone. Of frames 1, 3, 5, ... the
 * arrays of LAYER get other names: they do not hold it. */
#include "recording.h"
#include "weightscape/insitu.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct rows {
    char *bytes;
    size_t row_bytes;
    uint64_t count;
} rows;

static int fail(void)
{
    fprintf(stderr, "rewrite_recording: %s\n", ws_message());
    return EXIT_FAILURE;
}

static int take_row(void *context, const void *row)
{
    rows *into = context;
    char *bytes = realloc(into->bytes, (into->count + 1) * into->row_bytes);
    if (!bytes)
        return WS_NO_MEMORY;
    into->bytes = bytes;
    memcpy(bytes + into->count++ * into->row_bytes, row, into->row_bytes);
    return WS_OK;
}

static void hide(void *frame, const char *layer)
{
    const size_t length = strlen(layer);
    ws_frame_array *arrays = (ws_frame_array *)((char *)frame + sizeof(ws_frame_header));
    for (uint32_t i = 0; i < ws_frame_head(frame)->array_count; i++)
        if (strncmp(arrays[i].name, layer, length) == 0 && arrays[i].name[length] == '/')
            arrays[i].name[0] = 'x';
}

static int copy_frame(ws_recording *from, uint64_t n, ws_recorder *to, size_t row_bytes, const char *layer)
{
    ws_frame frame = {0}, base = {0};
    rows between = {.row_bytes = row_bytes};
    int status = ws_recording_base(from, n, &base);
    if (status == WS_OK)
        status = ws_recording_read(from, n, &frame);
    if (status == WS_OK && row_bytes > 0)
        status = ws_recording_rows(from, n, take_row, &between);
    if (status == WS_OK)
        status = ws_recorder_base(to, base.memory);
    if (status == WS_OK && layer && n % 2 == 1)
        hide(frame.memory, layer);
    if (status == WS_OK)
        status = ws_recorder_add(to, frame.memory, between.bytes, between.count);
    ws_frame_free(&frame);
    ws_frame_free(&base);
    free(between.bytes);
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    ws_recording *from;
    ws_recorder *to;
    if (ws_recording_open(argv[1], &from))
        return fail();
    const int keeps_rows = strcmp(argv[3], "rows") == 0;
    const ws_recorder_options options = {.path = argv[2],
                                         .head = keeps_rows ? ws_recording_head(from) : NULL,
                                         .row_bytes = keeps_rows ? ws_recording_row_bytes(from) : 0};
    if (ws_recorder_open(&options, &to))
        return fail();
    for (uint64_t n = 0; n < ws_recording_count(from); n++)
        if (copy_frame(from, n, to, options.row_bytes, argv[4]))
            return fail();
    ws_recorder_close(to);
    ws_recording_close(from);
    return EXIT_SUCCESS;
}
