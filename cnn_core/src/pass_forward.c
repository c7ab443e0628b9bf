/* SPDX-License-Identifier: BSD-3-Clause */
#include "pass_parts.h"

/* ---- weights of convolutions, as their kernels want them ---- */

static void pack_some(void *context, int index, int thread)
{
    (void)thread;
    cnn_pass *pass = context;
    int layer = 0;
    for (;; layer++) {
        if (pass->net->layers[layer].kind != CNN_CONV)
            continue;
        const int tasks = cnn_conv_weight_tasks(&pass->layers[layer].conv);
        if (index < tasks)
            break;
        index -= tasks;
    }
    cnn_conv_pack(&pass->kernels, &pass->layers[layer].conv, pass->net->layers[layer].weight, index);
}

static void pack(cnn_pass *pass)
{
    int tasks = 0;
    double weights = 0;
    for (int i = 0; i < pass->net->layer_count; i++)
        if (pass->net->layers[i].kind == CNN_CONV) {
            tasks += cnn_conv_weight_tasks(&pass->layers[i].conv);
            weights += (double)pass->net->layers[i].weight_count;
        }
    cnn_threads_run(cnn_threads_for(pass->threads, CNN_WORK_MOVE * weights), tasks, pack_some, pass);
}

/* ---- one image through a run of layers ---- */

static void drop(cnn_pass *pass, int index, int image, int thread)
{
    const cnn_layer *layer = &pass->net->layers[index];
    const layer_state *state = &pass->layers[index];
    const cnn_dropout dropout = {
        .kernels = &pass->kernels,
        .rate = layer->rate,
        .seed = pass->net->seed,
        .step = pass->step,
        .position = (pass->part.share.first + (uint64_t)image) * pass->random_per_image + layer->random_base,
        .channels = (size_t)layer->out.c,
        .pixels = (size_t)layer->out.h * (size_t)layer->out.w};
    cnn_dropout_forward(&dropout, cnn_image(state->output, image, thread),
                        state->kept + (size_t)image * cnn_shape_count(layer->out));
}

/* A convolution of an image, some positions of which are a task. */
typedef struct banded_conv {
    const cnn_pass *pass;
    int index;
    const float *copy;
    float *y;
} banded_conv;

static void forward_band(void *context, int band, int thread)
{
    (void)thread;
    const banded_conv *b = context;
    const cnn_pass *pass = b->pass;
    const cnn_conv *conv = &pass->layers[b->index].conv;
    const int first = cnn_part_begin(conv->positions, pass->bands, band),
              last = cnn_part_begin(conv->positions, pass->bands, band + 1);
    cnn_conv_forward(&pass->kernels, conv, b->copy, first, last - first, pass->net->layers[b->index].bias,
                     cnn_is_fused_relu(pass->net, b->index + 1), b->y);
}

/* A convolution and the pooling behind it. */
static void forward_pooled(cnn_pass *pass, int index, int behind, const float *copy, int image, int thread)
{
    const layer_state *pooled = &pass->layers[behind];
    const cnn_shape out = pooled->output->shape;
    cnn_conv_forward_pooled(&pass->kernels, &pass->layers[index].conv, copy, pass->layers[index].windows,
                            out.h * out.w, pass->net->layers[index].bias, behind > index + 1,
                            cnn_image(pooled->output, image, thread), cnn_chosen(pooled, image));
}

/* Threads that are at images of their own have one band each. Returns the last layer that is done: perhaps
 * the pooling behind. */
static int forward_conv(cnn_pass *pass, int index, int image, int thread)
{
    const float *x = cnn_image(cnn_input_of(pass, index), image, thread);
    float *y = cnn_image(pass->layers[index].output, image, thread);
    const cnn_conv *conv = &pass->layers[index].conv;
    if (pass->bands == 1 && cnn_conv_is_sparse(&pass->kernels, conv, x)) {
        cnn_conv_forward_sparse(&pass->kernels, conv, x, pass->net->layers[index].bias,
                                cnn_is_fused_relu(pass->net, index + 1), y);
        return index;
    }
    float *copy = cnn_layer_scratch(pass, thread);
    banded_conv b = {pass, index, copy, y};
    cnn_threads *threads = pass->bands > 1 ? pass->threads : NULL;
    cnn_conv_lay_out(conv, x, copy);
    if (pass->bands == 1 && pass->layers[index].windows) {
        const int behind = cnn_layer_behind(pass->net, index);
        forward_pooled(pass, index, behind, copy, image, thread);
        return behind;
    }
    cnn_threads_run(cnn_threads_for(threads, cnn_pass_run_work(pass->net, index, index + 1)), pass->bands,
                    forward_band, &b);
    return index;
}

