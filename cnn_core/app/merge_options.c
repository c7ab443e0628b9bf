/* SPDX-License-Identifier: BSD-3-Clause */
#include "merge_options.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

const app_option merge_options[] = {
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .argument = "FILE",
     .names = OPTION_NAMES_FILE,
     .help = "The new checkpoint"},
    {.name = "data",
     .kind = OPTION_TEXT,
     .argument = "DIR",
     .names = OPTION_NAMES_FOLDER,
     .help = "Folder with the four IDX files of a set, plain or gzip"},
    {.name = "threshold",
     .kind = OPTION_REAL,
     .argument = "R",
     .low = -1,
     .high = 1,
     .help =
         "Correlation of activations from which units are similar; -1, all are, where --keep or --most is "
         "given"},
    {.name = "layers",
     .kind = OPTION_TEXT,
     .argument = "NAME+...",
     .help = "Layers to merge, such as conv1+conv2; all convolutions unless given"},
    {.name = "keep",
     .kind = OPTION_TEXT,
     .argument = "N+...",
     .help = "Merge no further once a layer has N units; one number for all layers, or one for each"},
    {.name = "most",
     .kind = OPTION_WHOLE,
     .argument = "N",
     .least = 1,
     .most = 1u << 20,
     .help = "Take at most N units from a layer"},
    {.name = "minimum",
     .kind = OPTION_WHOLE,
     .argument = "N",
     .fallback = "1",
     .least = 1,
     .most = 1u << 20,
     .help = "Leave a layer at least N units"},
    {.name = "bound",
     .kind = OPTION_REAL,
     .argument = "LOSS",
     .low = 0,
     .high = 1e30,
     .help = "Write nothing if the predicted loss rises by more, all layers together"},
    {.name = "method",
     .kind = OPTION_CHOICE,
     .argument = "similar|norm|random",
     .fallback = "similar",
     .help = "How units are chosen"},
    {.name = "probe",
     .kind = OPTION_WHOLE,
     .argument = "N",
     .fallback = "1000",
     .least = 1,
     .most = UINT32_MAX,
     .help = "Training images on which similarity is measured and the loss predicted"},
    {.name = "seed",
     .kind = OPTION_WHOLE,
     .argument = "N",
     .fallback = "1",
     .most = UINT64_MAX,
     .help = "Of the choice of the probe, and of method random"},
    {.name = "set",
     .kind = OPTION_CHOICE,
     .argument = "test|validation|train",
     .fallback = "test",
     .help = "The set on which the change is measured"},
    {.name = "validation",
     .kind = OPTION_WHOLE,
     .argument = "N",
     .most = UINT32_MAX - 1,
     .help = "How many of the last training images validate; a twelfth (MNIST: 5,000) unless given"},
    {.name = "net",
     .kind = OPTION_TEXT,
     .argument = "SPEC|FILE",
     .names = OPTION_NAMES_FILE,
     .help = "The network of a file that names none, or not the widths that it has"},
    {.name = "classes",
     .kind = OPTION_WHOLE,
     .argument = "N",
     .least = 1,
     .most = 256,
     .help = "Labels are in 0..N-1; what the checkpoint says, or 10, unless given"},
    {.name = "threads",
     .kind = OPTION_WHOLE,
     .argument = "N",
     .fallback = "0",
     .most = 256,
     .help = "Threads; 0: one per processor"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .help = "Print an object with what was merged, predicted and measured"},
    {0},
};

int merge_options_check(const option_values *values)
{
    if (!option_text(values, "output"))
        return cnn_fail(CNN_BAD_ARGUMENT, "--output is missing: the file for the merged network");
    if (!option_text(values, "data"))
        return cnn_fail(CNN_BAD_ARGUMENT,
                        "--data is missing: the folder of the images (make data fetches MNIST)");
    const int is_similar = !strcmp(option_text(values, "method"), "similar");
    const int has_number = option_text(values, "keep") || option_text(values, "most");
    if (is_similar && !has_number && !option_text(values, "threshold"))
        return cnn_fail(CNN_BAD_ARGUMENT, "--threshold, --keep or --most must say how far to merge");
    if (!is_similar && !has_number)
        return cnn_fail(CNN_BAD_ARGUMENT, "--keep or --most must say how many units method %s leaves out",
                        option_text(values, "method"));
    if (!is_similar && option_text(values, "threshold"))
        return cnn_fail(CNN_BAD_ARGUMENT, "--threshold: method %s has none", option_text(values, "method"));
    return CNN_OK;
}

/* Number `index` of a list N+M+...; the only one there is holds for all. */
static int parse_keep(const char *text, int index, int *out)
{
    const char *at = text;
    for (int i = 0; i < index && strchr(text, '+') && at; i++) {
        at = strchr(at, '+');
        at += at != NULL;
    }
    if (!at)
        return cnn_fail(CNN_BAD_ARGUMENT,
                        "--keep: \"%s\" has no number for layer %d of those that are merged", text,
                        index + 1);
    char *number = text_format("%.*s", (int)strcspn(at, "+"), at);
    uint64_t value;
    const int status = cnn_parse_whole("--keep", number, 1, 1u << 20, &value);
    free(number);
    if (!status)
        *out = (int)value;
    return status;
}

int merge_options_of(const option_values *values, int index, cnn_merge_options *out)
{
    *out = cnn_merge_defaults();
    cnn_merge_method_parse(option_text(values, "method"), &out->method);
    out->threshold = option_text(values, "threshold") ? option_real(values, "threshold") : -1;
    out->most = option_text(values, "most") ? (int)option_whole(values, "most") : 0;
    out->minimum = (int)option_whole(values, "minimum");
    out->seed = option_whole(values, "seed");
    return option_text(values, "keep") ? parse_keep(option_text(values, "keep"), index, &out->keep) : CNN_OK;
}

/* There must be one number, or as many as layers. */
static int check_keep(const option_values *values, int layers)
{
    const char *text = option_text(values, "keep");
    int count = 1, keep, status = CNN_OK;
    for (const char *at = text; at && (at = strchr(at, '+')); at++)
        count++;
    if (text && count > 1 && count != layers)
        return cnn_fail(CNN_BAD_ARGUMENT, "--keep: \"%s\" has %d numbers for %d layers", text, count, layers);
    for (int i = 0; text && i < count && !status; i++)
        status = parse_keep(text, i, &keep);
    return status;
}

int merge_options_layers(const option_values *values, const cnn_net *net, int *chosen)
{
    const char *given = option_text(values, "layers");
    int count = 0;
    for (int i = 0; !given && i < net->layer_count; i++)
        if (net->layers[i].kind == CNN_CONV)
            chosen[i] = ++count;
    if (!given && !count)
        return cnn_fail(CNN_BAD_ARGUMENT, "--layers is missing: \"%s\" has no convolution", net->spec);
    char *names = text_copy(given ? given : ""), *rest = given ? names : NULL;
    int status = CNN_OK;
    for (const char *name; !status && (name = strsep(&rest, "+"));) {
        int layer;
        status = cnn_merge_find_layer(net, name, &layer);
        if (status)
            status = cnn_fail(status, "--layers: %s", cnn_message());
        else if (chosen[layer])
            status = cnn_fail(CNN_BAD_ARGUMENT, "--layers: \"%s\" is there twice", name);
        else
            chosen[layer] = ++count;
    }
    free(names);
    return status ? status : check_keep(values, count);
}
