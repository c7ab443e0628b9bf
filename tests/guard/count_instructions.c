/* SPDX-License-Identifier: BSD-3-Clause */
/* count_instructions: under callgrind, which sees its client requests, each layer of a few small networks,
 * forward and backward, the updates of the optimisers and the sums of products of the similarity leave one
 * dump, named after what was done. Prints what it was built and is run with as one line of JSON. */
#include "cnn/optimizer.h"
#include "cnn/pass.h"
#include "cnn/random.h"
#include "cnn/status.h"
#include "kernels.h"
#include "moments.h"
#include "pass_watch.h"
#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <valgrind/callgrind.h>

enum { CLASSES = 10, UNITS = 32, SAMPLES = 512, NAME = 96 };

static const struct {
    const char *name, *spec;
    cnn_shape shape;
    int batch;
    float zeros; /* of the images, the share; those that are written are mostly paper */
} networks[] = {
    {"poster", CNN_DEFAULT_NET, {1, 28, 28}, 4, 0.8f},
    {"wide", "conv 32 3x3, relu, conv 32 3x3, relu, maxpool 2, linear 10", {3, 16, 16}, 2, 0},
    {"zeros", "conv 32 3x3, relu, linear 10", {16, 14, 14}, 2, 0.8f},
    {"odd", "conv 7 5x5 valid, relu, maxpool 3 stride 2, conv 9 3x3 stride 2, linear 10", {3, 21, 19}, 2, 0},
};
enum { NETWORKS = sizeof networks / sizeof networks[0] };

/* What was done since the last begin or end, under a name. */
static void begin(void)
{
    CALLGRIND_TOGGLE_COLLECT;
}

static void end(const char *group, const char *thing, const char *words)
{
    char name[NAME];
    CALLGRIND_TOGGLE_COLLECT;
    snprintf(name, sizeof name, "%s %s%s", group, thing, words);
    CALLGRIND_DUMP_STATS_AT(name);
}

static void fill(uint64_t seed, float *values, size_t count, float zeros)
{
    for (size_t i = 0; i < count; i++)
        values[i] = cnn_random_unit(cnn_random_word(seed, CNN_STREAM_INITIAL, 1, i)) < zeros
                        ? 0
                        : cnn_random_unit(cnn_random_word(seed, CNN_STREAM_INITIAL, 0, i));
}

typedef struct watched {
    const char *name;
    const cnn_net *net;
} watched;

/* Calls between the layers are of none: "rest". A layer that is done image by image leaves many dumps. */
static void note(void *context, int thread, int layer, cnn_pass_direction direction)
{
    (void)thread;
    const watched *w = context;
    if (layer == CNN_PASS_NO_LAYER) {
        end(w->name, "rest", "");
        begin();
        return;
    }
    end(w->name, layer < w->net->layer_count ? w->net->layers[layer].name : "loss",
        direction == CNN_PASS_FORWARD ? " forward" : " backward");
    begin();
}

static int count_network(int index)
{
    const int batch = networks[index].batch;
    cnn_net *net = NULL;
    cnn_pass *pass = NULL;
    int status = cnn_net_create(networks[index].spec, networks[index].shape, CLASSES, 1, &net);
    if (!status)
        status = cnn_pass_create(net, batch, CNN_PASS_TRAIN, NULL, &pass);
    if (!status) {
        watched w = {networks[index].name, net};
        fill(2, cnn_pass_images(pass), (size_t)batch * cnn_shape_count(net->input), networks[index].zeros);
        for (int i = 0; i < batch; i++)
            cnn_pass_labels(pass)[i] = (uint8_t)(i % CLASSES);
        cnn_pass_set_watch(pass, note, &w);
        begin();
        cnn_pass_train(pass, batch, 1);
        CALLGRIND_TOGGLE_COLLECT;
        CALLGRIND_ZERO_STATS;
    }
    cnn_pass_free(pass);
    cnn_net_free(net);
    return status;
}

static int count_update(cnn_optimizer_kind kind)
{
    const cnn_optimizer_options options = cnn_optimizer_defaults(kind);
    cnn_net *net = NULL;
    cnn_optimizer *optimizer = NULL;
    int status = cnn_net_create(networks[1].spec, networks[1].shape, CLASSES, 1, &net);
    if (!status)
        status = cnn_optimizer_create(&options, net, &optimizer);
    cnn_layer_norms *norms = net ? calloc((size_t)net->layer_count, sizeof *norms) : NULL;
    if (!status && !norms)
        status = cnn_fail(CNN_NO_MEMORY, "norms: no memory");
    if (!status) {
        fill(3, net->gradients, net->parameter_count, 0);
        begin();
        cnn_optimizer_step(optimizer, net, NULL, 1e-3, 1, norms);
        end("update", cnn_optimizer_name(kind), "");
    }
    free(norms);
    cnn_optimizer_free(optimizer);
    cnn_net_free(net);
    return status;
}

static int count_moments(void)
{
    static float values[UNITS * SAMPLES];
    cnn_moment_sums *sums;
    fill(4, values, UNITS * SAMPLES, 0);
    const int status = cnn_moment_sums_create(UNITS, NULL, &sums);
    if (status)
        return status;
    begin();
    cnn_moment_sums_add(sums, values, SAMPLES, NULL);
    end("similarity", "sums", "");
    cnn_moment_sums_free(sums);
    return CNN_OK;
}

int main(void)
{
    int status = CNN_OK;
    for (int i = 0; i < NETWORKS && !status; i++)
        status = count_network(i);
    const cnn_optimizer_kind kinds[] = {CNN_SGD, CNN_MOMENTUM, CNN_ADAM};
    for (int i = 0; i < 3 && !status; i++)
        status = count_update(kinds[i]);
    if (!status)
        status = count_moments();
    if (status) {
        fprintf(stderr, "count_instructions: %s\n", cnn_message());
        return 1;
    }
    printf("{\"compiler\": \"%s\", \"libc\": \"%s\", \"build\": \"%s\", \"kernels\": \"%s\"}\n", __VERSION__,
           gnu_get_libc_version(), BUILD_TYPE, cnn_kernels_get()->name);
    return 0;
}
