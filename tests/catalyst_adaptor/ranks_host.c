/* SPDX-License-Identifier: BSD-3-Clause */
/* A host on several ranks, or alone: what is shown is the same, whoever has which part of it.
 *
 *     [mpirun -np N] ranks_host HOW OUTPUT STEPS [SCRIPT[,key=value...]]...
 *
 * HOW: "alone": without MPI; "together": each rank has its share of the images; "first": rank 0 has all, and
 * the others wait. HOST_TRANSPORT in the environment: sidecar, else inline. HOST_LACKS: the rank that does
 * not hand over its images; HOST_LIES: the one that takes itself for another.
 *
 * Ends with "rank R: images W of E, failures F, pictures P" of each rank that calls the adaptor, or, with
 * status 2, a rank's message. */
#include "made_training.h"
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { IMAGES = 12, SHOWN = WS_PROBE_SHOWN, P = 3, Q = 2, RANKS = 4, LAYERS = 3 };

static float active[2][IMAGES * K * P * Q];
static double pearson[2][K * K];
static ws_layer layers[LAYERS];

typedef struct host {
    ws_insitu *insitu;
    int rank, size, is_together;
} host;

/* Images of this rank: all of rank 0's, where it is the only one. */
static void own_images(const host *job, int64_t part[2])
{
    part[0] = job->is_together ? IMAGES * job->rank / job->size : 0;
    part[1] = job->is_together ? IMAGES * (job->rank + 1) / job->size : IMAGES;
}

static int is_rank(const host *job, const char *variable)
{
    const char *value = getenv(variable);
    return value && atoi(value) == job->rank;
}

static void activate(const host *job, int number, uint64_t step)
{
    int64_t part[2];
    const int64_t filters = number ? K2 : K, each = filters * P * Q;
    own_images(job, part);
    for (int64_t n = part[0]; n < part[1]; n++)
        for (int64_t i = 0; i < each; i++)
            active[number][(n - part[0]) * each + i] =
                fmaxf(0, sinf((float)(n * each + i) + 0.1f * (float)step));
    layers[number].activation = is_rank(job, "HOST_LACKS") ? NULL : active[number];
}

/* Only rank 0 knows them. */
static void correlate(const host *job, int number, uint64_t step)
{
    const int filters = number ? K2 : K;
    for (int i = 0; i < filters; i++)
        for (int j = 0; j < filters; j++)
            pearson[number][i * filters + j] = i == j ? 1 : cos((double)(i + j) + (double)step) / 2;
    layers[number].pearson = layers[number].pearson_weights = job->rank == 0 ? pearson[number] : NULL;
}

static void prepare(void *context, uint64_t step, const uint8_t *wanted)
{
    const host *job = context;
    for (int i = 0; i < 2; i++) {
        layers[i].activation = NULL;
        layers[i].pearson = layers[i].pearson_weights = NULL;
        if (wanted[i] & WS_WANTS_ACTIVATIONS)
            activate(job, i, step);
        if (wanted[i] & WS_WANTS_CORRELATION)
            correlate(job, i, step);
        ws_insitu_change_layer(job->insitu, i, &layers[i]);
    }
}

static void describe(const host *job)
{
    layers[0] = (ws_layer){.kind = WS_CONVOLUTION,
                           .name = "conv1",
                           .shape = {K, C, R, S},
                           .weight = first,
                           .gradient = first_gradient,
                           .activation_shape = {IMAGES, K, P, Q}};
    layers[1] = (ws_layer){.kind = WS_CONVOLUTION,
                           .name = "conv2",
                           .shape = {K2, 1, 3, 3},
                           .weight = second,
                           .activation_shape = {IMAGES, K2, P, Q}};
    layers[2] = (ws_layer){.kind = WS_OTHER, .name = "fc1", .shape = {7, 2, 1, 1}, .weight = linear};
    for (int i = 0; i < LAYERS; i++)
        layers[i].size = sizeof *layers;
    for (int i = 0; i < 2; i++) {
        layers[i].offers = WS_WANTS_ACTIVATIONS | WS_WANTS_CORRELATION;
        if (job->is_together)
            own_images(job, layers[i].activation_part);
    }
}

