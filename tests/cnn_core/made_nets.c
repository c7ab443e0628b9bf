/* SPDX-License-Identifier: BSD-3-Clause */
#include "made_nets.h"
#include "cmocka_headers.h"
#include "cnn/pass.h"
#include "cnn/status.h"
#include "reference.h"
#include <stdlib.h>
#include <string.h>

enum { PIXELS = MADE_SIDE * MADE_SIDE * MADE_CHANNELS };

cnn_dataset made_images(uint32_t first, uint32_t count)
{
    static uint8_t pixels[MADE_IMAGES * PIXELS], labels[MADE_IMAGES];
    for (int i = 0; i < MADE_IMAGES; i++) {
        labels[i] = (uint8_t)(i % MADE_CLASSES);
        for (int p = 0; p < PIXELS; p++) {
            const int row = p / MADE_SIDE % MADE_SIDE, column = p % MADE_SIDE;
            const int bright = labels[i] < 2 ? row / 2 == labels[i] + 1 : column / 2 == labels[i];
            const float noise = reference_noise(7, (uint64_t)(i * PIXELS + p));
            pixels[i * PIXELS + p] = (uint8_t)(80 + 100 * bright + (int)(60 * noise));
        }
    }
    return (cnn_dataset){.count = count,
                         .shape = {MADE_CHANNELS, MADE_SIDE, MADE_SIDE},
                         .classes = MADE_CLASSES,
                         .pixels = pixels + (size_t)first * PIXELS,
                         .labels = labels + first};
}

cnn_net *made_net(const char *spec, uint64_t seed)
{
    cnn_net *net;
    if (cnn_net_create(spec, (cnn_shape){MADE_CHANNELS, MADE_SIDE, MADE_SIDE}, MADE_CLASSES, seed, &net))
        fail_msg("%s", cnn_message());
    /* So that relu leaves every unit something to say. */
    for (int i = 0; i < net->layer_count - 1; i++)
        for (size_t k = 0; k < net->layers[i].bias_count; k++)
            net->layers[i].bias[k] += 0.5f;
    return net;
}

void make_copies(cnn_layer *layer, float factor, float offset)
{
    const size_t taps = layer->weight_count / layer->bias_count;
    for (size_t unit = 1; unit < layer->bias_count; unit += 2) {
        for (size_t i = 0; i < taps; i++)
            layer->weight[unit * taps + i] = factor * layer->weight[(unit - 1) * taps + i];
        layer->bias[unit] = factor * layer->bias[unit - 1] + offset;
    }
}

void permute_units(const cnn_net *from, int index, int consumer, const int *order, cnn_net *to)
{
    const cnn_layer *layer = &from->layers[index], *reader = &from->layers[consumer];
    const size_t units = layer->bias_count, taps = layer->weight_count / units;
    const size_t row = reader->weight_count / reader->bias_count, run = row / units;
    memcpy(to->parameters, from->parameters, from->parameter_count * sizeof(float));
    for (size_t k = 0; k < units; k++) {
        const size_t old = (size_t)order[k];
        memcpy(to->layers[index].weight + k * taps, layer->weight + old * taps, taps * sizeof(float));
        to->layers[index].bias[k] = layer->bias[old];
        for (size_t output = 0; output < reader->bias_count; output++)
            memcpy(to->layers[consumer].weight + output * row + k * run,
                   reader->weight + output * row + old * run, run * sizeof(float));
    }
}

float *made_outputs(cnn_net *net, int index, const cnn_dataset *set)
{
    cnn_pass *pass;
    if (cnn_pass_create(net, (int)set->count, CNN_PASS_OUTPUTS, NULL, &pass))
        fail_msg("%s", cnn_message());
    for (uint32_t i = 0; i < set->count; i++)
        cnn_dataset_gather(set, &i, 1, cnn_pass_images(pass) + i * cnn_shape_count(net->input),
                           cnn_pass_labels(pass) + i);
    cnn_pass_forward(pass, (int)set->count);
    const size_t size = set->count * cnn_shape_count(net->layers[index].out) * sizeof(float);
    float *outputs = malloc(size);
    assert_non_null(outputs);
    memcpy(outputs, cnn_pass_output(pass, index), size);
    cnn_pass_free(pass);
    return outputs;
}
