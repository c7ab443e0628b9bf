/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/status.h"
#include "pass_parts.h"
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
    LINE = 64,       /* bytes of a cache line */
};

int cnn_pass_parts(const cnn_net *net, int begin, int end, int n)
{
    int parts = PARTS;
    for (int i = begin; i < end; i++)
        if (net->layers[i].weight_count > LARGE)
            parts = PARTS_OF_LARGE;
    return parts < n ? parts : n;
}

double cnn_pass_run_work(const cnn_net *net, int begin, int end)
{
    double work = 0;
    for (int i = begin; i < end; i++) {
        const cnn_layer *layer = &net->layers[i];
        const double outputs = (double)cnn_shape_count(layer->out);
        work += CNN_WORK_MOVE * outputs;
        if (layer->kind == CNN_CONV)
            work += outputs * (double)layer->weight_count / (double)layer->bias_count;
    }
    return work;
}

/* ---- memory ---- */

/* Zeroed memory that lives as long as the pass; counts are products that callers keep below 2^62. */
static void *take(cnn_pass *pass, size_t count, size_t size)
{
    const size_t bytes = (count * size / LINE + 1) * LINE;
    void *block = aligned_alloc(LINE, bytes);
    if (!block)
        return NULL;
    memset(block, 0, bytes);
    pass->blocks[pass->block_count++] = block;
    pass->bytes += bytes;
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

/* Values of a batch: `first` if it is kept; `last`, of an image for each thread where it only passes. */
static int take_activation(cnn_pass *pass, cnn_shape shape, int is_kept, int passes, activation *out)
{
    const size_t image = cnn_shape_count(shape);
    const int threads = cnn_threads_count(pass->threads);
    const int are_one = is_kept && (shape.c == 1 || (shape.h == 1 && shape.w == 1));
    out->shape = shape;
    out->by_thread = passes && !are_one && threads < pass->max_batch;
    out->first = is_kept ? take_floats(pass, (size_t)pass->max_batch * image) : NULL;
    out->last = are_one ? out->first
                        : take_floats(pass, (size_t)(out->by_thread ? threads : pass->max_batch) * image);
    return (is_kept && !out->first) || !out->last;
}

static int is_in_place(const cnn_layer *layer)
{
    return layer->kind == CNN_RELU || layer->kind == CNN_DROPOUT;
}

static int take_conv(cnn_pass *pass, int index)
{
    const cnn_net *net = pass->net;
    const cnn_layer *layer = &net->layers[index];
    layer_state *state = &pass->layers[index];
    const int training = pass->use == CNN_PASS_TRAIN;
    const int status = cnn_conv_create(layer, training, &state->conv);
    if (status)
        return status;
    pass->bytes += cnn_conv_bytes(&state->conv);
    if (!training)
        return CNN_OK;
    const int parts =
        cnn_pass_parts(net, cnn_run_begin(net, index, 0), cnn_run_end(net, index), pass->max_batch);
    state->parts = take_floats(pass, (size_t)parts * (layer->weight_count + layer->bias_count));
    return state->parts ? CNN_OK
                        : cnn_fail(CNN_NO_MEMORY, "layer \"%s\": no memory for its gradients", layer->name);
}

/* The first layer after `index` that does not work in place; the last one of all is a linear one. */
static int reader_of(const cnn_pass *pass, int index)
{
    int reader = index + 1;
    while (is_in_place(&pass->net->layers[reader]))
        reader++;
    return reader;
}

/* Whether training comes back to what a layer gives: to what a convolution took, and to what a relu has left,
 * unless that is pooled. */
static int is_seen_again(const cnn_pass *pass, int index)
{
    const cnn_layer *layers = pass->net->layers;
    const int reader = reader_of(pass, index);
    for (int i = index + 1; i < reader; i++)
        if (layers[i].kind == CNN_RELU)
            return layers[i + 1].kind != CNN_MAXPOOL;
    return layers[reader].kind == CNN_CONV;
}

/* Whether what a layer gives is looked at, channels last, for the image at hand alone. */
static int is_passing(const cnn_pass *pass, int index)
{
    return pass->use != CNN_PASS_OUTPUTS && pass->net->layers[index].kind != CNN_LINEAR &&
           !(pass->use == CNN_PASS_TRAIN && is_seen_again(pass, index));
}

/* Whether somebody may ask for what a layer gives, channels first. */
static int is_kept(const cnn_pass *pass, int index)
{
    return !is_passing(pass, index) || pass->net->layers[reader_of(pass, index)].kind == CNN_LINEAR;
}

/* Pooling of what nobody else looks at is done with the convolution before it, through whose relu it looks.
 */
static int take_windows(cnn_pass *pass, int index)
{
    layer_state *state = &pass->layers[index];
    const int behind = cnn_layer_behind(pass->net, index);
    if (pass->net->layers[behind].kind != CNN_MAXPOOL || !is_passing(pass, index))
        return 0;
    const cnn_pool pool = cnn_pass_pool(pass, behind);
    if (!cnn_conv_can_pool(&pass->kernels, &state->conv, &pool))
        return 0;
    state->windows =
        take(pass, (size_t)CNN_WINDOW * (size_t)(pool.out_h * pool.out_w), sizeof *state->windows);
    if (state->windows)
        cnn_conv_window_positions(&state->conv, &pool, state->windows);
    return !state->windows;
}

static int take_layer(cnn_pass *pass, int index)
{
    const cnn_layer *layer = &pass->net->layers[index];
    layer_state *state = &pass->layers[index];
    const size_t outputs = (size_t)pass->max_batch * cnn_shape_count(layer->out);
    if (layer->kind == CNN_CONV) {
        const int status = take_conv(pass, index);
        if (status)
            return status;
    }
    state->output = is_in_place(layer) ? cnn_input_of(pass, index) : &state->own;
    int missing = !is_in_place(layer) && take_activation(pass, layer->out, is_kept(pass, index),
                                                         is_passing(pass, index), &state->own);
    if (layer->kind == CNN_CONV)
        missing |= take_windows(pass, index);
    if (pass->use == CNN_PASS_TRAIN && layer->kind == CNN_MAXPOOL)
        missing |= !(state->chosen = take(pass, outputs + CNN_VECTOR_MOST, sizeof *state->chosen));
    if (pass->use == CNN_PASS_TRAIN && layer->kind == CNN_DROPOUT)
        missing |= !(state->kept = take(pass, outputs, sizeof *state->kept));
    return missing ? cnn_fail(CNN_NO_MEMORY, "layer \"%s\": no memory for %zu outputs", layer->name, outputs)
                   : CNN_OK;
}

/* `most` blocks of terms, and the counts of `found` rows. */
static int take_picked(cnn_pass *pass, size_t most, size_t found, cnn_picked *out)
{
    *out = (cnn_picked){.terms = take(pass, most * CNN_LINEAR_DEPTH, sizeof *out->terms),
                        .counts = take(pass, most, sizeof *out->counts),
                        .found = take(pass, found, sizeof *out->found)};
    return !out->terms || !out->counts || !out->found;
}

/* What linear layers share: room for what is not zero, and for gradients. */
static int take_linear(cnn_pass *pass)
{
    const int batch = pass->max_batch;
    const int training = pass->use == CNN_PASS_TRAIN,
              images = batch < CNN_LINEAR_TURNED ? batch : CNN_LINEAR_TURNED;
    size_t rows = 0, columns = 0, outputs = 0, widest = 0, turned = 0;
    for (int i = 0; i < pass->net->layer_count; i++) {
        const cnn_layer *layer = &pass->net->layers[i];
        if (layer->kind != CNN_LINEAR)
            continue;
        const int in = (int)cnn_shape_count(layer->in), out = layer->out.c;
        rows = larger(rows, cnn_picked_blocks(batch, in));
        rows = larger(rows, cnn_picked_blocks(batch, out));
        columns = larger(columns, cnn_picked_blocks(out, batch));
        outputs = larger(outputs, (size_t)out);
        turned = larger(turned, cnn_linear_turned(images, in));
        turned = larger(turned, training ? cnn_linear_turned(batch, out) : 0);
        widest = larger(widest, (size_t)larger((size_t)in, (size_t)out));
    }
    if (take_picked(pass, rows, (size_t)batch, &pass->rows) || !(pass->turned = take_floats(pass, turned)))
        return 1;
    if (!training)
        return 0;
    return take_picked(pass, columns, outputs, &pass->columns) ||
           !(pass->gradients[0] = take_floats(pass, (size_t)batch * widest)) ||
           !(pass->gradients[1] = take_floats(pass, (size_t)batch * widest));
}

static int take_scratch(cnn_pass *pass)
{
    const int threads = cnn_threads_count(pass->threads), training = pass->use == CNN_PASS_TRAIN;
    size_t scratch = cnn_linear_scratch(pass->max_batch), image = cnn_shape_count(pass->net->input);
    for (int i = 0; i < pass->net->layer_count; i++) {
        const cnn_conv *conv = &pass->layers[i].conv;
        image = larger(image, cnn_shape_count(pass->net->layers[i].out));
        if (conv->taps)
            scratch =
                larger(scratch, training ? cnn_conv_backward_scratch(conv) : cnn_conv_forward_scratch(conv));
    }
    pass->image_gradient = training ? cnn_padded(image + CNN_VECTOR_MOST) : 0;
    int missing = !(pass->scratch = take(pass, (size_t)threads, sizeof(float *)));
    for (int i = 0; !missing && i < threads; i++)
        missing = !(pass->scratch[i] = take_floats(pass, 2 * pass->image_gradient + scratch));
    return missing;
}

static int take_all(cnn_pass *pass)
{
    const cnn_net *net = pass->net;
    pass->layers = take(pass, (size_t)net->layer_count, sizeof *pass->layers);
    pass->labels = take(pass, (size_t)pass->max_batch, 1);
    int missing = !pass->layers || !pass->labels || take_activation(pass, net->input, 1, 0, &pass->input);
    pass->first_parameters = net->layer_count;
    for (int i = net->layer_count - 1; i >= 0; i--) {
        if (cnn_layer_has_parameters(&net->layers[i]))
            pass->first_parameters = i;
        if (net->layers[i].kind == CNN_DROPOUT)
            pass->random_per_image += cnn_shape_count(net->layers[i].out);
    }
    for (int i = 0; !missing && i < net->layer_count; i++) {
        const int status = take_layer(pass, i);
        if (status)
            return status;
    }
    missing = missing || take_linear(pass) || take_scratch(pass);
    return missing ? cnn_fail(CNN_NO_MEMORY, "net: no memory for a batch of %d", pass->max_batch) : CNN_OK;
}

static int count_all(const float *values, int count)
{
    (void)values;
    return count;
}

/* The environment may have zeros multiplied like all else, to measure what that takes: then none are counted.
 */
static cnn_kernels kernels(void)
{
    cnn_kernels table = *cnn_kernels_get();
    const char *zeros = getenv("CNN_ZEROS");
    if (zeros && !strcmp(zeros, "multiplied"))
        table.count = count_all;
    return table;
}

int cnn_pass_create(cnn_net *net, int max_batch, cnn_pass_use use, cnn_threads *threads, cnn_pass **out)
{
    size_t widest = cnn_shape_count(net->input);
    for (int i = 0; i < net->layer_count; i++)
        widest = larger(widest, cnn_shape_count(net->layers[i].out));
    if (max_batch < 1 || (size_t)max_batch > ((size_t)1 << 40) / widest)
        return cnn_fail(CNN_BAD_ARGUMENT, "batch: %d images of %zu values is not in 1..2^40 values",
                        max_batch, widest);
    cnn_pass *pass = calloc(1, sizeof *pass);
    /* Fixed blocks, at most four per layer, one scratch per thread. */
    void **blocks =
        calloc(16 + 4 * (size_t)net->layer_count + (size_t)cnn_threads_count(threads), sizeof *blocks);
    if (!pass || !blocks) {
        free(pass);
        free(blocks);
        return cnn_fail(CNN_NO_MEMORY, "net: no memory for a batch of %d", max_batch);
    }
    *pass = (cnn_pass){.net = net,
                       .threads = threads,
                       .kernels = kernels(),
                       .max_batch = max_batch,
                       .use = use,
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

/* ---- what callers see ---- */

float *cnn_pass_images(cnn_pass *pass)
{
    return pass->input.first;
}

uint8_t *cnn_pass_labels(cnn_pass *pass)
{
    return pass->labels;
}

const float *cnn_pass_output(const cnn_pass *pass, int index)
{
    activation *output = pass->layers[index].output;
    if (!output->first)
        return NULL;
    const size_t count = cnn_shape_count(output->shape);
    for (size_t image = 0; output->first_is_old && output->first != output->last && image < (size_t)pass->n;
         image++)
        cnn_channels_first(&pass->kernels, output->shape, output->last + image * count,
                           output->first + image * count);
    output->first_is_old = 0;
    return output->first;
}

const float *cnn_pass_logits(const cnn_pass *pass)
{
    return pass->layers[pass->net->layer_count - 1].output->first;
}

/* ---- passes ---- */

cnn_linear cnn_pass_linear(cnn_pass *pass, int index)
{
    const cnn_layer *layer = &pass->net->layers[index];
    return (cnn_linear){.kernels = &pass->kernels,
                        .n = pass->n,
                        .in = (int)cnn_shape_count(layer->in),
                        .out = layer->out.c,
                        .threads = cnn_threads_count(pass->threads),
                        .relu = cnn_is_fused_relu(pass->net, index + 1),
                        .x = cnn_input_of(pass, index)->first,
                        .weight = layer->weight,
                        .bias = layer->bias,
                        .y = pass->layers[index].output->first,
                        .dy = pass->dy,
                        .dx = pass->dx,
                        .weight_gradient = layer->weight_gradient,
                        .bias_gradient = layer->bias_gradient,
                        .rows = pass->rows,
                        .columns = pass->columns,
                        .turned = pass->turned,
                        .scratch = pass->scratch};
}

void cnn_pass_set_watch(cnn_pass *pass, cnn_pass_watch *watch, void *context)
{
    pass->watch = watch;
    pass->watch_context = context;
}

static cnn_batch_result losses(cnn_pass *pass, float *dlogits)
{
    const int classes = pass->net->classes;
    const float *logits = cnn_pass_logits(pass), scale = dlogits ? 1.0f / (float)pass->part.whole : 0;
    cnn_batch_result result = {0};
    for (int i = 0; i < pass->n; i++) {
        const size_t at = (size_t)i * (size_t)classes;
        int correct;
        result.loss_sum += cnn_softmax_loss(logits + at, classes, pass->labels[i], scale,
                                            dlogits ? dlogits + at : NULL, &correct);
        result.correct += correct;
    }
    cnn_pass_tell(pass, CNN_PASS_ALL_THREADS, pass->net->layer_count, CNN_PASS_FORWARD);
    return result;
}

cnn_batch_result cnn_pass_forward(cnn_pass *pass, int n)
{
    cnn_pass_run_forward(pass, n, 0);
    return losses(pass, NULL);
}

cnn_batch_result cnn_pass_train_part(cnn_pass *pass, const cnn_batch_part *part, uint64_t step)
{
    cnn_batch_result result = {0};
    pass->step = step;
    pass->part = *part;
    pass->n = (int)part->share.n;
    if (pass->n) {
        cnn_pass_run_forward(pass, pass->n, 1);
        result = losses(pass, pass->gradients[0]);
    }
    cnn_pass_run_backward(pass);
    return result;
}

cnn_batch_result cnn_pass_train(cnn_pass *pass, int n, uint64_t step)
{
    const cnn_batch_part all = {.whole = (uint32_t)n, .share = {0, (uint32_t)n}};
    return cnn_pass_train_part(pass, &all, step);
}
