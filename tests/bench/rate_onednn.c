/* SPDX-License-Identifier: BSD-3-Clause */
/* The network by oneDNN 2 from C: its primitives for convolutions and linear layers with their relu fused,
 * for pooling, and for all of their backward passes, in the layouts that it chooses; dropout, loss and Adam
 * in plain loops over them. */
#include "onednn_steps.h"
#include "rate.h"
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LAYERS = 64 };

/* Of one layer; relu and dropout share those of the layer before. */
typedef struct layer_state {
    dnnl_memory_t x, y;   /* as the primitive reads and writes them */
    dnnl_memory_t dy, dx; /* gradients, in the layouts of y and of the layer before's y */
    dnnl_memory_t weight, bias, weight_gradient, bias_gradient;
    float *moments; /* of Adam: two of the weights, two of the biases */
    dnnl_memory_t workspace;
    dnnl_primitive_desc_t forward;
    float *mask;
    size_t count; /* dropout: values of y */
    int relu;     /* fused with the one after */
} layer_state;

typedef struct onednn_way {
    rate_task task;
    rate_order order;
    onednn d;
    onednn_list forward, backward;
    dnnl_memory_t images, logits, dlogits;
    uint8_t *labels;
    layer_state layers[MOST_LAYERS];
    uint64_t step;
    uint32_t random;
} onednn_way;

/* ---- geometry ---- */

static dnnl_memory_desc_t layout(int count, const dnnl_dim_t *sizes, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t found;
    dnnl_memory_desc_init_by_tag(&found, count, sizes, dnnl_f32, tag);
    return found;
}

/* [N, C, H, W], or [N, C] of a vector. */
static dnnl_memory_desc_t values_of(int batch, cnn_shape shape, int flat, dnnl_format_tag_t tag)
{
    const dnnl_dims_t sizes = {batch, shape.c, shape.h, shape.w};
    return layout(flat ? 2 : 4, sizes, tag);
}

static int is_vector(cnn_shape shape)
{
    return shape.h == 1 && shape.w == 1;
}

static dnnl_memory_desc_t weights_of(const cnn_layer *layer, int any)
{
    const int flat = layer->kind == CNN_LINEAR && is_vector(layer->in);
    const dnnl_dims_t sizes = {layer->out.c, layer->in.c,
                               layer->kind == CNN_CONV ? layer->kernel_h : layer->in.h,
                               layer->kind == CNN_CONV ? layer->kernel_w : layer->in.w};
    return layout(flat ? 2 : 4, sizes, any ? dnnl_format_tag_any : flat ? dnnl_ab : dnnl_abcd);
}

static dnnl_memory_desc_t biases_of(const cnn_layer *layer)
{
    const dnnl_dims_t sizes = {layer->out.c};
    return layout(1, sizes, dnnl_a);
}

typedef struct window {
    dnnl_dims_t stride, kernel, before, after;
} window;

static window window_of(const cnn_layer *layer)
{
    window w = {.stride = {layer->stride, layer->stride},
                .kernel = {layer->kernel_h, layer->kernel_w},
                .before = {layer->pad_top, layer->pad_left}};
    const int rows = (layer->out.h - 1) * layer->stride + layer->kernel_h - layer->in.h - layer->pad_top;
    const int columns = (layer->out.w - 1) * layer->stride + layer->kernel_w - layer->in.w - layer->pad_left;
    w.after[0] = rows > 0 ? rows : 0;
    w.after[1] = columns > 0 ? columns : 0;
    return w;
}

/* ---- what oneDNN has no primitive for ---- */

static void drop(void *context, int index)
{
    onednn_way *w = context;
    layer_state *state = &w->layers[index];
    rate_dropout(onednn_data(&w->d, state->y), state->mask, state->count, w->task.net->layers[index].rate,
                 &w->random);
}

static void drop_backward(void *context, int index)
{
    onednn_way *w = context;
    const layer_state *state = &w->layers[index];
    float *dy = onednn_data(&w->d, state->dy);
    for (size_t i = 0; i < state->count; i++)
        dy[i] *= state->mask[i];
}

/* ---- forward ---- */

static dnnl_primitive_attr_t with_relu(onednn_way *w)
{
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t operations = NULL;
    onednn_ok(&w->d, dnnl_primitive_attr_create(&attributes), "attributes");
    onednn_ok(&w->d, dnnl_post_ops_create(&operations), "attributes");
    onednn_ok(&w->d, dnnl_post_ops_append_eltwise(operations, 1, dnnl_eltwise_relu, 0, 0), "attributes");
    onednn_ok(&w->d, dnnl_primitive_attr_set_post_ops(attributes, operations), "attributes");
    dnnl_post_ops_destroy(operations);
    return attributes;
}

