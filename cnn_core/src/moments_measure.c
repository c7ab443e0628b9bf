/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/pass.h"
#include "cnn/status.h"
#include "moments.h"
#include <stdlib.h>

enum {
    BATCH = 16, /* images at a time */
    /* Images are summed in up to so many parts, each of some samples lest it costs more to add parts than to
     * sum them; then the parts are added in order. Their number must not depend on the ranks, or else the
     * bits would; more ranks than parts do not help. */
    MOST_PARTS = 8,
    LEAST_SAMPLES = 128,
};

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

/* ---- parts ---- */

/* One measurement: images are dealt out to parts, of which this process sums its share. */
typedef struct measurement {
    const cnn_ranks *ranks; /* NULL: this process alone */
    cnn_net *net;
    int layer;
    const cnn_visits *visits;
    const cnn_dataset *set;
    uint32_t parts;
    cnn_share own; /* parts of this process */
    cnn_pass *pass;
    cnn_moment_sums *sums;
    size_t length;
    double *mine;  /* [own.n, length] with ranks */
    double *all;   /* [parts, length] at rank 0 of several */
    double *total; /* [length], where the moments are wanted */
} measurement;

static uint32_t count_parts(const cnn_layer *layer, const cnn_dataset *set)
{
    const size_t samples = set->count * (size_t)layer->out.h * (size_t)layer->out.w,
                 parts = samples / LEAST_SAMPLES;
    return parts < 1 ? 1 : parts < MOST_PARTS ? (uint32_t)parts : MOST_PARTS;
}

static int leads(const measurement *m)
{
    return !m->ranks || m->ranks->rank == 0;
}

static int make_room(measurement *m)
{
    const size_t own = m->ranks ? m->own.n : 0, size = sizeof(double);
    m->length = cnn_moment_sums_length(m->sums);
    if (own)
        m->mine = calloc(own * m->length, size);
    if (leads(m))
        m->total = calloc(m->length, size);
    if (leads(m) && m->ranks)
        m->all = calloc(m->parts * m->length, size);
    const int missing = (own && !m->mine) || (leads(m) && !m->total) || (leads(m) && m->ranks && !m->all);
    return missing ? cnn_fail(CNN_NO_MEMORY, "similarity: no memory for the sums of %zu numbers", m->length)
                   : CNN_OK;
}

static int make(measurement *m, cnn_threads *threads)
{
    const cnn_layer *layer = &m->net->layers[m->layer];
    m->parts = count_parts(layer, m->set);
    m->own = m->ranks ? cnn_share_of(m->parts, m->ranks->rank, m->ranks->count) : (cnn_share){.n = m->parts};
    int status = check_set(m->net, m->set);
    if (!status && !m->own.n && !leads(m))
        return CNN_OK;
    if (!status)
        status = cnn_pass_create(m->net, BATCH, CNN_PASS_OUTPUTS, threads, &m->pass);
    if (!status)
        status = cnn_moment_sums_create(layer->out.c, threads, &m->sums);
    return status ? status : make_room(m);
}

static void run_batch(const measurement *m, uint32_t first, int n)
{
    uint32_t images[BATCH];
    for (int i = 0; i < n; i++)
        images[i] = first + (uint32_t)i;
    cnn_dataset_gather(m->set, images, n, cnn_pass_images(m->pass), cnn_pass_labels(m->pass));
    cnn_pass_forward(m->pass, n);
}

static void sum_part(const measurement *m, int part, double *to)
{
    const cnn_layer *layer = &m->net->layers[m->layer];
    const size_t positions = (size_t)layer->out.h * (size_t)layer->out.w;
    const cnn_share images = cnn_share_of(m->set->count, part, (int)m->parts);
    for (uint32_t done = 0; done < images.n; done += BATCH) {
        const uint32_t left = images.n - done;
        const int n = left < BATCH ? (int)left : BATCH;
        run_batch(m, images.first + done, n);
        const float *outputs = cnn_pass_output(m->pass, m->layer);
        for (int i = 0; i < n; i++)
            cnn_moment_sums_add(m->sums, outputs + (size_t)i * cnn_shape_count(layer->out), positions,
                                m->visits);
    }
    cnn_moment_sums_pour(m->sums, to);
}

/* Whoever does not begin with the first image must have its shift all the same. */
static void sum_own(const measurement *m)
{
    const cnn_layer *layer = &m->net->layers[m->layer];
    if (m->ranks) {
        run_batch(m, 0, 1);
        cnn_moment_sums_prime(m->sums, cnn_pass_output(m->pass, m->layer),
                              (size_t)layer->out.h * (size_t)layer->out.w);
    }
    for (uint32_t i = 0; i < m->own.n; i++)
        sum_part(m, (int)(m->own.first + i), m->ranks ? m->mine + i * m->length : m->total);
}

/* In the order of parts, whoever has summed them. */
static int collect(const measurement *m)
{
    /* A rank without parts has no sums that would tell the length, and sends nothing. */
    const int status =
        m->ranks->collect(m->ranks->context, m->mine, m->length * sizeof(double), m->parts, m->all);
    for (size_t i = 0; !status && leads(m) && i < m->parts; i++)
        for (size_t j = 0; j < m->length; j++)
            m->total[j] += m->all[i * m->length + j];
    return status;
}

static int measure(measurement *m)
{
    if (m->sums)
        sum_own(m);
    return m->ranks ? collect(m) : CNN_OK;
}

int cnn_moments_measure(const cnn_ranks *ranks, cnn_net *net, int layer, const cnn_visits *visits,
                        const cnn_dataset *set, cnn_threads *threads, cnn_moments *out)
{
    measurement m = {.ranks = ranks, .net = net, .layer = layer, .visits = visits, .set = set};
    int status = make(&m, threads);
    if (ranks)
        status = cnn_ranks_agree(ranks, status);
    if (!status)
        status = measure(&m);
    if (!status && leads(&m)) {
        cnn_moment_sums_fill(m.sums, m.total);
        status = cnn_moment_sums_finish(m.sums, out);
        m.sums = NULL;
    }
    cnn_pass_free(m.pass);
    cnn_moment_sums_free(m.sums);
    free(m.mine);
    free(m.all);
    free(m.total);
    return status;
}
