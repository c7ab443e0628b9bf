/* SPDX-License-Identifier: BSD-3-Clause */
/* The smallest host: a "training" whose weights walk at random, shown by Catalyst scripts.
 *
 *     fake_trainer FOLDER STEPS SCRIPT.py[,key=value...] ... */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <weightscape/insitu.h>

enum { FILTERS = 8, CHANNELS = 3, ROWS = 3, COLUMNS = 5, WEIGHTS = FILTERS * CHANNELS * ROWS * COLUMNS };

static float weight[WEIGHTS], gradient[WEIGHTS];

/* A number in [-1, 1). */
static float noise(void)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) * 0x1p-23f - 1.0f;
}

static void train(void)
{
    for (int i = 0; i < WEIGHTS; i++) {
        gradient[i] = noise();
        weight[i] -= 0.01f * gradient[i];
    }
}

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, ws_message());
    return 1;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s FOLDER STEPS SCRIPT.py[,key=value...] ...\n", argv[0]);
        return 2;
    }
    const uint64_t steps = strtoull(argv[2], NULL, 10);
    const ws_options options = {.size = sizeof options,
                                .script_count = (uint32_t)(argc - 3),
                                .scripts = (const char *const *)argv + 3,
                                .output = argv[1],
                                .folder = argv[1]};
    const ws_layer layer = {.size = sizeof layer,
                            .kind = WS_CONVOLUTION,
                            .name = "conv1",
                            .shape = {FILTERS, CHANNELS, ROWS, COLUMNS},
                            .weight = weight,
                            .gradient = gradient};
    ws_insitu *insitu;
    for (int i = 0; i < WEIGHTS; i++)
        weight[i] = 0.3f * noise();
    if (ws_insitu_create(&options, &insitu) != WS_OK)
        return fail("create");
    if (ws_insitu_add_layer(insitu, &layer) < 0 || ws_insitu_start(insitu) != WS_OK)
        return fail("start");
    const volatile uint64_t *next = ws_insitu_next(insitu);
    for (uint64_t step = 0; step <= steps; step++) { /* step 0 shows the initial weights */
        if (step > 0)
            train();
        const ws_row row = {.size = sizeof row,
                            .step = step,
                            .epoch = (double)step / 100,
                            .loss = exp(-0.01 * (double)step),
                            .accuracy = NAN,
                            .learning_rate = 0.01,
                            .validation_loss = NAN,
                            .validation_accuracy = NAN};
        ws_insitu_row(insitu, &row);
        if (step >= *next)
            ws_insitu_show(insitu,
                           step); /* a script that fails is told on standard error, and stops nobody */
    }
    ws_insitu_finish(insitu); /* the scripts ran beside us: now wait for what they have not drawn yet */
    ws_report report = {.size = sizeof report};
    ws_insitu_report(insitu, &report);
    printf("%llu of %llu images\n", (unsigned long long)report.images_written,
           (unsigned long long)report.images_expected);
    ws_insitu_free(insitu);
    return report.images_written == report.images_expected ? 0 : 1;
}