/* Parameters in the layout that the primitive wants, from those of the network. */
static void take_parameters(onednn_way *w, const cnn_layer *layer, layer_state *state)
{
    onednn_list once = {.count = 0};
    const dnnl_memory_desc_t plain = weights_of(layer, 0), biases = biases_of(layer);
    const dnnl_memory_t given = onednn_memory(&w->d, &plain, layer->weight);
    state->weight = onednn_memory(&w->d, onednn_layout(state->forward, dnnl_query_weights_md), NULL);
    state->bias = onednn_memory(&w->d, &biases, NULL);
    if (w->d.failed)
        return;
    memcpy(onednn_data(&w->d, state->bias), layer->bias, layer->bias_count * sizeof(float));
    onednn_reorder(&w->d, &once, given, state->weight);
    onednn_run(&w->d, &once, w);
    onednn_list_free(&once);
    const size_t count = 2 * (onednn_count(&w->d, state->weight) + layer->bias_count);
    state->moments = calloc(count, sizeof *state->moments);
    if (!state->moments)
        onednn_ok(&w->d, dnnl_out_of_memory, "moments");
}

static void forward_parameters(onednn_way *w, int index, dnnl_memory_t x, dnnl_prop_kind_t kind)
{
    const cnn_layer *layer = &w->task.net->layers[index];
    layer_state *state = &w->layers[index];
    const int is_conv = layer->kind == CNN_CONV;
    const dnnl_memory_desc_t in = values_of(w->task.batch, layer->in, !is_conv && is_vector(layer->in),
                                            dnnl_format_tag_any),
                             out = values_of(w->task.batch, layer->out, !is_conv,
                                             is_conv ? dnnl_format_tag_any : dnnl_ab),
                             weights = weights_of(layer, 1), biases = biases_of(layer);
    dnnl_primitive_attr_t attributes = state->relu ? with_relu(w) : NULL;
    if (is_conv) {
        const window g = window_of(layer);
        dnnl_convolution_desc_t operation;
        onednn_ok(&w->d,
                  dnnl_convolution_forward_desc_init(&operation, kind, dnnl_convolution_auto, &in, &weights,
                                                     &biases, &out, g.stride, g.before, g.after),
                  layer->name);
        state->forward = onednn_describe(&w->d, &operation, attributes, NULL);
    } else {
        dnnl_inner_product_desc_t operation;
        onednn_ok(&w->d, dnnl_inner_product_forward_desc_init(&operation, kind, &in, &weights, &biases, &out),
                  layer->name);
        state->forward = onednn_describe(&w->d, &operation, attributes, NULL);
    }
    if (attributes)
        dnnl_primitive_attr_destroy(attributes);
    if (w->d.failed)
        return;
    take_parameters(w, layer, state);
    state->x = onednn_as(&w->d, &w->forward, x, onednn_layout(state->forward, dnnl_query_src_md));
    state->y = onednn_memory(&w->d, onednn_layout(state->forward, dnnl_query_dst_md), NULL);
    onednn_step_add(&w->d, &w->forward, state->forward,
                    (dnnl_exec_arg_t[]){{DNNL_ARG_SRC, state->x},
                                        {DNNL_ARG_WEIGHTS, state->weight},
                                        {DNNL_ARG_BIAS, state->bias},
                                        {DNNL_ARG_DST, state->y},
                                        {0, NULL}});
}

static const dnnl_memory_desc_t *layout_of(dnnl_memory_t memory)
{
    const dnnl_memory_desc_t *found = NULL;
    dnnl_memory_get_memory_desc(memory, &found);
    return found;
}

