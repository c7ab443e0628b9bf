/* SPDX-License-Identifier: BSD-3-Clause */
/* The network by OpenBLAS: convolutions by im2col, one image after the other, shared out among OpenMP's
 * threads; linear layers as one product of the whole batch; the rest in plain loops. */
#include "blas_conv.h"
#include "rate.h"
#include <cblas.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LAYERS = 64 };

typedef struct layer_state {
    float *y, *dy; /* [N, out]; of relu and dropout those of the layer before */
    float *mask;   /* dropout */
    int32_t *from; /* maxpool: place in the input */
} layer_state;

typedef struct blas_way {
    rate_task task;
    rate_order order;
    float *images;
    uint8_t *labels;
    layer_state layers[MOST_LAYERS];
    float *columns; /* per thread */
    float *partial; /* per thread: gradients of one convolution */
    size_t column_count, partial_count;
    float *first, *second; /* of Adam */
    uint64_t step;
    uint32_t random;
} blas_way;

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static int is_in_place(const cnn_layer *layer)
{
    return layer->kind == CNN_RELU || layer->kind == CNN_DROPOUT;
}

static const float *input_of(const blas_way *w, int index)
{
    return index ? w->layers[index - 1].y : w->images;
}

static void destroy(void *self)
{
    blas_way *w = self;
    for (int i = 0; i < w->task.net->layer_count && i < MOST_LAYERS; i++) {
        if (!i || !is_in_place(&w->task.net->layers[i])) {
            free(w->layers[i].y);
            free(w->layers[i].dy);
        }
        free(w->layers[i].mask);
        free(w->layers[i].from);
    }
    rate_order_free(&w->order);
    free(w->images);
    free(w->labels);
    free(w->columns);
    free(w->partial);
    free(w->first);
    free(w->second);
    free(w);
}

static int take_layer(blas_way *w, int index)
{
    const cnn_layer *layer = &w->task.net->layers[index];
    layer_state *state = &w->layers[index];
    const size_t count = (size_t)w->task.batch * cnn_shape_count(layer->out);
    if (index && is_in_place(layer)) {
        state->y = w->layers[index - 1].y;
        state->dy = w->layers[index - 1].dy;
    } else {
        state->y = malloc(count * sizeof *state->y);
        state->dy = malloc(count * sizeof *state->dy);
    }
    int missing = !state->y || !state->dy;
    if (layer->kind == CNN_DROPOUT)
        missing |= !(state->mask = malloc(count * sizeof *state->mask));
    if (layer->kind == CNN_MAXPOOL)
        missing |= !(state->from = malloc(count * sizeof *state->from));
    if (layer->kind == CNN_CONV) {
        w->column_count = larger(w->column_count, 2 * blas_conv_columns(layer));
        w->partial_count = larger(w->partial_count, layer->weight_count + layer->bias_count);
    }
    return missing;
}

static void *create(const rate_task *task)
{
    const size_t batch = (size_t)task->batch, threads = (size_t)task->threads;
    blas_way *w = calloc(1, sizeof *w);
    int missing = !w || task->net->layer_count > MOST_LAYERS || is_in_place(&task->net->layers[0]);
    if (missing) {
        fprintf(stderr, "rate_openblas: a network of another kind, or no memory\n");
        free(w);
        return NULL;
    }
    w->task = *task;
    w->random = 1;
    omp_set_num_threads(task->threads);
    openblas_set_num_threads(task->threads);
    for (int i = 0; i < task->net->layer_count; i++)
        missing |= take_layer(w, i);
    missing |= rate_order_create(task->set.count, &w->order) != 0;
    missing |= !(w->images = malloc(batch * cnn_shape_count(task->net->input) * sizeof(float)));
    missing |= !(w->labels = malloc(batch));
    missing |= !(w->columns = malloc(threads * w->column_count * sizeof(float)));
    missing |= !(w->partial = malloc(threads * w->partial_count * sizeof(float)));
    missing |= !(w->first = calloc(task->net->parameter_count, sizeof(float)));
    missing |= !(w->second = calloc(task->net->parameter_count, sizeof(float)));
    if (missing) {
        fprintf(stderr, "rate_openblas: no memory\n");
        destroy(w);
        return NULL;
    }
    rate_gather(task, &w->order, 1, w->images, w->labels);
    return w;
}

/* ---- forward ---- */

static void pool(const cnn_layer *layer, const float *x, float *y, int32_t *from)
{
    for (int c = 0; c < layer->out.c; c++)
        for (int p = 0; p < layer->out.h; p++)
            for (int q = 0; q < layer->out.w; q++, y++, from++) {
                int best = (c * layer->in.h + p * layer->stride) * layer->in.w + q * layer->stride;
                const int corner = best;
                for (int r = 0; r < layer->kernel_h; r++)
                    for (int s = 0; s < layer->kernel_w; s++) {
                        const int at = corner + r * layer->in.w + s;
                        best = x[at] > x[best] ? at : best;
                    }
                *y = x[best];
                *from = best;
            }
}

/* y[N,OUT] = x[N,IN] weight[OUT,IN]^T + bias */
static void linear(const cnn_layer *layer, int batch, const float *x, float *y)
{
    const int in = (int)cnn_shape_count(layer->in), out = layer->out.c;
    for (int n = 0; n < batch; n++)
        memcpy(y + (size_t)n * (size_t)out, layer->bias, (size_t)out * sizeof *y);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, batch, out, in, 1, x, in, layer->weight, in, 1, y,
                out);
}

