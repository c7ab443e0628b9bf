/* SPDX-License-Identifier: BSD-3-Clause */
/* history.ws, as those who draw read it. */
#include "fuzz.h"
#include "history_tail.h"
#include "message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(0, data, size);
    ws_history_tail *tail;
    if (ws_history_tail_open(path, &tail)) {
        fuzz_require_line(ws_message(), path);
        return 0;
    }
    const ws_row_layout *layout = ws_history_tail_layout(tail);
    fuzz_require(layout->row_bytes >= layout->column_count * sizeof(double), "a row has its columns");
    ws_curve *curve;
    if (!ws_curve_create(layout, &curve)) {
        if (ws_history_tail_read(tail, 5, curve) == WS_OK)
            ws_history_tail_read(tail, UINT64_MAX, curve);
        ws_curve_free(curve);
    }
    ws_history_tail_close(tail);
    return 0;
}