static void forward_pool(onednn_way *w, int index, dnnl_memory_t x, dnnl_prop_kind_t kind)
{
    const cnn_layer *layer = &w->task.net->layers[index];
    layer_state *state = &w->layers[index];
    const window g = window_of(layer);
    const dnnl_memory_desc_t out = values_of(w->task.batch, layer->out, 0, dnnl_format_tag_any);
    dnnl_pooling_desc_t operation;
    if (w->d.failed)
        return;
    onednn_ok(&w->d,
              dnnl_pooling_forward_desc_init(&operation, kind, dnnl_pooling_max, layout_of(x), &out, g.stride,
                                             g.kernel, g.before, g.after),
              layer->name);
    state->forward = onednn_describe(&w->d, &operation, NULL, NULL);
    if (w->d.failed)
        return;
    state->x = x;
    state->y = onednn_memory(&w->d, onednn_layout(state->forward, dnnl_query_dst_md), NULL);
    dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, state->y}, {0, NULL}, {0, NULL}};
    if (kind == dnnl_forward_training) {
        state->workspace = onednn_memory(&w->d, onednn_layout(state->forward, dnnl_query_workspace_md), NULL);
        arguments[2] = (dnnl_exec_arg_t){DNNL_ARG_WORKSPACE, state->workspace};
    }
    onednn_step_add(&w->d, &w->forward, state->forward, arguments);
}

static void build_forward(onednn_way *w)
{
    const cnn_net *net = w->task.net;
    const dnnl_prop_kind_t kind = w->task.training ? dnnl_forward_training : dnnl_forward_inference;
    const dnnl_memory_desc_t images = values_of(w->task.batch, net->input, 0, dnnl_abcd);
    dnnl_memory_t x = w->images = onednn_memory(&w->d, &images, NULL);
    for (int i = 0; i < net->layer_count && !w->d.failed; i++) {
        layer_state *state = &w->layers[i];
        state->relu = i + 1 < net->layer_count && net->layers[i + 1].kind == CNN_RELU;
        if (cnn_layer_has_parameters(&net->layers[i])) {
            forward_parameters(w, i, x, kind);
        } else if (net->layers[i].kind == CNN_MAXPOOL) {
            forward_pool(w, i, x, kind);
        } else if (i &&
                   (net->layers[i].kind == CNN_DROPOUT || cnn_layer_has_parameters(&net->layers[i - 1]))) {
            state->y = x;
            if (net->layers[i].kind == CNN_DROPOUT && w->task.training) {
                state->count = onednn_count(&w->d, x);
                state->mask = malloc(state->count * sizeof *state->mask);
                if (!state->mask)
                    onednn_ok(&w->d, dnnl_out_of_memory, "dropout");
                onednn_function_add(&w->d, &w->forward, drop, i);
            }
        } else {
            onednn_ok(&w->d, dnnl_unimplemented, net->layers[i].name);
        }
        x = state->y;
    }
    w->logits = x;
}

/* ---- backward ---- */

static void backward_relu(onednn_way *w, int index)
{
    const layer_state *state = &w->layers[index];
    dnnl_eltwise_desc_t operation, forward;
    const dnnl_memory_desc_t *y = layout_of(state->y), *dy = layout_of(state->dy);
    onednn_ok(&w->d,
              dnnl_eltwise_forward_desc_init(&forward, dnnl_forward_training,
                                             dnnl_eltwise_relu_use_dst_for_bwd, y, 0, 0),
              "relu");
    onednn_ok(&w->d,
              dnnl_eltwise_backward_desc_init(&operation, dnnl_eltwise_relu_use_dst_for_bwd, dy, y, 0, 0),
              "relu");
    const dnnl_primitive_desc_t hint = onednn_describe(&w->d, &forward, NULL, NULL);
    const dnnl_primitive_desc_t made = onednn_describe(&w->d, &operation, NULL, hint);
    if (w->d.failed)
        return;
    onednn_step_add(&w->d, &w->backward, made,
                    (dnnl_exec_arg_t[]){{DNNL_ARG_DST, state->y},
                                        {DNNL_ARG_DIFF_DST, state->dy},
                                        {DNNL_ARG_DIFF_SRC, state->dy},
                                        {0, NULL}});
    dnnl_primitive_desc_destroy(made);
    dnnl_primitive_desc_destroy(hint);
}

