/* SPDX-License-Identifier: BSD-3-Clause */
/* A host for the bridge's tests: two convolutions, all extents different, one
 * of them with its strides the other way round, and a linear layer. At every
 * step it writes the dense weights to OUTPUT/host-STEP.f32, for comparison with
 * what a script saw.
 *
 *     strided_host OUTPUT STEPS SECONDS REQUIRED [SCRIPT[,key=value...]]...
 *
 * HOST_TRANSPORT in the environment: inline, else the sidecar; HOST_RECORD: what is recorded, 0 for every
 * frame that a script waits for; HOST_RANKS: of how many ranks it tells, as if it had them.
 *
 * Ends with "images W of E, failures F, pictures P", and with status 3 if a
 * signal handler, a floating-point mode or the working folder is not what it
 * was. */
#include "made_training.h"
#include <fenv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int64_t reversed[4] = {1, K, K *C, K *C *R};

static void handle(int number)
{
    (void)number;
}

static const int watched[] = {SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGCHLD, SIGUSR1};
enum { WATCHED = sizeof watched / sizeof watched[0] };

static int host_is_untouched(const char *folder)
{
    char now[4096];
    struct sigaction action;
    int good = getcwd(now, sizeof now) && !strcmp(now, folder) && fegetround() == FE_UPWARD;
    for (int i = 0; i < WATCHED; i++)
        good &= sigaction(watched[i], NULL, &action) == 0 && action.sa_handler == handle;
    return good;
}

static void write_weights(const char *output, uint64_t step)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/host-%llu.f32", output, (unsigned long long)step);
    FILE *file = fopen(path, "wb");
    for (int k = 0; file && k < K; k++)
        for (int c = 0; c < C; c++)
            for (int r = 0; r < R; r++)
                for (int s = 0; s < S; s++)
                    fwrite(&first[k * reversed[0] + c * reversed[1] + r * reversed[2] + s * reversed[3]], 4,
                           1, file);
    if (file) {
        fwrite(second, 4, SECOND, file);
        fclose(file);
    }
}

static double share(uint64_t step, uint32_t rank)
{
    return 1 + 0.5 * sin(0.1 * (double)step + rank);
}

/* Rank 2 takes twice as long as the others, which wait for it. */
static int tell_ranks(ws_insitu *insitu, uint64_t step, uint32_t count)
{
    ws_rank ranks[64];
    for (uint32_t i = 0; i < count; i++) {
        const double seconds = 0.02 + 0.001 * share(step, i);
        ranks[i] = (ws_rank){.size = sizeof ranks[i],
                             .rank = i,
                             .images = 25 + i,
                             .loss = step ? share(step, i) : NAN,
                             .gradient_norm = step ? 0.1 * share(step, i + 3) : NAN,
                             .step_seconds = step ? 0.05 : NAN,
                             .wait_seconds = step ? 0.05 - (i == 2 ? 2 : 1) * seconds : NAN};
    }
    return count ? ws_insitu_ranks(insitu, ranks, count) : WS_OK;
}

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

static uint64_t recording(const char *every)
{
    const uint64_t steps = strtoull(every, NULL, 10);
    return steps ? steps : WS_RECORD_WANTED;
}

static int fail(void)
{
    fprintf(stderr, "%s\n", ws_message());
    return 2;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    const ws_options options = {.size = sizeof options,
                                .script_count = (uint32_t)argc - 5,
                                .scripts = (const char *const *)argv + 5,
                                .output = argv[1],
                                .folder = argv[1],
                                .transport =
                                    strcmp(setting("HOST_TRANSPORT"), "inline") ? WS_SIDECAR : WS_INLINE,
                                .record = *setting("HOST_RECORD") ? recording(setting("HOST_RECORD")) : 0,
                                .script_seconds = atof(argv[3]),
                                .required = atoi(argv[4])};
    ws_layer conv1 = {.size = sizeof conv1,
                      .kind = WS_CONVOLUTION,
                      .name = "conv1",
                      .shape = {K, C, R, S},
                      .weight = first,
                      .gradient = first_gradient};
    memcpy(conv1.stride, reversed, sizeof reversed);
    const ws_layer conv2 = {.size = sizeof conv2,
                            .kind = WS_CONVOLUTION,
                            .name = "conv2",
                            .shape = {4, 1, 3, 3},
                            .weight = second};
    const ws_layer fc1 = {
        .size = sizeof fc1, .kind = WS_OTHER, .name = "fc1", .shape = {7, 2, 1, 1}, .weight = linear};
    for (int i = 0; i < WATCHED; i++)
        signal(watched[i], handle);
    fesetround(FE_UPWARD);
    char folder[4096];
    if (!getcwd(folder, sizeof folder))
        return 2;
    train(0);
    ws_insitu *insitu;
    const uint32_t ranks = (uint32_t)atoi(setting("HOST_RANKS")) % 65;
    if (ws_insitu_create(&options, &insitu) || ws_insitu_add_layer(insitu, &conv1) < 0 ||
        ws_insitu_add_layer(insitu, &conv2) < 0 || ws_insitu_add_layer(insitu, &fc1) < 0 ||
        tell_ranks(insitu, 0, ranks) || ws_insitu_start(insitu))
        return fail();
    int untouched = host_is_untouched(folder);
    const uint64_t steps = strtoull(argv[2], NULL, 10);
    for (uint64_t step = 0; step <= steps; step++) {
        train(step);
        write_weights(argv[1], step);
        const ws_row row = row_of(step);
        if (step > 0 && tell_ranks(insitu, step, ranks))
            return fail();
        ws_insitu_row(insitu, &row);
        if (step >= *ws_insitu_next(insitu))
            ws_insitu_show(insitu, step);
        untouched &= host_is_untouched(folder);
    }
    if (ws_insitu_finish(insitu))
        fprintf(stderr, "%s\n", ws_message());
    untouched &= host_is_untouched(folder);
    ws_report report = {.size = sizeof report};
    ws_insitu_report(insitu, &report);
    printf("images %llu of %llu, failures %llu, pictures %d\n", (unsigned long long)report.images_written,
           (unsigned long long)report.images_expected, (unsigned long long)report.script_failures,
           report.pictures);
    ws_insitu_free(insitu);
    return untouched && host_is_untouched(folder) ? 0 : 3;
}
