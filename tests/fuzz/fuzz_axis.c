/* SPDX-License-Identifier: BSD-3-Clause */
/* The argument of sweep --vary. */
#include "cnn/status.h"
#include "fuzz.h"
#include "sweep_axis.h"
#include <stdlib.h>

static void use(const sweep_axis *axis)
{
    for (size_t i = 0; i < axis->count; i++) {
        fuzz_require(!option_check(axis->option, axis->values[i]), "a value of an axis is one of its option");
        sweep_axis_is_end(axis, axis->values[i]);
    }
    for (uint64_t draw = 0; draw < 8; draw++) {
        char *value = sweep_axis_draw(axis, 1, draw, 0);
        fuzz_require(!option_check(axis->option, value), "a value that is drawn is one of its option");
        free(value);
    }
    fuzz_require(sweep_axis_size(axis) >= 1, "an axis has values");
    json_decref(sweep_axis_json(axis));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    for (int is_drawn = 0; is_drawn < 2; is_drawn++) {
        sweep_axis axis;
        if (sweep_axis_parse(text, is_drawn, &axis)) {
            fuzz_require_line(cnn_message(), "--vary");
            continue;
        }
        use(&axis);
        sweep_axis_free(&axis);
    }
    free(text);
    return 0;
}
