/* SPDX-License-Identifier: BSD-3-Clause */
#include "spec.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_LAYERS = 1000,
    MOST_WORDS = 8,
    WORD_SIZE = 32,
    LARGEST_EXTENT = 1 << 20,
    LONGEST_LAYER = 96, /* characters of one layer's canonical text */
};

/* The words of one layer. */
typedef struct phrase {
    int number; /* of the layer, from 1 */
    int count, used;
    char words[MOST_WORDS][WORD_SIZE];
} phrase;

static const char *next_word(phrase *p)
{
    return p->used < p->count ? p->words[p->used++] : NULL;
}

static int accept_word(phrase *p, const char *word)
{
    if (p->used < p->count && !strcmp(p->words[p->used], word)) {
        p->used++;
        return 1;
    }
    return 0;
}

/* Reads a whole number in 1..LARGEST_EXTENT. */
static int parse_extent(const phrase *p, const char *what, const char *word, int *out)
{
    char name[80];
    snprintf(name, sizeof name, "net: layer %d (%s): %s", p->number, p->words[0], what);
    if (!word)
        return cnn_fail(CNN_BAD_ARGUMENT, "%s is missing", name);
    uint64_t value;
    const int status = cnn_parse_whole(name, word, 1, LARGEST_EXTENT, &value);
    if (!status)
        *out = (int)value;
    return status;
}

/* Reads "RxS", or "N" for a square when `square` is allowed. */
static int parse_kernel(const phrase *p, const char *word, int square, int *h, int *w)
{
    char first[WORD_SIZE];
    const char *x = word ? strchr(word, 'x') : NULL;
    if (!word || (!x && !square))
        return cnn_fail(CNN_BAD_ARGUMENT, "net: layer %d (%s): kernel \"%s\" is not ROWSxCOLUMNS", p->number,
                        p->words[0], word ? word : "");
    const size_t length = x ? (size_t)(x - word) : strlen(word);
    memcpy(first, word, length);
    first[length] = '\0';
    int status = parse_extent(p, "kernel", first, h);
    if (!status)
        status = parse_extent(p, "kernel", x ? x + 1 : first, w);
    return status;
}

static int parse_conv(phrase *p, cnn_spec_layer *layer)
{
    layer->kind = CNN_CONV;
    layer->stride = 1;
    layer->same = 1;
    int status = parse_extent(p, "number of filters", next_word(p), &layer->outputs);
    if (!status)
        status = parse_kernel(p, next_word(p), 0, &layer->kernel_h, &layer->kernel_w);
    while (!status && p->used < p->count) {
        if (accept_word(p, "stride"))
            status = parse_extent(p, "stride", next_word(p), &layer->stride);
        else if (accept_word(p, "same"))
            layer->same = 1;
        else if (accept_word(p, "valid"))
            layer->same = 0;
        else
            break;
    }
    return status;
}

static int parse_maxpool(phrase *p, cnn_spec_layer *layer)
{
    layer->kind = CNN_MAXPOOL;
    int status = parse_kernel(p, next_word(p), 1, &layer->kernel_h, &layer->kernel_w);
    layer->stride = layer->kernel_h;
    if (!status && accept_word(p, "stride"))
        status = parse_extent(p, "stride", next_word(p), &layer->stride);
    else if (!status && layer->kernel_h != layer->kernel_w)
        status = cnn_fail(CNN_BAD_ARGUMENT, "net: layer %d (maxpool): kernel %dx%d needs a stride", p->number,
                          layer->kernel_h, layer->kernel_w);
    return status;
}

static int parse_dropout(phrase *p, cnn_spec_layer *layer)
{
    layer->kind = CNN_DROPOUT;
    char name[64];
    snprintf(name, sizeof name, "net: layer %d (dropout): rate", p->number);
    const char *word = next_word(p);
    if (!word)
        return cnn_fail(CNN_BAD_ARGUMENT, "%s is missing", name);
    double rate;
    const int status = cnn_parse_real(name, word, 0, 0.999, &rate);
    if (!status)
        layer->rate = (float)rate;
    return status;
}

static int parse_layer(phrase *p, cnn_spec_layer *layer)
{
    const char *word = next_word(p);
    int status;
    if (!strcmp(word, "conv")) {
        status = parse_conv(p, layer);
    } else if (!strcmp(word, "maxpool")) {
        status = parse_maxpool(p, layer);
    } else if (!strcmp(word, "dropout")) {
        status = parse_dropout(p, layer);
    } else if (!strcmp(word, "linear")) {
        layer->kind = CNN_LINEAR;
        status = parse_extent(p, "number of outputs", next_word(p), &layer->outputs);
    } else if (!strcmp(word, "relu")) {
        layer->kind = CNN_RELU;
        status = CNN_OK;
    } else {
        return cnn_fail(CNN_BAD_ARGUMENT,
                        "net: layer %d: unknown layer \"%s\" (known: conv, relu, maxpool, linear, dropout)",
                        p->number, word);
    }
    if (!status && p->used < p->count)
        status = cnn_fail(CNN_BAD_ARGUMENT, "net: layer %d (%s): unexpected \"%s\"", p->number, p->words[0],
                          p->words[p->used]);
    return status;
}

