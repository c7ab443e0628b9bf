/* SPDX-License-Identifier: BSD-3-Clause */
/* steering.jsonl, as another run's log, as the past of a run that goes on, and as the log that is gone on
 * with. */
#include "cnn/status.h"
#include "fuzz.h"
#include "steering.h"
#include <stdlib.h>
#include <string.h>

static void check(const steering_log *log, uint64_t last)
{
    uint64_t before = 0;
    for (size_t i = 0; i < log->count; i++) {
        const steering_entry *entry = &log->entries[i];
        fuzz_require(entry->step >= before && entry->step <= last,
                     "steps never fall, and end where they should");
        fuzz_require(entry->name && entry->value && entry->origin, "an entry has its texts");
        before = entry->step;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(0, data, size);
    steering_log log;
    fuzz_hush();
    if (steering_read(path, &log)) {
        fuzz_require_line(cnn_message(), path);
    } else {
        check(&log, UINT64_MAX);
        steering_log_match(&log, "conv 2 3x3, relu, linear 3", "conv 1 3x3, relu, linear 3");
        steering_log_free(&log);
    }
    if (steering_read_past(path, 100, &log)) {
        fuzz_require_line(cnn_message(), path);
        return 0;
    }
    check(&log, 100);
    fuzz_require(steering_merge_count(&log) <= log.count, "merges are lines");
    steering_log_free(&log);
    return 0;
}
