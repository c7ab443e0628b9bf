/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/pass.h"
#include "cnn/status.h"
#include "layers/layers.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Weight gradients of a convolution are summed in this many parts of the batch, then over the parts in
     * order: the number must not depend on the threads, or else the bits would. Large layers get fewer, to
     * save memory. */
    PARTS = 8,
    PARTS_OF_LARGE = 2,
    LARGE = 1 << 18, /* weights */
};

/* What one layer keeps from the forward to the backward pass. */
typedef struct layer_state {
    float *output;   /* [N, out]; shared with the layer before for relu and dropout */
    cnn_conv conv;   /* geometry, convolutions only */
    int32_t *chosen; /* maxpool */
    uint8_t *kept;   /* dropout, training */
} layer_state;

struct cnn_pass {
    cnn_net *net;
    cnn_threads *threads;
    const cnn_kernels *kernels;
    int max_batch, training;
    int first_parameters;      /* layers before it need no gradient of their input */
    uint64_t random_per_image; /* dropout numbers of one image, over all layers */
    float *images;
    uint8_t *labels;
    layer_state *layers;
    float *gradients[2]; /* of the output and the input of the layer at hand, in turn */
    float *transposed;
    float *parts;    /* partial weight and bias gradients of a convolution */
    float **scratch; /* per thread */
    /* The pass that is running. */
    int n, layer;
    uint64_t step;
    float *dy, *dx;
    void **blocks; /* everything allocated, for free */
    int block_count;
    size_t bytes; /* of the blocks */
};

static const float *input_of(const cnn_pass *pass, int layer)
{
    return layer ? pass->layers[layer - 1].output : pass->images;
}

static int part_count(const cnn_layer *layer)
{
    return layer->weight_count > LARGE ? PARTS_OF_LARGE : PARTS;
}

/* ---- memory ---- */

/* Zeroed memory that lives as long as the pass; counts are products that callers keep below 2^62. */
static void *take(cnn_pass *pass, size_t count, size_t size)
{
    void *block = calloc(count ? count : 1, size);
    if (!block)
        return NULL;
    pass->blocks[pass->block_count++] = block;
    pass->bytes += count * size;
    return block;
}

