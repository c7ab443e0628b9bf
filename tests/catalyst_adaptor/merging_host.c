/* SPDX-License-Identifier: BSD-3-Clause */
/* A host whose filters become others in number, and which has activations and correlations to show.
 *
 *     merging_host OUTPUT STEPS CHANGES [SCRIPT[,key=value...]]...
 *
 * CHANGES: "STEP:FILTERS,STEP:FILTERS...": after that step conv1 has so many filters. conv1 is [K,1,3,2],
 * without biases, conv2 [3,K,2,2]; both change together. All values follow from their indices and the step:
 *
 *     source       of filter k: 2k once filters have been merged, else k
 *     weight       step + source / 8 + (place within the filter) / 1024
 *     activation   100 step + 10 n + source + p / 8 + q / 64, of 12 images n of 4 x 5 cells
 *     pearson      1 on the diagonal, else (i + j) / 1000; pearson_weights the negative of it
 *     dead         filter 1
 *     group        0 for filters 0 and 2, else -1
 *     merged       once filters have been merged: 1 into 0, and 3 into none, after the step of the change,
 * with weights 1000 source + (place within the filter) whole        MOST filters of conv1; conv2 has as many
 * channels, whose source_channel is conv1's source
 *
 * HOST_TRANSPORT: inline, record, else the sidecar; HOST_RECORD: N, every how many steps are recorded;
 * HOST_LAZY: arrays are handed over in prepare, and taken back afterwards. Prints "prepared S:W..." for each
 * call of prepare (W of conv1), then "images W of E, failures F, restarts R". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weightscape/insitu.h>

enum { MOST = 16, IMAGES = 12, P = 4, Q = 5, LAYERS = 2 };

static int filters = 6, merged;
static float weights[LAYERS][MOST * MOST * 6], activations[LAYERS][IMAGES * MOST * P * Q];
static double pearson[MOST * MOST], pearson_weights[MOST * MOST];
static int32_t dead[MOST], group[MOST], source[MOST];
static double gone[] = {1, 0, 0, 3, -1, 0};
static float gone_weights[2 * 6];
static ws_insitu *insitu;
static int is_lazy;

static int filters_of(int layer)
{
    return layer == 0 ? filters : 3;
}

static void fill_weights(uint64_t step)
{
    for (int layer = 0; layer < LAYERS; layer++) {
        const int each = layer == 0 ? 6 : filters * 4;
        for (int i = 0; i < filters_of(layer) * each; i++)
            weights[layer][i] = (float)step + (float)(layer == 0 ? source[i / each] : i / each) / 8 +
                                (float)(i % each) / 1024;
    }
}

static void fill_views(uint64_t step)
{
    for (int layer = 0; layer < LAYERS; layer++) {
        float *next = activations[layer];
        for (int n = 0; n < IMAGES; n++)
            for (int k = 0; k < filters_of(layer); k++)
                for (int p = 0; p < P; p++)
                    for (int q = 0; q < Q; q++)
                        *next++ = 100 * (float)step + 10 * (float)n + (float)(layer == 0 ? source[k] : k) +
                                  (float)p / 8 + (float)q / 64;
    }
    for (int i = 0; i < filters; i++)
        for (int j = 0; j < filters; j++) {
            pearson[i * filters + j] = i == j ? 1 : (i + j) / 1000.0;
            pearson_weights[i * filters + j] = -pearson[i * filters + j];
        }
}

static void describe_filters(void)
{
    for (int k = 0; k < MOST; k++) {
        source[k] = merged ? 2 * k : k;
        dead[k] = k == 1;
        group[k] = k == 0 || k == 2 ? 0 : -1;
    }
}

static void describe_gone(uint64_t step)
{
    gone[2] = gone[5] = (double)step;
    for (int i = 0; i < 2 * 6; i++)
        gone_weights[i] = 1000 * (float)gone[i / 6 * 3] + (float)(i % 6);
}

static ws_layer describe(int layer, int with_views)
{
    ws_layer described = {.size = sizeof described,
                          .kind = WS_CONVOLUTION,
                          .name = layer == 0 ? "conv1" : "conv2",
                          .shape = {filters, 1, 3, 2},
                          .weight = weights[layer],
                          .activation_shape = {IMAGES, filters_of(layer), P, Q},
                          .offers = WS_WANTS_ACTIVATIONS};
    if (layer == 1) {
        memcpy(described.shape, (int64_t[]){3, filters, 2, 2}, sizeof described.shape);
        memcpy(described.whole, (int32_t[]){3, MOST}, sizeof described.whole);
        described.source_channel = source;
    }
    if (with_views)
        described.activation = activations[layer];
    if (layer == 1)
        return described;
    described.offers |= WS_WANTS_CORRELATION;
    described.source = source;
    memcpy(described.whole, (int32_t[]){MOST, 1}, sizeof described.whole);
    if (merged) {
        described.merged = gone;
        described.merged_weight = gone_weights;
        described.merged_count = 2;
    }
    if (!with_views)
        return described;
    described.pearson = pearson;
    described.pearson_weights = pearson_weights;
    described.dead = dead;
    described.group = group;
    return described;
}

static int change_all(int with_views)
{
    int status = WS_OK;
    for (int layer = 0; layer < LAYERS && !status; layer++) {
        const ws_layer described = describe(layer, with_views);
        status = ws_insitu_change_layer(insitu, layer, &described);
    }
    return status;
}

static void prepare(void *context, uint64_t step, const uint8_t *wanted)
{
    (void)context;
    printf("prepared %llu:%u\n", (unsigned long long)step, wanted[0]);
    fill_views(step);
    change_all(1);
}

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

static int transport(void)
{
    return !strcmp(setting("HOST_TRANSPORT"), "inline")   ? WS_INLINE
           : !strcmp(setting("HOST_TRANSPORT"), "record") ? WS_RECORD
                                                          : WS_SIDECAR;
}

/* The number of filters after `step`, if it changes there. */
static int changes_at(const char *changes, uint64_t step)
{
    for (; *changes; changes += strcspn(changes, ","), changes += *changes == ',') {
        unsigned long long at;
        int count;
        if (sscanf(changes, "%llu:%d", &at, &count) == 2 && at == step)
            return count;
    }
    return 0;
}