/* The gradients of weights and biases, in the layouts of weights and biases. */
static void backward_weights(onednn_way *w, int index, const dnnl_memory_desc_t *in,
                             const dnnl_memory_desc_t *out)
{
    const cnn_layer *layer = &w->task.net->layers[index];
    layer_state *state = &w->layers[index];
    const dnnl_memory_desc_t weights = weights_of(layer, 1), biases = biases_of(layer);
    dnnl_primitive_desc_t made;
    if (layer->kind == CNN_CONV) {
        const window g = window_of(layer);
        dnnl_convolution_desc_t operation;
        onednn_ok(&w->d,
                  dnnl_convolution_backward_weights_desc_init(&operation, dnnl_convolution_auto, in, &weights,
                                                              &biases, out, g.stride, g.before, g.after),
                  layer->name);
        made = onednn_describe(&w->d, &operation, NULL, state->forward);
    } else {
        dnnl_inner_product_desc_t operation;
        onednn_ok(&w->d,
                  dnnl_inner_product_backward_weights_desc_init(&operation, in, &weights, &biases, out),
                  layer->name);
        made = onednn_describe(&w->d, &operation, NULL, state->forward);
    }
    if (w->d.failed)
        return;
    const dnnl_memory_t gradient =
        onednn_memory(&w->d, onednn_layout(made, dnnl_query_diff_weights_md), NULL);
    state->bias_gradient = onednn_memory(&w->d, &biases, NULL);
    const dnnl_memory_t x = onednn_as(&w->d, &w->backward, state->x, onednn_layout(made, dnnl_query_src_md));
    const dnnl_memory_t dy =
        onednn_as(&w->d, &w->backward, state->dy, onednn_layout(made, dnnl_query_diff_dst_md));
    onednn_step_add(&w->d, &w->backward, made,
                    (dnnl_exec_arg_t[]){{DNNL_ARG_SRC, x},
                                        {DNNL_ARG_DIFF_DST, dy},
                                        {DNNL_ARG_DIFF_WEIGHTS, gradient},
                                        {DNNL_ARG_DIFF_BIAS, state->bias_gradient},
                                        {0, NULL}});
    if (!w->d.failed)
        state->weight_gradient = onednn_as(&w->d, &w->backward, gradient, layout_of(state->weight));
    dnnl_primitive_desc_destroy(made);
}

/* The gradient of the input, in the layout of the output of the layer before. */
static void backward_data(onednn_way *w, int index, const dnnl_memory_desc_t *in,
                          const dnnl_memory_desc_t *out)
{
    const cnn_layer *layer = &w->task.net->layers[index];
    layer_state *state = &w->layers[index];
    const dnnl_memory_desc_t weights = weights_of(layer, 1);
    dnnl_primitive_desc_t made;
    if (layer->kind == CNN_CONV) {
        const window g = window_of(layer);
        dnnl_convolution_desc_t operation;
        onednn_ok(&w->d,
                  dnnl_convolution_backward_data_desc_init(&operation, dnnl_convolution_auto, in, &weights,
                                                           out, g.stride, g.before, g.after),
                  layer->name);
        made = onednn_describe(&w->d, &operation, NULL, state->forward);
    } else {
        dnnl_inner_product_desc_t operation;
        onednn_ok(&w->d, dnnl_inner_product_backward_data_desc_init(&operation, in, &weights, out),
                  layer->name);
        made = onednn_describe(&w->d, &operation, NULL, state->forward);
    }
    if (w->d.failed)
        return;
    const dnnl_memory_t weight =
        onednn_as(&w->d, &w->backward, state->weight, onednn_layout(made, dnnl_query_weights_md));
    const dnnl_memory_t dy =
        onednn_as(&w->d, &w->backward, state->dy, onednn_layout(made, dnnl_query_diff_dst_md));
    const dnnl_memory_t dx = onednn_memory(&w->d, onednn_layout(made, dnnl_query_diff_src_md), NULL);
    onednn_step_add(
        &w->d, &w->backward, made,
        (dnnl_exec_arg_t[]){
            {DNNL_ARG_WEIGHTS, weight}, {DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_DIFF_SRC, dx}, {0, NULL}});
    if (!w->d.failed)
        state->dx = onednn_as(&w->d, &w->backward, dx, layout_of(w->layers[index - 1].y));
    dnnl_primitive_desc_destroy(made);
}

static void backward_pool(onednn_way *w, int index)
{
    const cnn_layer *layer = &w->task.net->layers[index];
    layer_state *state = &w->layers[index];
    const window g = window_of(layer);
    dnnl_pooling_desc_t operation;
    onednn_ok(&w->d,
              dnnl_pooling_backward_desc_init(&operation, dnnl_pooling_max, layout_of(state->x),
                                              layout_of(state->y), g.stride, g.kernel, g.before, g.after),
              layer->name);
    const dnnl_primitive_desc_t made = onednn_describe(&w->d, &operation, NULL, state->forward);
    if (w->d.failed)
        return;
    state->dx = onednn_memory(&w->d, layout_of(state->x), NULL);
    onednn_step_add(&w->d, &w->backward, made,
                    (dnnl_exec_arg_t[]){{DNNL_ARG_DIFF_DST, state->dy},
                                        {DNNL_ARG_WORKSPACE, state->workspace},
                                        {DNNL_ARG_DIFF_SRC, state->dx},
                                        {0, NULL}});
    dnnl_primitive_desc_destroy(made);
}