/* Splits [text, end) into words. */
static int split_words(const char *text, const char *end, phrase *p)
{
    while (text < end) {
        if (isspace((unsigned char)*text)) {
            text++;
            continue;
        }
        const char *start = text;
        while (text < end && !isspace((unsigned char)*text))
            text++;
        const size_t length = (size_t)(text - start);
        if (length >= WORD_SIZE || p->count == MOST_WORDS)
            return cnn_fail(CNN_BAD_ARGUMENT, "net: layer %d: \"%.*s\" is not part of a layer", p->number,
                            length > 40 ? 40 : (int)length, start);
        memcpy(p->words[p->count], start, length);
        p->words[p->count++][length] = '\0';
    }
    return CNN_OK;
}

/* The layer as it is written in the canonical form. */
static void write_layer(const cnn_spec_layer *layer, char text[LONGEST_LAYER])
{
    char rate[CNN_NUMBER_SIZE], stride[24] = "";
    switch (layer->kind) {
    case CNN_CONV:
        if (layer->stride != 1)
            snprintf(stride, sizeof stride, " stride %d", layer->stride);
        snprintf(text, LONGEST_LAYER, "conv %d %dx%d%s%s", layer->outputs, layer->kernel_h, layer->kernel_w,
                 stride, layer->same ? "" : " valid");
        break;
    case CNN_MAXPOOL:
        if (layer->stride != layer->kernel_h || layer->kernel_h != layer->kernel_w)
            snprintf(stride, sizeof stride, " stride %d", layer->stride);
        if (layer->kernel_h == layer->kernel_w)
            snprintf(text, LONGEST_LAYER, "maxpool %d%s", layer->kernel_h, stride);
        else
            snprintf(text, LONGEST_LAYER, "maxpool %dx%d%s", layer->kernel_h, layer->kernel_w, stride);
        break;
    case CNN_LINEAR:
        snprintf(text, LONGEST_LAYER, "linear %d", layer->outputs);
        break;
    case CNN_DROPOUT:
        /* Through decimal digits, since the float of 0.1 is not the double 0.1. */
        cnn_format_real((double)(int)(layer->rate * 1e6f + 0.5f) / 1e6, rate);
        snprintf(text, LONGEST_LAYER, "dropout %s", rate);
        break;
    case CNN_RELU:
        snprintf(text, LONGEST_LAYER, "relu");
        break;
    }
}

static int write_text(cnn_spec *spec)
{
    const size_t size = (size_t)spec->count * (LONGEST_LAYER + 2);
    char *text = malloc(size);
    if (!text)
        return cnn_fail(CNN_NO_MEMORY, "net: no memory for %d layers", spec->count);
    size_t at = 0;
    for (int i = 0; i < spec->count; i++) {
        char layer[LONGEST_LAYER];
        write_layer(&spec->layers[i], layer);
        at += (size_t)snprintf(text + at, size - at, "%s%s", i ? ", " : "", layer);
    }
    spec->text = text;
    return CNN_OK;
}

/* A copy with comments blanked, so that only commas and newlines are left to separate layers. */
static char *without_comments(const char *text)
{
    char *copy = strdup(text);
    int comment = 0;
    for (char *c = copy; c && *c; c++) {
        comment = *c == '#' || (comment && *c != '\n');
        if (comment)
            *c = ' ';
    }
    return copy;
}

static int parse_layers(const char *text, cnn_spec *spec)
{
    while (*text) {
        const size_t length = strcspn(text, ",\n");
        phrase p = {.number = spec->count + 1};
        int status = split_words(text, text + length, &p);
        /* A comma at the end of a line, and empty lines, do no harm; two commas in a row are a slip. */
        if (!status && p.count == 0 && text[length] == ',')
            status = cnn_fail(CNN_BAD_ARGUMENT, "net: layer %d is empty", p.number);
        if (!status && p.count && spec->count == MOST_LAYERS)
            status = cnn_fail(CNN_BAD_ARGUMENT, "net: more than %d layers", MOST_LAYERS);
        if (!status && p.count) {
            cnn_spec_layer layer = {0};
            status = parse_layer(&p, &layer);
            spec->layers[spec->count++] = layer;
        }
        if (status)
            return status;
        text += length + (text[length] != '\0');
    }
    return spec->count ? CNN_OK : cnn_fail(CNN_BAD_ARGUMENT, "net: no layers");
}

int cnn_spec_parse(const char *text, cnn_spec *out)
{
    cnn_spec spec = {.layers = calloc(MOST_LAYERS + 1, sizeof *spec.layers)};
    char *plain = without_comments(text);
    int status = CNN_OK;
    if (!spec.layers || !plain)
        status = cnn_fail(CNN_NO_MEMORY, "net: no memory for its text");
    if (!status)
        status = parse_layers(plain, &spec);
    if (!status)
        status = write_text(&spec);
    free(plain);
    if (status)
        cnn_spec_free(&spec);
    else
        *out = spec;
    return status;
}

void cnn_spec_free(cnn_spec *spec)
{
    free(spec->layers);
    free(spec->text);
    *spec = (cnn_spec){0};
}

int cnn_spec_resize(const char *text, int layer, int outputs, char **out)
{
    cnn_spec spec;
    int status = cnn_spec_parse(text, &spec);
    if (status)
        return status;
    free(spec.text);
    spec.text = NULL;
    spec.layers[layer].outputs = outputs;
    status = write_text(&spec);
    if (!status) {
        *out = spec.text;
        spec.text = NULL;
    }
    cnn_spec_free(&spec);
    return status;
}