static int fail(void)
{
    fprintf(stderr, "%s\n", ws_message());
    return 2;
}

static int train(uint64_t steps, const char *changes)
{
    for (uint64_t step = 0; step <= steps; step++) {
        fill_weights(step);
        const ws_row row = {.size = sizeof row, .step = step, .loss = 1.0 / (double)(step + 1)};
        if (ws_insitu_row(insitu, &row))
            return fail();
        if (step >= *ws_insitu_next(insitu) && ws_insitu_show(insitu, step) == WS_BAD_ARGUMENT)
            return fail();
        if (is_lazy && change_all(0))
            return fail();
        const int count = changes_at(changes, step);
        if (!count)
            continue;
        merged = count < filters;
        filters = count;
        describe_filters();
        describe_gone(step);
        fill_weights(step);
        if (change_all(!is_lazy))
            return fail();
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    is_lazy = *setting("HOST_LAZY") != 0;
    const ws_options options = {.size = sizeof options,
                                .script_count = (uint32_t)argc - 4,
                                .scripts = (const char *const *)argv + 4,
                                .output = argv[1],
                                .folder = argv[1],
                                .transport = transport(),
                                .wait = 1,
                                .record = strtoull(setting("HOST_RECORD"), NULL, 10),
                                .prepare = prepare};
    describe_filters();
    fill_weights(0);
    if (ws_insitu_create(&options, &insitu))
        return fail();
    for (int layer = 0; layer < LAYERS; layer++) {
        const ws_layer described = describe(layer, 0);
        if (ws_insitu_add_layer(insitu, &described) < 0)
            return fail();
    }
    if (ws_insitu_start(insitu))
        return fail();
    const int status = train(strtoull(argv[2], NULL, 10), argv[3]);
    if (!status && ws_insitu_finish(insitu))
        fprintf(stderr, "%s\n", ws_message());
    ws_report report = {.size = sizeof report};
    ws_insitu_report(insitu, &report);
    printf("images %llu of %llu, failures %llu, restarts %llu\n", (unsigned long long)report.images_written,
           (unsigned long long)report.images_expected, (unsigned long long)report.script_failures,
           (unsigned long long)report.restarts);
    ws_insitu_free(insitu);
    return status;
}