static float *take_floats(cnn_pass *pass, size_t count)
{
    return take(pass, count + CNN_VECTOR_MOST, sizeof(float));
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static int take_layer(cnn_pass *pass, int index)
{
    const cnn_layer *layer = &pass->net->layers[index];
    layer_state *state = &pass->layers[index];
    const size_t outputs = (size_t)pass->max_batch * cnn_shape_count(layer->out);
    if (layer->kind == CNN_CONV) {
        const int status = cnn_conv_create(layer, &state->conv);
        if (status)
            return status;
    }
    if (layer->kind == CNN_RELU || layer->kind == CNN_DROPOUT)
        state->output = index ? pass->layers[index - 1].output : pass->images;
    else
        state->output = take_floats(pass, outputs);
    int missing = !state->output;
    if (layer->kind == CNN_MAXPOOL)
        missing |= !(state->chosen = take(pass, outputs, sizeof *state->chosen));
    if (pass->training && layer->kind == CNN_DROPOUT)
        missing |= !(state->kept = take(pass, outputs, sizeof *state->kept));
    return missing ? cnn_fail(CNN_NO_MEMORY, "layer \"%s\": no memory for %zu outputs", layer->name, outputs)
                   : CNN_OK;
}

static int take_shared(cnn_pass *pass)
{
    const size_t batch = (size_t)pass->max_batch;
    size_t scratch = cnn_linear_scratch(pass->max_batch), widest = 0, transposed = 0, parts = 0;
    for (int i = 0; i < pass->net->layer_count; i++) {
        const cnn_layer *layer = &pass->net->layers[i];
        widest = larger(widest, cnn_shape_count(layer->out));
        if (layer->kind == CNN_LINEAR)
            transposed = larger(transposed, cnn_shape_count(layer->in) * cnn_padded(batch));
        if (layer->kind != CNN_CONV)
            continue;
        const cnn_conv *conv = &pass->layers[i].conv;
        scratch = larger(scratch,
                         pass->training ? cnn_conv_backward_scratch(conv) : cnn_conv_forward_scratch(conv));
        parts = larger(parts, (size_t)part_count(layer) * (layer->weight_count + layer->bias_count));
    }
    const int threads = cnn_threads_count(pass->threads);
    int missing = !(pass->labels = take(pass, batch, 1)) ||
                  !(pass->transposed = take_floats(pass, transposed)) ||
                  !(pass->scratch = take(pass, (size_t)threads, sizeof(float *)));
    for (int i = 0; !missing && i < threads; i++)
        missing = !(pass->scratch[i] = take_floats(pass, scratch));
    if (!missing && pass->training)
        missing = !(pass->gradients[0] = take_floats(pass, batch * widest)) ||
                  !(pass->gradients[1] = take_floats(pass, batch * widest)) ||
                  !(pass->parts = take_floats(pass, parts));
    return missing ? cnn_fail(CNN_NO_MEMORY, "net: no memory for a batch of %d", pass->max_batch) : CNN_OK;
}

static int take_all(cnn_pass *pass)
{
    const cnn_net *net = pass->net;
    pass->layers = take(pass, (size_t)net->layer_count, sizeof *pass->layers);
    pass->images = take_floats(pass, (size_t)pass->max_batch * cnn_shape_count(net->input));
    if (!pass->layers || !pass->images)
        return cnn_fail(CNN_NO_MEMORY, "net: no memory for a batch of %d", pass->max_batch);
    pass->first_parameters = net->layer_count;
    for (int i = net->layer_count - 1; i >= 0; i--) {
        if (cnn_layer_has_parameters(&net->layers[i]))
            pass->first_parameters = i;
        if (net->layers[i].kind == CNN_DROPOUT)
            pass->random_per_image += cnn_shape_count(net->layers[i].out);
    }
    for (int i = 0; i < net->layer_count; i++) {
        const int status = take_layer(pass, i);
        if (status)
            return status;
    }
    return take_shared(pass);
}

int cnn_pass_create(cnn_net *net, int max_batch, int training, cnn_threads *threads, cnn_pass **out)
{
    size_t widest = cnn_shape_count(net->input);
    for (int i = 0; i < net->layer_count; i++)
        widest = larger(widest, cnn_shape_count(net->layers[i].out));
    if (max_batch < 1 || (size_t)max_batch > ((size_t)1 << 40) / widest)
        return cnn_fail(CNN_BAD_ARGUMENT, "batch: %d images of %zu values is not in 1..2^40 values",
                        max_batch, widest);
    cnn_pass *pass = calloc(1, sizeof *pass);
    /* Fixed blocks, at most two per layer, one scratch per thread. */
    void **blocks =
        calloc(16 + 2 * (size_t)net->layer_count + (size_t)cnn_threads_count(threads), sizeof *blocks);
    if (!pass || !blocks) {
        free(pass);
        free(blocks);
        return cnn_fail(CNN_NO_MEMORY, "net: no memory for a batch of %d", max_batch);
    }
    *pass = (cnn_pass){.net = net,
                       .threads = threads,
                       .kernels = cnn_kernels_get(),
                       .max_batch = max_batch,
                       .training = training,
                       .blocks = blocks};
    const int status = take_all(pass);
    if (status)
        cnn_pass_free(pass);
    else
        *out = pass;
    return status;
}

size_t cnn_pass_bytes(const cnn_pass *pass)
{
    return pass->bytes;
}

void cnn_pass_free(cnn_pass *pass)
{
    if (!pass)
        return;
    for (int i = 0; pass->layers && i < pass->net->layer_count; i++)
        cnn_conv_free(&pass->layers[i].conv);
    for (int i = 0; i < pass->block_count; i++)
        free(pass->blocks[i]);
    free(pass->blocks);
    free(pass);
}

float *cnn_pass_images(cnn_pass *pass)
{
    return pass->images;
}

uint8_t *cnn_pass_labels(cnn_pass *pass)
{
    return pass->labels;
}

const float *cnn_pass_output(const cnn_pass *pass, int index)
{
    return pass->layers[index].output;
}

const float *cnn_pass_logits(const cnn_pass *pass)
{
    return pass->layers[pass->net->layer_count - 1].output;
}

/* ---- forward: one task per image, linear layers by blocks ---- */

static void forward_image(void *context, int image, int thread)
{
    cnn_pass *pass = context;
    const cnn_layer *layer = &pass->net->layers[pass->layer];
    layer_state *state = &pass->layers[pass->layer];
    const size_t in = cnn_shape_count(layer->in), out = cnn_shape_count(layer->out), n = (size_t)image;
    const float *x = input_of(pass, pass->layer) + n * in;
    float *y = state->output + n * out;
    switch (layer->kind) {
    case CNN_CONV:
        cnn_conv_forward(pass->kernels, &state->conv, x, layer->weight, layer->bias, y,
                         pass->scratch[thread]);
        break;
    case CNN_RELU:
        cnn_relu_forward(y, out);
        break;
    case CNN_MAXPOOL:
        cnn_maxpool_forward(layer, x, y, state->chosen + n * out);
        break;
    case CNN_DROPOUT:
        cnn_dropout_forward(layer->rate, pass->net->seed, pass->step,
                            n * pass->random_per_image + layer->random_base, y, state->kept + n * out, out);
        break;
    case CNN_LINEAR:
        break;
    }
}

static cnn_linear linear_of(cnn_pass *pass)
{
    const cnn_layer *layer = &pass->net->layers[pass->layer];
    return (cnn_linear){.kernels = pass->kernels,
                        .n = pass->n,
                        .in = (int)cnn_shape_count(layer->in),
                        .out = layer->out.c,
                        .x = input_of(pass, pass->layer),
                        .weight = layer->weight,
                        .bias = layer->bias,
                        .y = pass->layers[pass->layer].output,
                        .dy = pass->dy,
                        .dx = pass->dx,
                        .weight_gradient = layer->weight_gradient,
                        .bias_gradient = layer->bias_gradient,
                        .transposed = pass->transposed,
                        .scratch = pass->scratch};
}

static void forward(cnn_pass *pass, int n, int training)
{
    pass->n = n;
    for (pass->layer = 0; pass->layer < pass->net->layer_count; pass->layer++) {
        const cnn_layer_kind kind = pass->net->layers[pass->layer].kind;
        if (kind == CNN_LINEAR) {
            cnn_linear linear = linear_of(pass);
            cnn_threads_run(pass->threads, cnn_linear_transpose_tasks(&linear), cnn_linear_transpose,
                            &linear);
            cnn_threads_run(pass->threads, cnn_linear_forward_tasks(&linear), cnn_linear_forward, &linear);
        } else if (kind != CNN_DROPOUT || training) {
            cnn_threads_run(pass->threads, n, forward_image, pass);
        }
    }
}

static cnn_batch_result losses(cnn_pass *pass, float *dlogits)
{
    const int classes = pass->net->classes;
    const float *logits = cnn_pass_logits(pass), scale = 1.0f / (float)pass->n;
    cnn_batch_result result = {0};
    for (int i = 0; i < pass->n; i++) {
        const size_t at = (size_t)i * (size_t)classes;
        int correct;
        result.loss_sum += cnn_softmax_loss(logits + at, classes, pass->labels[i], scale,
                                            dlogits ? dlogits + at : NULL, &correct);
        result.correct += correct;
    }
    return result;
}

cnn_batch_result cnn_pass_forward(cnn_pass *pass, int n)
{
    forward(pass, n, 0);
    return losses(pass, NULL);
}

/* ---- backward: convolutions by parts of the batch ---- */

static void backward_part(void *context, int part, int thread)
{
    cnn_pass *pass = context;
    const cnn_layer *layer = &pass->net->layers[pass->layer];
    const size_t in = cnn_shape_count(layer->in), out = cnn_shape_count(layer->out);
    const size_t count = layer->weight_count + layer->bias_count;
    const int parts = part_count(layer);
    float *gradient = pass->parts + (size_t)part * count;
    memset(gradient, 0, count * sizeof *gradient);
    const size_t first = (size_t)part * (size_t)pass->n / (size_t)parts;
    const size_t last = (size_t)(part + 1) * (size_t)pass->n / (size_t)parts;
    for (size_t n = first; n < last; n++)
        cnn_conv_backward(pass->kernels, &pass->layers[pass->layer].conv,
                          input_of(pass, pass->layer) + n * in, layer->weight, pass->dy + n * out, gradient,
                          gradient + layer->weight_count, pass->dx ? pass->dx + n * in : NULL,
                          pass->scratch[thread]);
}

/* Weight and bias gradient lie one behind the other in the arena, as in each part. */
static void add_parts(cnn_pass *pass)
{
    const cnn_layer *layer = &pass->net->layers[pass->layer];
    const size_t count = layer->weight_count + layer->bias_count;
    float *gradient = layer->weight_gradient;
    memcpy(gradient, pass->parts, count * sizeof *gradient);
    for (int part = 1; part < part_count(layer); part++)
        for (size_t i = 0; i < count; i++)
            gradient[i] += pass->parts[(size_t)part * count + i];
}

static void backward_image(void *context, int image, int thread)
{
    (void)thread;
    cnn_pass *pass = context;
    const cnn_layer *layer = &pass->net->layers[pass->layer];
    layer_state *state = &pass->layers[pass->layer];
    const size_t in = cnn_shape_count(layer->in), out = cnn_shape_count(layer->out), n = (size_t)image;
    float *dy = pass->dy + n * out;
    switch (layer->kind) {
    case CNN_RELU:
        cnn_relu_backward(state->output + n * out, dy, out);
        break;
    case CNN_DROPOUT:
        cnn_dropout_backward(layer->rate, state->kept + n * out, dy, out);
        break;
    case CNN_MAXPOOL:
        cnn_maxpool_backward(layer, state->chosen + n * out, dy, pass->dx + n * in);
        break;
    case CNN_CONV:
    case CNN_LINEAR:
        break;
    }
}

static void backward_layer(cnn_pass *pass)
{
    const cnn_layer *layer = &pass->net->layers[pass->layer];
    if (layer->kind == CNN_LINEAR) {
        cnn_linear linear = linear_of(pass);
        cnn_threads_run(pass->threads, cnn_linear_backward_weight_tasks(&linear), cnn_linear_backward_weight,
                        &linear);
        if (pass->dx)
            cnn_threads_run(pass->threads, cnn_linear_backward_input_tasks(&linear),
                            cnn_linear_backward_input, &linear);
    } else if (layer->kind == CNN_CONV) {
        cnn_threads_run(pass->threads, part_count(layer), backward_part, pass);
        add_parts(pass);
    } else {
        cnn_threads_run(pass->threads, pass->n, backward_image, pass);
    }
}

cnn_batch_result cnn_pass_train(cnn_pass *pass, int n, uint64_t step)
{
    pass->step = step;
    forward(pass, n, 1);
    int current = 0;
    pass->dy = pass->gradients[current];
    const cnn_batch_result result = losses(pass, pass->dy);
    for (pass->layer = pass->net->layer_count - 1; pass->layer >= pass->first_parameters; pass->layer--) {
        const cnn_layer_kind kind = pass->net->layers[pass->layer].kind;
        const int in_place = kind == CNN_RELU || kind == CNN_DROPOUT;
        pass->dx = pass->layer == pass->first_parameters ? NULL : pass->gradients[!current];
        backward_layer(pass);
        if (!in_place) {
            current = !current;
            pass->dy = pass->gradients[current];
        }
    }
    return result;
}
