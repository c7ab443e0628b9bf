/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/pass.h"
#include "cnn/status.h"
#include "moments.h"
#include <stdlib.h>

/* Images at a time. */
enum { BATCH = 16 };

/* How many (position, tap) pairs of one direction look at input place `at`. */
static int lookers(int at, int outputs, int taps, int stride, int pad)
{
    int count = 0;
    for (int tap = 0; tap < taps; tap++) {
        const int from = at + pad - tap;
        count += from >= 0 && from % stride == 0 && from / stride < outputs;
    }
    return count;
}

int cnn_visits_of(const cnn_layer *reader, cnn_visits *out)
{
    *out = (cnn_visits){0};
    if (reader->kind != CNN_CONV)
        return CNN_OK;
    const cnn_shape in = reader->in;
    double *at = malloc((size_t)in.h * (size_t)in.w * sizeof *at), seen = 0;
    if (!at)
        return cnn_fail(CNN_NO_MEMORY, "layer \"%s\": no memory for its input", reader->name);
    for (int y = 0; y < in.h; y++)
        for (int x = 0; x < in.w; x++) {
            const double rows = lookers(y, reader->out.h, reader->kernel_h, reader->stride, reader->pad_top);
            const double columns =
                lookers(x, reader->out.w, reader->kernel_w, reader->stride, reader->pad_left);
            at[(size_t)y * (size_t)in.w + (size_t)x] = rows * columns;
            seen += rows * columns;
        }
    const double looks = (double)reader->out.h * reader->kernel_h * reader->out.w * reader->kernel_w;
    *out = (cnn_visits){at, looks - seen};
    return CNN_OK;
}

void cnn_visits_free(cnn_visits *visits)
{
    free(visits->at);
    *visits = (cnn_visits){0};
}

static int check_set(const cnn_net *net, const cnn_dataset *set)
{
    if (set->count == 0)
        return cnn_fail(CNN_BAD_ARGUMENT, "probe: has no images");
    if (set->shape.c != net->input.c || set->shape.h != net->input.h || set->shape.w != net->input.w)
        return cnn_fail(CNN_BAD_ARGUMENT, "probe: images of %dx%dx%d, the network takes %dx%dx%d",
                        set->shape.c, set->shape.h, set->shape.w, net->input.c, net->input.h, net->input.w);
    if (set->classes > net->classes)
        return cnn_fail(CNN_BAD_ARGUMENT, "probe: %d classes, the network has %d", set->classes,
                        net->classes);
    return CNN_OK;
}

static void add_batch(cnn_moment_sums *sums, cnn_pass *pass, const cnn_layer *layer, int index,
                      const cnn_visits *visits, const cnn_dataset *set, uint32_t first, int n)
{
    uint32_t images[BATCH];
    for (int i = 0; i < n; i++)
        images[i] = first + (uint32_t)i;
    cnn_dataset_gather(set, images, n, cnn_pass_images(pass), cnn_pass_labels(pass));
    cnn_pass_forward(pass, n);
    const size_t positions = (size_t)layer->out.h * (size_t)layer->out.w;
    for (int i = 0; i < n; i++)
        cnn_moment_sums_add(sums, cnn_pass_output(pass, index) + (size_t)i * cnn_shape_count(layer->out),
                            positions, visits);
}

int cnn_moments_measure(cnn_net *net, int index, const cnn_visits *visits, const cnn_dataset *set,
                        cnn_threads *threads, cnn_moments *out)
{
    const cnn_layer *layer = &net->layers[index];
    cnn_pass *pass = NULL;
    cnn_moment_sums *sums = NULL;
    int status = check_set(net, set);
    if (!status)
        status = cnn_pass_create(net, BATCH, CNN_PASS_OUTPUTS, threads, &pass);
    if (!status)
        status = cnn_moment_sums_create(layer->out.c, threads, &sums);
    for (uint32_t first = 0; first < set->count && !status; first += BATCH) {
        const uint32_t left = set->count - first;
        add_batch(sums, pass, layer, index, visits, set, first, left < BATCH ? (int)left : BATCH);
    }
    cnn_pass_free(pass);
    if (status)
        cnn_moment_sums_free(sums);
    else
        status = cnn_moment_sums_finish(sums, out);
    return status;
}
