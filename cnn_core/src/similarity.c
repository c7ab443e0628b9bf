/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/similarity.h"
#include "cnn/status.h"
#include "moments.h"
#include <math.h>
#include <stdlib.h>

/* Turns products into correlations, in place. */
static void correlate(cnn_moments *m)
{
    const size_t count = (size_t)m->count;
    double *variance = m->mean; /* not needed any more */
    for (size_t i = 0; i < count; i++)
        variance[i] = m->product[i * count + i];
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            double *r = &m->product[i * count + j];
            const double scale = sqrt(variance[i]) * sqrt(variance[j]);
            *r = i == j ? m->state[i] == CNN_UNIT_ALIVE : scale > 0 ? fmax(-1, fmin(1, *r / scale)) : 0;
        }
}

static int weight_moments(const cnn_layer *layer, cnn_threads *threads, cnn_moments *out)
{
    cnn_moment_sums *sums;
    const int status = cnn_moment_sums_create(layer->out.c, threads, &sums);
    if (status)
        return status;
    cnn_moment_sums_add(sums, layer->weight, layer->weight_count / layer->bias_count, NULL);
    return cnn_moment_sums_finish(sums, out);
}

static int check_layer(const cnn_net *net, int index)
{
    if (index < 0 || index >= net->layer_count)
        return cnn_fail(CNN_BAD_ARGUMENT, "similarity: layer %d is not in 0..%d", index,
                        net->layer_count - 1);
    if (!cnn_layer_has_parameters(&net->layers[index]))
        return cnn_fail(CNN_BAD_ARGUMENT, "layer \"%s\": has no units that could be similar",
                        net->layers[index].name);
    return CNN_OK;
}

int cnn_similarity_measure_shared(const cnn_ranks *ranks, cnn_net *net, int index, const cnn_dataset *set,
                                  cnn_threads *threads, cnn_similarity *out)
{
    cnn_moments activations = {0}, weights = {0};
    int status = check_layer(net, index);
    if (!status)
        status = cnn_moments_measure(ranks, net, index, NULL, set, threads, &activations);
    if (status || (ranks && ranks->rank))
        return status;
    status = weight_moments(&net->layers[index], threads, &weights);
    if (status) {
        cnn_moments_free(&activations);
        return status;
    }
    correlate(&activations);
    correlate(&weights);
    *out = (cnn_similarity){.count = net->layers[index].out.c,
                            .pearson = activations.product,
                            .pearson_weights = weights.product,
                            .state = activations.state};
    free(activations.mean);
    free(weights.mean);
    free(weights.state);
    return CNN_OK;
}

int cnn_similarity_measure(cnn_net *net, int index, const cnn_dataset *set, cnn_threads *threads,
                           cnn_similarity *out)
{
    return cnn_similarity_measure_shared(NULL, net, index, set, threads, out);
}

void cnn_similarity_free(cnn_similarity *similarity)
{
    free(similarity->pearson);
    free(similarity->pearson_weights);
    free(similarity->state);
    *similarity = (cnn_similarity){0};
}
