/* SPDX-License-Identifier: BSD-3-Clause */
/* The smallest host: a "training" that is a random walk of one layer's weights,
 * shown by Catalyst scripts.
 *
 *     fake_trainer OUTPUT STEPS SCRIPT.py[,key=value...]...
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <weightscape/insitu.h>

enum { K = 6, C = 1, R = 3, S = 5, WEIGHTS = K * C * R * S };

static float weight[WEIGHTS], gradient[WEIGHTS];

static float noise(void)
{
    return (float)rand() / (float)RAND_MAX - 0.5f;
}

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, ws_message());
    return 1;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return fprintf(stderr, "usage: fake_trainer OUTPUT STEPS SCRIPT...\n"), 2;
    for (int i = 0; i < WEIGHTS; i++)
        weight[i] = noise();

    const ws_options options = {.size = sizeof options,
                                .script_count = (uint32_t)argc - 3,
                                .scripts = (const char *const *)argv + 3,
                                .output = argv[1]};
    const ws_layer conv1 = {.size = sizeof conv1,
                            .kind = WS_CONVOLUTION,
                            .name = "conv1",
                            .shape = {K, C, R, S},
                            .weight = weight,
                            .gradient = gradient};
    ws_insitu *insitu;
    if (ws_insitu_create(&options, &insitu))
        return fail("create");
    if (ws_insitu_add_layer(insitu, &conv1) < 0 || ws_insitu_start(insitu))
        return fail("start");

    const volatile uint64_t *next = ws_insitu_next(insitu);
    const uint64_t steps = strtoull(argv[2], NULL, 10);
    for (uint64_t step = 0; step <= steps; step++) {
        for (int i = 0; step && i < WEIGHTS; i++)
            weight[i] -= 0.05f * (gradient[i] = noise());
        const ws_row row = {.size = sizeof row,
                            .step = step,
                            .epoch = (double)step / 100,
                            .time_s = 0.01 * (double)step,
                            .loss = 2 / (1 + (double)step),
                            .accuracy = 1 - 1 / (1 + (double)step),
                            .learning_rate = 0.05,
                            .validation_loss = NAN,
                            .validation_accuracy = NAN};
        ws_insitu_row(insitu, &row);
        if (step >= *next)
            ws_insitu_show(insitu, step);
    }
    ws_report report = {.size = sizeof report};
    ws_insitu_report(insitu, &report);
    printf("%llu of %llu images\n", (unsigned long long)report.images_written,
           (unsigned long long)report.images_expected);
    ws_insitu_free(insitu);
    return 0;
}
