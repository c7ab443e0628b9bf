/* SPDX-License-Identifier: BSD-3-Clause */
#include "rate.h"
#include "clock.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include "file_bytes.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 512, MOST_BATCH = 1 << 20 };

/* Before anything is measured: what is slow only once is over, and training is under way. How many values are
 * zero, on which speed may depend, changes most in its first steps. */
enum { WARM_UP_STEPS = 2 };
#define WARM_UP_SECONDS 1.0

/* All that an order may need. */
typedef struct program {
    const rate_way *way;
    const char *spec;
    cnn_shape shape;
    int classes, threads;
    cnn_dataset set;
    cnn_file_bytes pixels, labels;
    float *images;
    /* What was made for the order before. */
    cnn_net *net;
    void *made;
    int batch, training;
} program;

/* ---- arguments ---- */

static int fail(const char *what, const char *value)
{
    fprintf(stderr, "rate: %s: %s\n", what, value);
    return -1;
}

static int read_set(program *p, const char *images, const char *labels)
{
    const size_t size = cnn_shape_count(p->shape);
    if (cnn_file_bytes_open(images, &p->pixels) || cnn_file_bytes_open(labels, &p->labels))
        return fail("set", cnn_message());
    const size_t bytes = p->pixels.size, count = p->labels.size;
    if (bytes != count * size)
        return fail("not one image for each label", images);
    p->images = malloc(bytes * sizeof *p->images);
    if (!p->images)
        return fail("no memory for", images);
    for (size_t i = 0; i < bytes; i++)
        p->images[i] = (float)p->pixels.bytes[i] / 255.0f;
    p->set = (cnn_dataset){(uint32_t)count, p->shape, p->classes, p->pixels.bytes, p->labels.bytes};
    return 0;
}

static int read_arguments(program *p, char **argv)
{
    uint64_t classes, threads;
    p->spec = argv[1];
    if (sscanf(argv[2], "%dx%dx%d", &p->shape.c, &p->shape.h, &p->shape.w) != 3)
        return fail("not CxHxW", argv[2]);
    if (cnn_parse_whole("CLASSES", argv[3], 1, 256, &classes) != CNN_OK ||
        cnn_parse_whole("THREADS", argv[4], 1, 256, &threads) != CNN_OK)
        return fail("arguments", cnn_message());
    p->classes = (int)classes;
    p->threads = (int)threads;
    return read_set(p, argv[5], argv[6]);
}

/* ---- orders ---- */

static void forget(program *p)
{
    if (p->made)
        p->way->destroy(p->made);
    cnn_net_free(p->net);
    p->made = NULL;
    p->net = NULL;
}

/* Steps for so many seconds; how many there were, and what they took. */
static int run_for(program *p, double seconds, double *took)
{
    const double start = clock_seconds();
    int steps = 0;
    do {
        if (p->training)
            p->way->train(p->made, 0);
        else
            p->way->infer(p->made);
        steps++;
        *took = clock_seconds() - start;
    } while (*took < seconds);
    return steps;
}

static void warm_up(program *p)
{
    double took;
    for (int i = 0; i < WARM_UP_STEPS; i++)
        run_for(p, 0, &took);
    if (p->training)
        run_for(p, WARM_UP_SECONDS, &took);
}

/* The way for this batch, as it was left by the order before, or a new one. */
static int make(program *p, int batch, int training, int anew)
{
    if (p->made && p->batch == batch && p->training == training && !anew)
        return 0;
    forget(p);
    if (cnn_net_create(p->spec, p->shape, p->classes, RATE_SEED, &p->net) != CNN_OK)
        return fail("network", cnn_message());
    rate_task task = {p->net, p->set, p->images, batch, training, p->threads};
    if (task.set.count < (uint32_t)batch)
        return fail("batch", "more than there are images");
    task.set.count -= task.set.count % (uint32_t)batch;
    p->made = p->way->create(&task);
    if (!p->made)
        return -1;
    p->batch = batch;
    p->training = training;
    if (!anew)
        warm_up(p);
    return 0;
}

static int measure(program *p, int batch, int training, double seconds)
{
    if (make(p, batch, training, 0))
        return -1;
    double took;
    const int steps = run_for(p, seconds, &took);
    printf("{\"images_per_second\": %.6g, \"steps\": %d}\n", (double)steps * batch / took, steps);
    return 0;
}

static int measure_layers(program *p, int batch, double seconds)
{
    if (!p->way->layers)
        return fail("layers", "this way cannot tell");
    if (make(p, batch, 1, 0))
        return -1;
    const int count = p->net->layer_count;
    rate_layer *layers = calloc((size_t)count + 1, sizeof *layers);
    double update = 0, took;
    if (!layers || p->way->layers(p->made, layers, &update)) {
        free(layers);
        return fail("no memory", "layers");
    }
    const double steps = run_for(p, seconds, &took);
    p->way->layers(p->made, layers, &update);
    printf("{\"step_s\": %.6g, \"update_s\": %.6g, \"layers\": {", took / steps, update / steps);
    for (int i = 0; i <= count; i++)
        printf("%s\"%s\": [%.6g, %.6g]", i ? ", " : "", i < count ? p->net->layers[i].name : "loss",
               layers[i].forward / steps, layers[i].backward / steps);
    printf("}}\n");
    free(layers);
    return 0;
}

static int tell_losses(program *p, int batch, double steps)
{
    if (make(p, batch, 1, 1))
        return -1;
    printf("{\"losses\": [");
    for (int i = 0; i < (int)steps; i++)
        printf("%s%.9g", i ? ", " : "", p->way->train(p->made, 1));
    printf("]}\n");
    forget(p);
    return 0;
}

static int write_parameters(program *p, const char *path)
{
    cnn_net *net;
    if (cnn_net_create(p->spec, p->shape, p->classes, RATE_SEED, &net) != CNN_OK)
        return fail("network", cnn_message());
    FILE *file = fopen(path, "wb");
    int bad = !file;
    if (file)
        bad = fwrite(net->parameters, sizeof(float), net->parameter_count, file) != net->parameter_count;
    if (file)
        bad |= fclose(file) != 0;
    cnn_net_free(net);
    if (bad)
        return fail("cannot be written", path);
    printf("{}\n");
    return 0;
}

static int obey(program *p, const char *line)
{
    char word[16], path[LINE];
    int batch;
    double amount;
    if (sscanf(line, "parameters %511[^\n]", path) == 1)
        return write_parameters(p, path);
    if (sscanf(line, "%15s %d %lf", word, &batch, &amount) != 3 || batch < 1 || batch > MOST_BATCH)
        return fail("no such order", line);
    if (!strcmp(word, "train") || !strcmp(word, "infer"))
        return measure(p, batch, word[0] == 't', amount);
    if (!strcmp(word, "layers"))
        return measure_layers(p, batch, amount);
    if (!strcmp(word, "losses"))
        return tell_losses(p, batch, amount);
    return fail("no such order", line);
}

int rate_main(int argc, char **argv, const rate_way *way)
{
    if (argc != 7) {
        fprintf(stderr, "usage: %s SPEC CxHxW CLASSES THREADS IMAGES LABELS\n", argv[0]);
        return 2;
    }
    program p = {.way = way};
    char line[LINE];
    int failed = read_arguments(&p, argv);
    while (!failed && fgets(line, sizeof line, stdin)) {
        failed = obey(&p, line);
        fflush(stdout);
    }
    forget(&p);
    cnn_file_bytes_close(&p.pixels);
    cnn_file_bytes_close(&p.labels);
    free(p.images);
    return failed ? 1 : 0;
}
