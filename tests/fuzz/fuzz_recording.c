/* SPDX-License-Identifier: BSD-3-Clause */
/* A recording: all that its reader can be asked, of the file as it is and once more with right checksums. */
#include "fuzz.h"
#include "mend_recording.h"
#include "message.h"
#include "recording.h"
#include "row_layout.h"
#include <stdlib.h>

enum { MOST_FRAMES = 80 };

static int take_row(void *context, const void *row)
{
    ws_scalars scalars;
    if (*(const size_t *)context >= WS_SCALAR_COLUMNS * sizeof(double)) {
        ws_row_step(row);
        ws_row_scalars(row, &scalars);
    }
    return 0;
}

static void require_told(int status)
{
    fuzz_require(status == WS_OK || *ws_message(), "an error is told");
}

static void read_frame(ws_recording *recording, uint64_t n, ws_frame *frame)
{
    uint64_t step, byte, stored, raw;
    size_t row_bytes = ws_recording_row_bytes(recording);
    require_told(ws_recording_step(recording, n, &step));
    require_told(ws_recording_size(recording, n, &stored, &raw));
    require_told(ws_recording_base_at(recording, n, &byte));
    require_told(ws_recording_rows(recording, n, take_row, &row_bytes));
    int status = ws_recording_read(recording, n, frame);
    require_told(status);
    if (status == WS_OK)
        fuzz_require(ws_frame_check(frame->memory, ws_frame_head(frame->memory)->bytes) == WS_OK,
                     "a frame that was read is sound");
    require_told(ws_recording_base(recording, n, frame));
}

static void read_recording(const char *path)
{
    ws_recording *recording;
    if (ws_recording_open(path, &recording)) {
        fuzz_require_line(ws_message(), path);
        return;
    }
    const uint64_t count = ws_recording_count(recording), claimed = ws_recording_claimed(recording);
    fuzz_require(count <= claimed, "no more frames are there than the file says");
    ws_frame frame = {0};
    for (uint64_t n = 0; n < claimed && n < MOST_FRAMES; n++)
        read_frame(recording, n, &frame);
    uint64_t found = 0;
    require_told(ws_recording_find(recording, 15, &found));
    fuzz_require(found <= count, "what is found is a frame, or the end");
    fuzz_require(ws_recording_refresh(recording) == count, "a file that stays has as many frames as before");
    ws_row_layout layout;
    if (!ws_row_layout_read(path, ws_recording_head(recording), &layout))
        ws_row_layout_free(&layout);
    ws_frame_free(&frame);
    ws_recording_close(recording);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_recording(fuzz_file(0, data, size));
    char *mended = fuzz_text(data, size);
    fuzz_mend_recording((uint8_t *)mended, size);
    read_recording(fuzz_file(0, (const uint8_t *)mended, size));
    free(mended);
    return 0;
}
