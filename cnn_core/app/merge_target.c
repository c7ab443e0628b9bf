/* SPDX-License-Identifier: BSD-3-Clause */
/* What a line of merging means for a network: its layers, and the line that means the same without a doubt.
 */
#include "cnn/number.h"
#include "cnn/status.h"
#include "merge_spec.h"
#include "text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int convolutions(const cnn_net *net)
{
    int count = 0;
    for (int i = 0; i < net->layer_count; i++)
        count += net->layers[i].kind == CNN_CONV;
    return count;
}

int merge_spec_layer_count(const merge_spec *spec, const cnn_net *net)
{
    return spec->layer_count ? spec->layer_count : convolutions(net);
}

const char *merge_spec_layer(const merge_spec *spec, const cnn_net *net, int index)
{
    if (spec->layer_count)
        return spec->layers[index];
    for (int i = 0; i < net->layer_count; i++)
        if (net->layers[i].kind == CNN_CONV && !index--)
            return net->layers[i].name;
    return NULL;
}

cnn_merge_options merge_spec_options(const merge_spec *spec, int index, uint64_t seed)
{
    cnn_merge_options options = spec->options;
    options.keep = spec->keep_count > 1 ? spec->keep[index] : spec->keep_count ? spec->keep[0] : 0;
    options.seed = seed;
    return options;
}

int merge_spec_check(const char *what, const merge_spec *spec, const cnn_net *net)
{
    const int count = merge_spec_layer_count(spec, net);
    if (!count)
        return cnn_fail(CNN_BAD_ARGUMENT, "%s: the network has no convolution (layers= names what to merge)",
                        what);
    if (spec->keep_count > 1 && spec->keep_count != count)
        return cnn_fail(CNN_BAD_ARGUMENT, "%s: keep: %d numbers for %d layers", what, spec->keep_count,
                        count);
    for (int i = 0; i < count; i++) {
        int index;
        if (cnn_merge_find_layer(net, merge_spec_layer(spec, net, i), &index)) {
            char *told = text_copy(cnn_message());
            const int status = cnn_fail(CNN_BAD_ARGUMENT, "%s: layers: %s", what, told);
            free(told);
            return status;
        }
    }
    return CNN_OK;
}

int merge_spec_check_keep(const char *what, const merge_spec *spec, const cnn_net *net)
{
    for (int i = 0; i < merge_spec_layer_count(spec, net); i++) {
        int index;
        if (cnn_merge_find_layer(net, merge_spec_layer(spec, net, i), &index))
            continue;
        const cnn_layer *layer = &net->layers[index];
        const int keep = merge_spec_options(spec, i, 0).keep;
        if (keep > layer->out.c)
            return cnn_fail(CNN_BAD_ARGUMENT, "%s: keep: %d is more than the %d of \"%s\"", what, keep,
                            layer->out.c, layer->name);
    }
    return CNN_OK;
}

/* ---- as text ---- */

/* `text` and one more; frees `text`. */
static char *add(char *text, const char *key, const char *value)
{
    char *longer = text_format("%s%s%s=%s", text, *text ? "," : "", key, value);
    free(text);
    return longer;
}

static char *add_real(char *text, const char *key, double value)
{
    char number[CNN_NUMBER_SIZE];
    return add(text, key, cnn_format_real(value, number));
}

static char *add_whole(char *text, const char *key, int value)
{
    char number[24];
    snprintf(number, sizeof number, "%d", value);
    return add(text, key, number);
}

static char *layers_text(const merge_spec *spec, const cnn_net *net)
{
    char *names = text_copy("");
    for (int i = 0; i < merge_spec_layer_count(spec, net); i++) {
        char *longer = text_format("%s%s%s", names, i ? "+" : "", merge_spec_layer(spec, net, i));
        free(names);
        names = longer;
    }
    return names;
}

static char *keep_text(const merge_spec *spec)
{
    char *numbers = text_copy("");
    for (int i = 0; i < spec->keep_count; i++) {
        char *longer = text_format("%s%s%d", numbers, i ? "+" : "", spec->keep[i]);
        free(numbers);
        numbers = longer;
    }
    return numbers;
}

char *merge_spec_text(const merge_spec *spec, const cnn_net *net)
{
    char *layers = layers_text(spec, net), *keep = keep_text(spec);
    char *text = add(text_copy(""), "layers", layers);
    text = add(text, "method", cnn_merge_method_name(spec->options.method));
    if (spec->has_threshold)
        text = add_real(text, "threshold", spec->options.threshold);
    if (spec->keep_count)
        text = add(text, "keep", keep);
    if (spec->options.most)
        text = add_whole(text, "most", spec->options.most);
    text = add_whole(text, "minimum", spec->options.minimum);
    if (isfinite(spec->bound))
        text = add_real(text, "bound", spec->bound);
    text = add_whole(text, "probe", (int)spec->probe);
    free(layers);
    free(keep);
    return text;
}