/* Returns the last layer that is done with it. */
static int forward_layer(cnn_pass *pass, int index, int image, int thread)
{
    const cnn_layer *layer = &pass->net->layers[index];
    const layer_state *state = &pass->layers[index];
    const float *x = cnn_image(cnn_input_of(pass, index), image, thread);
    float *y = cnn_image(state->output, image, thread);
    const size_t count = cnn_shape_count(layer->out);
    switch (layer->kind) {
    case CNN_CONV:
        return forward_conv(pass, index, image, thread);
    case CNN_RELU:
        if (!cnn_is_fused_relu(pass->net, index))
            cnn_relu_forward(y, count);
        break;
    case CNN_MAXPOOL: {
        const cnn_pool pool = cnn_pass_pool(pass, index);
        pass->kernels.pool(&pool, x, y, cnn_chosen(state, image));
        break;
    }
    case CNN_DROPOUT:
        if (pass->is_training)
            drop(pass, index, image, thread);
        break;
    case CNN_LINEAR:
        break;
    }
    return index;
}

static float *image_first(const activation *values, int image)
{
    return values->first + (size_t)image * cnn_shape_count(values->shape);
}

static void forward_image(void *context, int image, int thread)
{
    cnn_pass *pass = context;
    const int teller = pass->bands > 1 ? CNN_PASS_ALL_THREADS : thread;
    activation *input = cnn_input_of(pass, pass->begin), *output = cnn_input_of(pass, pass->end);
    cnn_pass_tell(pass, teller, CNN_PASS_NO_LAYER, CNN_PASS_FORWARD);
    if (pass->begin == 0 && input->last != input->first)
        cnn_channels_last(&pass->kernels, input->shape, image_first(input, image),
                          cnn_image(input, image, thread));
    for (int i = pass->begin; i < pass->end; i++) {
        const int last = forward_layer(pass, i, image, thread);
        if (!cnn_is_fused_relu(pass->net, i))
            cnn_pass_tell(pass, teller, i, CNN_PASS_FORWARD);
        i = last;
    }
    /* A run ends before a linear layer. */
    if (output->last != output->first)
        cnn_channels_first(&pass->kernels, output->shape, cnn_image(output, image, thread),
                           image_first(output, image));
    cnn_pass_tell(pass, teller, pass->end - 1, CNN_PASS_FORWARD);
}

/* Images are shared out among threads, or, where most would have none, the convolutions of one after the
 * other. */
static void forward_run(cnn_pass *pass, int begin, int end)
{
    const int threads = cnn_threads_count(pass->threads);
    pass->begin = begin;
    pass->end = end;
    pass->bands = pass->n <= threads / 2 ? threads : 1;
    if (pass->bands > 1)
        for (int image = 0; image < pass->n; image++)
            forward_image(pass, image, 0);
    else
        cnn_threads_run(cnn_threads_for(pass->threads, pass->n * cnn_pass_run_work(pass->net, begin, end)),
                        pass->n, forward_image, pass);
    cnn_pass_tell(pass, CNN_PASS_ALL_THREADS, CNN_PASS_NO_LAYER, CNN_PASS_FORWARD);
}

static void forward_linear(cnn_pass *pass, int layer)
{
    cnn_linear linear = cnn_pass_linear(pass, layer);
    cnn_threads_run(cnn_threads_for(pass->threads, cnn_linear_pick_work(&linear, linear.in)),
                    cnn_linear_count_tasks(&linear), cnn_linear_count, &linear);
    cnn_threads_run(cnn_threads_for(pass->threads, cnn_linear_pick_work(&linear, linear.in)),
                    cnn_linear_prepare_tasks(&linear), cnn_linear_prepare, &linear);
    cnn_threads_run(cnn_threads_for(pass->threads, cnn_linear_product_work(&linear)),
                    cnn_linear_forward_tasks(&linear), cnn_linear_forward, &linear);
}

void cnn_pass_run_forward(cnn_pass *pass, int n, int training)
{
    const cnn_net *net = pass->net;
    pass->n = n;
    pass->is_training = training;
    cnn_pass_tell(pass, CNN_PASS_ALL_THREADS, CNN_PASS_NO_LAYER, CNN_PASS_FORWARD);
    pack(pass);
    cnn_pass_tell(pass, CNN_PASS_ALL_THREADS, CNN_PASS_NO_LAYER, CNN_PASS_FORWARD);
    for (int layer = 0; layer < net->layer_count;) {
        const int end = cnn_run_end(net, layer);
        for (int i = layer; i < end; i++)
            pass->layers[i].output->first_is_old = i < end - 1;
        if (end > layer) {
            forward_run(pass, layer, end);
        } else {
            forward_linear(pass, layer);
            cnn_pass_tell(pass, CNN_PASS_ALL_THREADS, layer, CNN_PASS_FORWARD);
        }
        layer = end > layer ? end : layer + 1;
    }
}