static void backward_parameters(onednn_way *w, int index)
{
    const cnn_layer *layer = &w->task.net->layers[index];
    const int is_conv = layer->kind == CNN_CONV;
    const dnnl_memory_desc_t in = values_of(w->task.batch, layer->in, !is_conv && is_vector(layer->in),
                                            dnnl_format_tag_any),
                             out = values_of(w->task.batch, layer->out, !is_conv, dnnl_format_tag_any);
    if (w->layers[index].relu)
        backward_relu(w, index);
    backward_weights(w, index, &in, &out);
    if (index)
        backward_data(w, index, &in, &out);
}

static void build_backward(onednn_way *w)
{
    const cnn_net *net = w->task.net;
    if (w->d.failed)
        return;
    dnnl_memory_t dy = w->dlogits = onednn_memory(&w->d, layout_of(w->logits), NULL);
    for (int i = net->layer_count - 1; i >= 0 && !w->d.failed; i--) {
        layer_state *state = &w->layers[i];
        state->dy = state->dx = dy;
        if (cnn_layer_has_parameters(&net->layers[i]))
            backward_parameters(w, i);
        else if (net->layers[i].kind == CNN_MAXPOOL)
            backward_pool(w, i);
        else if (net->layers[i].kind == CNN_DROPOUT)
            onednn_function_add(&w->d, &w->backward, drop_backward, i);
        dy = state->dx;
    }
}

/* ---- the way ---- */

static void destroy(void *self)
{
    onednn_way *w = self;
    onednn_list_free(&w->forward);
    onednn_list_free(&w->backward);
    for (int i = 0; i < MOST_LAYERS; i++) {
        free(w->layers[i].mask);
        free(w->layers[i].moments);
        if (w->layers[i].forward)
            dnnl_primitive_desc_destroy(w->layers[i].forward);
    }
    onednn_free(&w->d);
    rate_order_free(&w->order);
    free(w->labels);
    free(w);
}

static void *create(const rate_task *task)
{
    onednn_way *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->task = *task;
    w->random = 1;
    w->labels = malloc((size_t)task->batch);
    omp_set_num_threads(task->threads);
    onednn_create(&w->d);
    if (!w->labels || rate_order_create(task->set.count, &w->order) != 0)
        onednn_ok(&w->d, dnnl_out_of_memory, "batch");
    if (task->net->layer_count > MOST_LAYERS)
        onednn_ok(&w->d, dnnl_unimplemented, "layers");
    build_forward(w);
    if (task->training)
        build_backward(w);
    if (w->d.failed) {
        fprintf(stderr, "rate_onednn: %s: status %d\n", w->d.failed_at, (int)w->d.failed);
        destroy(w);
        return NULL;
    }
    rate_gather(&w->task, &w->order, 1, onednn_data(&w->d, w->images), w->labels);
    return w;
}

static void update(onednn_way *w)
{
    w->step++;
    for (int i = 0; i < w->task.net->layer_count; i++) {
        layer_state *state = &w->layers[i];
        if (!state->weight)
            continue;
        const size_t count = onednn_count(&w->d, state->weight), biases = w->task.net->layers[i].bias_count;
        float *moments = state->moments;
        rate_adam(onednn_data(&w->d, state->weight), onednn_data(&w->d, state->weight_gradient), moments,
                  moments + count, count, w->step);
        moments += 2 * count;
        rate_adam(onednn_data(&w->d, state->bias), onednn_data(&w->d, state->bias_gradient), moments,
                  moments + biases, biases, w->step);
    }
}

static double train(void *self, int fixed)
{
    onednn_way *w = self;
    rate_gather(&w->task, &w->order, fixed, onednn_data(&w->d, w->images), w->labels);
    onednn_run(&w->d, &w->forward, w);
    const double loss = rate_loss(onednn_data(&w->d, w->logits), w->labels, w->task.batch,
                                  w->task.net->classes, onednn_data(&w->d, w->dlogits));
    onednn_run(&w->d, &w->backward, w);
    update(w);
    return loss;
}

static void infer(void *self)
{
    onednn_way *w = self;
    onednn_run(&w->d, &w->forward, w);
}

int main(int argc, char **argv)
{
    static const rate_way way = {create, destroy, train, infer, NULL};
    return rate_main(argc, argv, &way);
}
