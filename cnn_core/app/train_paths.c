/* SPDX-License-Identifier: BSD-3-Clause */
#include "train_paths.h"
#include "cnn/status.h"
#include "script_text.h"
#include <stdlib.h>

int train_paths_make_absolute(option_values *values)
{
    char *data = option_text(values, "data") ? realpath(option_text(values, "data"), NULL) : NULL;
    int status = data ? option_set(values, "data", data)
                      : CNN_OK; /* one that does not exist is told when it is read */
    free(data);
    const char *replayed = option_text(values, "replay-steering");
    char *steered = replayed ? realpath(replayed, NULL) : NULL;
    if (!status && steered)
        status = option_replace(values, "replay-steering", 0, steered);
    free(steered);
    const size_t count = option_count(values, "pipeline");
    for (size_t i = 0; i < count && !status; i++) {
        char *script = script_text_absolute(option_at(values, "pipeline", i));
        status = option_replace(values, "pipeline", i, script);
        free(script);
    }
    return status;
}