static void forward_layer(blas_way *w, int index, int training)
{
    const cnn_layer *layer = &w->task.net->layers[index];
    const layer_state *state = &w->layers[index];
    const size_t in = cnn_shape_count(layer->in), out = cnn_shape_count(layer->out);
    const float *x = input_of(w, index);
    const int batch = w->task.batch;
    if (layer->kind == CNN_LINEAR) {
        linear(layer, batch, x, state->y);
    } else if (layer->kind == CNN_DROPOUT) {
        if (training)
            rate_dropout(state->y, state->mask, (size_t)batch * out, layer->rate, &w->random);
    } else {
#pragma omp parallel for schedule(static)
        for (int n = 0; n < batch; n++) {
            float *y = state->y + (size_t)n * out;
            if (layer->kind == CNN_CONV)
                blas_conv_forward(layer, x + (size_t)n * in, y,
                                  w->columns + (size_t)omp_get_thread_num() * w->column_count);
            else if (layer->kind == CNN_MAXPOOL)
                pool(layer, x + (size_t)n * in, y, state->from + (size_t)n * out);
            else
                for (size_t i = 0; i < out; i++)
                    y[i] = y[i] > 0 ? y[i] : 0;
        }
    }
}

static void infer(void *self)
{
    blas_way *w = self;
    for (int i = 0; i < w->task.net->layer_count; i++)
        forward_layer(w, i, 0);
}

/* ---- backward ---- */

static void backward_conv(blas_way *w, int index, float *dx)
{
    const cnn_layer *layer = &w->task.net->layers[index];
    const size_t in = cnn_shape_count(layer->in), out = cnn_shape_count(layer->out);
    const size_t count = layer->weight_count + layer->bias_count;
    const float *x = input_of(w, index), *dy = w->layers[index].dy;
    memset(w->partial, 0, (size_t)w->task.threads * w->partial_count * sizeof *w->partial);
#pragma omp parallel for schedule(static)
    for (int n = 0; n < w->task.batch; n++) {
        const size_t thread = (size_t)omp_get_thread_num();
        blas_conv_backward(layer, x + (size_t)n * in, dy + (size_t)n * out,
                           w->partial + thread * w->partial_count, dx ? dx + (size_t)n * in : NULL,
                           w->columns + thread * w->column_count);
    }
    /* Weights and biases of a layer lie one behind the other in the arena. */
    memcpy(layer->weight_gradient, w->partial, count * sizeof(float));
    for (int thread = 1; thread < w->task.threads; thread++)
        for (size_t i = 0; i < count; i++)
            layer->weight_gradient[i] += w->partial[(size_t)thread * w->partial_count + i];
}

static void backward_linear(const blas_way *w, int index, float *dx)
{
    const cnn_layer *layer = &w->task.net->layers[index];
    const int in = (int)cnn_shape_count(layer->in), out = layer->out.c, batch = w->task.batch;
    const float *dy = w->layers[index].dy;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, out, in, batch, 1, dy, out, input_of(w, index), in,
                0, layer->weight_gradient, in);
    memset(layer->bias_gradient, 0, (size_t)out * sizeof(float));
    for (int n = 0; n < batch; n++)
        for (int k = 0; k < out; k++)
            layer->bias_gradient[k] += dy[(size_t)n * (size_t)out + (size_t)k];
    if (dx)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, batch, in, out, 1, dy, out, layer->weight, in,
                    0, dx, in);
}

static void backward_rest(const blas_way *w, int index, float *dx)
{
    const cnn_layer *layer = &w->task.net->layers[index];
    const layer_state *state = &w->layers[index];
    const size_t in = cnn_shape_count(layer->in), out = cnn_shape_count(layer->out);
#pragma omp parallel for schedule(static)
    for (int n = 0; n < w->task.batch; n++) {
        const size_t at = (size_t)n * out;
        float *dy = state->dy + at;
        if (layer->kind == CNN_RELU) {
            for (size_t i = 0; i < out; i++)
                dy[i] = state->y[at + i] > 0 ? dy[i] : 0;
        } else if (layer->kind == CNN_DROPOUT) {
            for (size_t i = 0; i < out; i++)
                dy[i] *= state->mask[at + i];
        } else {
            memset(dx + (size_t)n * in, 0, in * sizeof *dx);
            for (size_t i = 0; i < out; i++)
                dx[(size_t)n * in + (size_t)state->from[at + i]] += dy[i];
        }
    }
}

static void backward(blas_way *w)
{
    const cnn_net *net = w->task.net;
    for (int i = net->layer_count - 1; i >= 0; i--) {
        float *dx = i ? w->layers[i - 1].dy : NULL;
        if (net->layers[i].kind == CNN_CONV)
            backward_conv(w, i, dx);
        else if (net->layers[i].kind == CNN_LINEAR)
            backward_linear(w, i, dx);
        else if (dx)
            backward_rest(w, i, dx);
    }
}

static double train(void *self, int fixed)
{
    blas_way *w = self;
    cnn_net *net = w->task.net;
    const layer_state *last = &w->layers[net->layer_count - 1];
    rate_gather(&w->task, &w->order, fixed, w->images, w->labels);
    for (int i = 0; i < net->layer_count; i++)
        forward_layer(w, i, 1);
    const double loss = rate_loss(last->y, w->labels, w->task.batch, net->classes, last->dy);
    backward(w);
    rate_adam(net->parameters, net->gradients, w->first, w->second, net->parameter_count, ++w->step);
    return loss;
}

int main(int argc, char **argv)
{
    static const rate_way way = {create, destroy, train, infer, NULL};
    return rate_main(argc, argv, &way);
}
