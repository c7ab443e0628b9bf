/* SPDX-License-Identifier: BSD-3-Clause */
#include "beside.h"
#include "pass_parts.h"
#include <string.h>

/* ---- one image back through a run of layers ---- */

/* The gradients of an image at hand: of the output of a layer, and where that of its input goes. */
typedef struct image_gradients {
    float *dy, *dx;
} image_gradients;

static void swap(image_gradients *gradients)
{
    float *dy = gradients->dy;
    gradients->dy = gradients->dx;
    gradients->dx = dy;
}

static size_t gradient_count(const cnn_layer *layer)
{
    return layer->weight_count + layer->bias_count;
}

static void backward_conv(cnn_pass *pass, int index, int image, int part, float *scratch,
                          image_gradients *gradients)
{
    const cnn_layer *layer = &pass->net->layers[index];
    const layer_state *state = &pass->layers[index];
    float *gradient = state->parts + (size_t)part * gradient_count(layer);
    cnn_conv_backward(&pass->kernels, &state->conv, cnn_image(cnn_input_of(pass, index), image, 0),
                      gradients->dy, gradient, gradient + layer->weight_count,
                      index == pass->first_parameters ? NULL : gradients->dx, scratch);
    swap(gradients);
}

static void backward_pool(cnn_pass *pass, int index, int image, image_gradients *gradients)
{
    const layer_state *state = &pass->layers[index];
    const cnn_pool pool = cnn_pass_pool(pass, index);
    pass->kernels.unpool(&pool, gradients->dy, cnn_chosen(state, image), gradients->dx);
    swap(gradients);
}

/* Whether a relu is done by the pooling behind it. */
static int is_done_by_pool(const cnn_pass *pass, int index)
{
    const cnn_layer *layers = pass->net->layers;
    return index + 1 < pass->end && layers[index].kind == CNN_RELU && layers[index + 1].kind == CNN_MAXPOOL;
}

static void backward_layer(cnn_pass *pass, int index, int image, int part, float *scratch,
                           image_gradients *gradients)
{
    const cnn_layer *layer = &pass->net->layers[index];
    const layer_state *state = &pass->layers[index];
    const size_t count = cnn_shape_count(layer->out);
    switch (layer->kind) {
    case CNN_CONV:
        backward_conv(pass, index, image, part, scratch, gradients);
        break;
    case CNN_RELU:
        if (!is_done_by_pool(pass, index))
            cnn_relu_backward(cnn_image(state->output, image, 0), gradients->dy, count);
        break;
    case CNN_MAXPOOL:
        backward_pool(pass, index, image, gradients);
        break;
    case CNN_DROPOUT:
        cnn_dropout_backward(layer->rate, state->kept + (size_t)image * count, gradients->dy, count);
        break;
    case CNN_LINEAR:
        break;
    }
}

static void backward_image(cnn_pass *pass, int image, int part, int thread)
{
    image_gradients gradients = {pass->scratch[thread], pass->scratch[thread] + pass->image_gradient};
    const cnn_shape out = pass->net->layers[pass->end - 1].out, in = pass->net->layers[pass->begin].in;
    cnn_pass_tell(pass, thread, CNN_PASS_NO_LAYER, CNN_PASS_BACKWARD);
    cnn_channels_last(&pass->kernels, out, pass->dy + (size_t)image * cnn_shape_count(out), gradients.dy);
    for (int i = pass->end - 1; i >= pass->begin; i--) {
        backward_layer(pass, i, image, part, cnn_layer_scratch(pass, thread), &gradients);
        if (!is_done_by_pool(pass, i))
            cnn_pass_tell(pass, thread, i, CNN_PASS_BACKWARD);
    }
    if (pass->begin > pass->first_parameters)
        cnn_channels_first(&pass->kernels, in, gradients.dy, pass->dx + (size_t)image * cnn_shape_count(in));
    cnn_pass_tell(pass, thread, pass->begin, CNN_PASS_BACKWARD);
}

/* ---- a run of layers: by parts of the batch ---- */