/* As of four ranks, however many there are: pictures shall be equal. */
static int tell_ranks(const host *job, uint64_t step)
{
    ws_rank ranks[RANKS];
    for (uint32_t i = 0; i < RANKS; i++)
        ranks[i] = (ws_rank){.size = sizeof *ranks,
                             .rank = i,
                             .images = 25,
                             .loss = 1 / (1.0 + i + (double)step),
                             .gradient_norm = 0.1 * (1 + i),
                             .step_seconds = 0.05,
                             .wait_seconds = i == 2 ? 0.0 : 0.03};
    return ws_insitu_ranks(job->insitu, ranks, RANKS);
}

static int add_layers(const host *job)
{
    for (int i = 0; i < LAYERS; i++)
        if (ws_insitu_add_layer(job->insitu, &layers[i]) < 0)
            return 1;
    return 0;
}

static void show(const host *job, uint64_t step)
{
    const ws_row row = row_of(step);
    if (job->rank == 0) {
        tell_ranks(job, step);
        ws_insitu_row(job->insitu, &row);
    }
    int is_shown = step >= *ws_insitu_next(job->insitu);
    if (job->is_together)
        MPI_Bcast(&is_shown, 1, MPI_INT, 0, MPI_COMM_WORLD);
    if (is_shown && ws_insitu_show(job->insitu, step))
        fprintf(stderr, "rank %d at step %llu: %s\n", job->rank, (unsigned long long)step, ws_message());
}

static int fail(const host *job)
{
    fprintf(stderr, "rank %d says: %s\n", job->rank, ws_message());
    return 2;
}

static int run(host *job, const ws_options *options, uint64_t steps)
{
    train(0);
    describe(job);
    if (ws_insitu_create(options, &job->insitu))
        return fail(job);
    if (add_layers(job) || tell_ranks(job, 0) || ws_insitu_start(job->insitu))
        return fail(job);
    for (uint64_t step = 0; step <= steps; step++) {
        train(step);
        show(job, step);
    }
    ws_insitu_finish(job->insitu);
    ws_report report = {.size = sizeof report};
    ws_insitu_report(job->insitu, &report);
    printf("rank %d: images %llu of %llu, failures %llu, pictures %d\n", job->rank,
           (unsigned long long)report.images_written, (unsigned long long)report.images_expected,
           (unsigned long long)report.script_failures, report.pictures);
    ws_insitu_free(job->insitu);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    host job = {.size = 1, .is_together = strcmp(argv[1], "together") == 0};
    const int has_mpi = strcmp(argv[1], "alone") != 0;
    MPI_Comm ranks = MPI_COMM_NULL;
    if (has_mpi) {
        MPI_Init(&argc, &argv);
        ranks = MPI_COMM_WORLD;
        MPI_Comm_rank(ranks, &job.rank);
        MPI_Comm_size(ranks, &job.size);
    }
    ws_options options = {
        .size = sizeof options,
        .script_count = (uint32_t)argc - 4,
        .scripts = (const char *const *)argv + 4,
        .output = argv[2],
        .folder = argv[2],
        .transport =
            getenv("HOST_TRANSPORT") && !strcmp(getenv("HOST_TRANSPORT"), "sidecar") ? WS_SIDECAR : WS_INLINE,
        .required = 1,
        .prepare = prepare,
        .prepare_context = &job};
    if (job.is_together) {
        options.communicator = &ranks;
        options.rank = (uint32_t)job.rank + (is_rank(&job, "HOST_LIES") ? 1 : 0);
        options.ranks = (uint32_t)job.size + (getenv("HOST_LIES") ? 1 : 0);
    }
    int status = 0;
    if (job.rank == 0 || job.is_together)
        status = run(&job, &options, strtoull(argv[3], NULL, 10));
    if (has_mpi) {
        /* Those who wait sleep. */
        MPI_Request all_are_there;
        int are_there = 0;
        MPI_Ibarrier(ranks, &all_are_there);
        while (!are_there) {
            MPI_Test(&all_are_there, &are_there, MPI_STATUS_IGNORE);
            nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        }
        MPI_Finalize();
    }
    return status;
}
