/* SPDX-License-Identifier: BSD-3-Clause */
/* One IDX file, plain or gzip. */
#include "cnn/idx.h"
#include "cnn/status.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(0, data, size);
    cnn_idx idx;
    if (cnn_idx_read(path, &idx)) {
        fuzz_require_line(cnn_message(), path);
        return 0;
    }
    uint64_t count = 1, sum = 0;
    for (int i = 0; i < idx.dimensions; i++)
        count *= idx.extent[i];
    for (uint64_t i = 0; i < count; i++)
        sum += idx.values[i];
    fuzz_require(sum <= 255 * count, "values are bytes");
    cnn_idx_free(&idx);
    return 0;
}