static void backward_part(void *context, int part, int thread)
{
    cnn_pass *pass = context;
    for (int i = pass->begin; i < pass->end; i++) {
        const size_t count = gradient_count(&pass->net->layers[i]);
        if (count)
            memset(pass->layers[i].parts + (size_t)part * count, 0, count * sizeof(float));
    }
    const int first = cnn_part_begin(pass->n, pass->part_count, part),
              last = cnn_part_begin(pass->n, pass->part_count, part + 1);
    for (int image = first; image < last; image++)
        backward_image(pass, image, part, thread);
}

static void add_parts(void *context, int index, int thread)
{
    (void)thread;
    const cnn_pass *pass = context;
    const cnn_layer *layer = &pass->net->layers[pass->conv];
    const layer_state *state = &pass->layers[pass->conv];
    cnn_conv_add_parts(&pass->kernels, &state->conv, state->parts, pass->part_count, layer->weight_gradient,
                       layer->bias_gradient, index);
}

static void backward_run(cnn_pass *pass, int begin, int end)
{
    const cnn_net *net = pass->net;
    pass->begin = begin;
    pass->end = end;
    pass->part_count = cnn_pass_parts(net, begin, end, pass->n);
    cnn_beside_run(pass->threads, 2.0 * pass->n * cnn_pass_run_work(net, begin, end), pass->part_count,
                   backward_part, pass, pass->part.beside);
    cnn_pass_tell(pass, CNN_PASS_ALL_THREADS, CNN_PASS_NO_LAYER, CNN_PASS_BACKWARD);
    for (pass->conv = begin; pass->conv < end; pass->conv++)
        if (net->layers[pass->conv].kind == CNN_CONV) {
            const double values = (double)pass->part_count * (double)net->layers[pass->conv].weight_count;
            cnn_threads_run(cnn_threads_for(pass->threads, CNN_WORK_MOVE * values),
                            cnn_conv_weight_tasks(&pass->layers[pass->conv].conv), add_parts, pass);
            cnn_pass_tell(pass, CNN_PASS_ALL_THREADS, pass->conv, CNN_PASS_BACKWARD);
        }
}

static void backward_linear(cnn_pass *pass, int index)
{
    cnn_linear linear = cnn_pass_linear(pass, index);
    if (index == pass->first_parameters)
        linear.dx = NULL;
    const int products = linear.dx ? 2 : 1;
    cnn_threads_run(cnn_threads_for(pass->threads, products * cnn_linear_pick_work(&linear, linear.out)),
                    cnn_linear_pick_gradient_tasks(&linear), cnn_linear_pick_gradient, &linear);
    cnn_beside_run(pass->threads, products * cnn_linear_product_work(&linear),
                   cnn_linear_backward_tasks(&linear), cnn_linear_backward, &linear, pass->part.beside);
    cnn_pass_tell(pass, CNN_PASS_ALL_THREADS, index, CNN_PASS_BACKWARD);
}

/* What no image adds to. */
static void clear_gradients(const cnn_net *net, int begin, int end)
{
    for (int i = begin; i < end; i++) {
        const cnn_layer *layer = &net->layers[i];
        if (!cnn_layer_has_parameters(layer))
            continue;
        memset(layer->weight_gradient, 0, layer->weight_count * sizeof(float));
        memset(layer->bias_gradient, 0, layer->bias_count * sizeof(float));
    }
}

void cnn_pass_run_backward(cnn_pass *pass)
{
    const cnn_net *net = pass->net;
    int current = 0;
    for (int end = net->layer_count; end > pass->first_parameters; current = !current) {
        pass->dy = pass->gradients[current];
        pass->dx = pass->gradients[!current];
        const int is_run = cnn_run_begin(net, end, pass->first_parameters) < end,
                  begin = is_run ? cnn_run_begin(net, end, pass->first_parameters) : end - 1;
        if (!pass->n)
            clear_gradients(net, begin, end);
        else if (is_run)
            backward_run(pass, begin, end);
        else
            backward_linear(pass, begin);
        end = begin;
        if (pass->part.ready)
            pass->part.ready(pass->part.context, begin);
    }
}
