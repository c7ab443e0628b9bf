/* SPDX-License-Identifier: BSD-3-Clause */
/* Knobs that are turned together, as lines of NAME=VALUE; the first byte says by whom. */
#include "cnn/status.h"
#include "fuzz.h"
#include "small_session.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CHANGES = 16 };

/* All knobs as one text. */
static char *state_of(const app_session *session)
{
    char *text = calloc(1, 1 << 16), *at = text;
    const app_knob *knob;
    for (size_t i = 0; (knob = knob_at(i)); i++) {
        char *value = knob_text(knob, &session->knobs);
        at += sprintf(at, "%s=%.4000s\n", knob_name(knob), value ? value : "none");
        free(value);
    }
    return text;
}

/* What a network can be trained with. */
static void check_options(const app_session *session)
{
    const cnn_trainer_options *options = &session->trainer->options;
    fuzz_require(options->learning_rate > 0 && isfinite(options->learning_rate), "the learning rate is one");
    fuzz_require(options->batch >= 1 && options->batch <= session->data.train.count, "the batch is one");
    for (int i = 0; i < session->net->layer_count; i++)
        fuzz_require(session->net->layers[i].rate >= 0 && session->net->layers[i].rate < 1,
                     "rates are in [0, 1)");
}

static void turn(app_session *session, knob_change *changes, size_t count, knob_source source)
{
    char *before = state_of(session);
    knob_undo undo;
    const int status = knobs_turn(&session->knobs, changes, count, source, &undo);
    if (status)
        fuzz_require_line(cnn_message(), "");
    check_options(session);
    if (!status)
        knobs_undo(&session->knobs, changes, count, &undo);
    char *after = state_of(session);
    fuzz_require(!strcmp(before, after), "what is refused, or undone, is as before");
    free(before);
    free(after);
    knobs_free_changes(changes, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t who;
    fuzz_hush();
    fuzz_take(&data, &size, &who, sizeof who);
    const knob_source source = who & 1 ? KNOB_LOGGED : KNOB_ASKED;
    char *text = fuzz_text(data, size), *rest = text;
    knob_change changes[MOST_CHANGES] = {{0}};
    size_t count = 0;
    app_session *session = small_session();
    for (char *name; count < MOST_CHANGES && (name = strsep(&rest, "\n"));) {
        char *value = strchr(name, '=');
        if (!value)
            continue;
        *value++ = '\0';
        changes[count++] = (knob_change){.name = name, .value = value};
        if (knob_check(&session->knobs, name, value, source))
            fuzz_require_line(cnn_message(), "");
    }
    if (count)
        turn(session, changes, count, source);
    free(text);
    return 0;
}
