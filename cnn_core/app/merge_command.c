/* SPDX-License-Identifier: BSD-3-Clause */
/* The command `merge`: a checkpoint whose similar units are merged. */
#include "cnn/checkpoint.h"
#include "cnn/merge.h"
#include "cnn/probe.h"
#include "cnn/status.h"
#include "cnn/trainer.h"
#include "command.h"
#include "data_source.h"
#include "exit_status.h"
#include "file_network.h"
#include "merge_options.h"
#include "merge_report.h"
#include "tell.h"
#include "text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char details[] =
    "Units of a layer (filters of a convolution, neurons of a linear layer) whose activations correlate at "
    "least "
    "as --threshold says become one: it stays as it is, and the next layer reads from it, times a factor and "
    "plus "
    "an offset fitted by least squares, what it read from the others. Moments of the optimizer follow. The "
    "network, its initial values and a history of merges are in the new file, which `train`, `eval`, `info` "
    "and "
    "`merge` take like any other.\n\n"
    "The probe is chosen among the training images: similarity is measured on it, and the change of the loss "
    "over "
    "it is the prediction. What is measured is the change over --set. Layers are merged one after the other, "
    "in "
    "the network's order.\n\n"
    "Methods `norm` and `random` are there to be compared with: they leave out the units with the smallest "
    "weights, or any, and nobody speaks for them.\n\n"
    "Exit status: 0 done, also where there was nothing to merge; 1 failed, or the loss would rise beyond "
    "--bound: "
    "nothing is written then; 2 the call or a file it names cannot be used.";

enum { BATCH = 100 };

/* What merging needs; all owned. */
typedef struct merging {
    cnn_safetensors *file;
    cnn_checkpoint_info info;
    cnn_data data;
    const cnn_dataset *set; /* on which the change is measured */
    cnn_probe probe;
    cnn_net *net;
    cnn_optimizer *optimizer; /* NULL: the file has none */
    cnn_threads *threads;
    json_t *layers;   /* reports */
    double predicted; /* change of the loss over the probe so far */
} merging;

static int load_data(const option_values *values, merging *all)
{
    const int classes = option_text(values, "classes") ? (int)option_whole(values, "classes")
                        : all->info.classes            ? all->info.classes
                                                       : 10;
    const uint32_t validation = option_text(values, "validation")
                                    ? (uint32_t)option_whole(values, "validation")
                                    : CNN_VALIDATION_TWELFTH;
    int status = data_source_load(option_text(values, "data"), classes, validation, 0, &all->data);
    if (status)
        return status;
    const char *name = option_text(values, "set");
    all->set = !strcmp(name, "test")    ? &all->data.test
               : !strcmp(name, "train") ? &all->data.train
                                        : &all->data.validation;
    if (all->set->count == 0)
        return cnn_fail(CNN_BAD_ARGUMENT, "--set: the %s set has no images", name);
    return cnn_probe_create(&all->data.train, (uint32_t)option_whole(values, "probe"),
                            option_whole(values, "seed"), &all->probe);
}

/* A file whose moments were left out by whoever edited it is welcome without them. */
static int load_optimizer(merging *all)
{
    if (!all->info.has_optimizer)
        return CNN_OK;
    const cnn_optimizer_options about = cnn_optimizer_defaults(all->info.optimizer);
    int status = cnn_optimizer_create(&about, all->net, &all->optimizer);
    if (!status)
        status = cnn_checkpoint_load_optimizer(all->file, all->net, all->optimizer);
    if (status != CNN_BAD_FILE)
        return status;
    tell_warning("%s; the new file has no state of an optimizer", cnn_message());
    cnn_optimizer_free(all->optimizer);
    all->optimizer = NULL;
    return CNN_OK;
}

static int load_all(const option_values *values, merging *all)
{
    int status = merge_options_check(values);
    if (!status)
        status = cnn_safetensors_open(operand_at(values, 0), &all->file);
    if (!status)
        status = cnn_checkpoint_describe(all->file, &all->info);
    if (!status)
        status = load_data(values, all);
    if (!status)
        status = file_network_make(all->file, &all->info, option_text(values, "net"), all->set, &all->net);
    if (!status)
        status = load_optimizer(all);
    if (!status) {
        const int loaded = cnn_checkpoint_load_gradients(all->file, all->net);
        status = loaded < 0 ? loaded : CNN_OK;
    }
    return status ? status : cnn_threads_create((int)option_whole(values, "threads"), &all->threads);
}

/* Merges one layer, number `index` of those that are merged; *measured is the state of the set before, and
 * becomes that after it. */
static int merge_layer(const option_values *values, int layer, int index, merging *all,
                       cnn_evaluation *measured)
{
    cnn_merge_options how;
    cnn_merge_plan plan;
    int status = merge_options_of(values, index, &how);
    if (!status)
        status = cnn_merge_plan_make(all->net, layer, &how, &all->probe.set, all->threads, &plan);
    if (status)
        return status;
    cnn_net *merged = NULL;
    cnn_optimizer *optimizer = NULL;
    cnn_evaluation after = *measured;
    status = cnn_merge_apply(&plan, all->net, all->optimizer, all->info.step, &merged, &optimizer);
    if (!status && plan.after < plan.before)
        status = cnn_evaluate(merged, all->set, BATCH, all->threads, &after);
    if (!status) {
        const double change = after.loss - measured->loss;
        if (plan.after < plan.before)
            merged->merges[merged->merge_count - 1].measured = change;
        json_array_append_new(all->layers, merge_report_layer(all->net, &plan, change));
        all->predicted += cnn_merge_predicted(&plan);
        *measured = after;
        cnn_net_free(all->net);
        cnn_optimizer_free(all->optimizer);
        all->net = merged;
        all->optimizer = optimizer;
    } else {
        cnn_net_free(merged);
        cnn_optimizer_free(optimizer);
    }
    cnn_merge_plan_free(&plan);
    return status;
}

/* Tells, if the loss would rise too much. */
static int is_beyond_bound(const option_values *values, const merging *all)
{
    if (!option_text(values, "bound") || all->predicted <= option_real(values, "bound"))
        return 0;
    tell_error("the predicted loss rises by %.6g, --bound allows %s; nothing is written", all->predicted,
               option_text(values, "bound"));
    return 1;
}

static int merge_all(const option_values *values, merging *all, cnn_evaluation *before, cnn_evaluation *after)
{
    int *chosen = memory_of((size_t)all->net->layer_count, sizeof *chosen);
    int status = merge_options_layers(values, all->net, chosen);
    if (!status)
        status = cnn_evaluate(all->net, all->set, BATCH, all->threads, before);
    if (!status && !isfinite(before->loss))
        status = cnn_fail(CNN_BAD_FILE, "%s: the loss of its network on the %s set is not finite",
                          cnn_safetensors_path(all->file), option_text(values, "set"));
    *after = *before;
    for (int i = 0; i < all->net->layer_count && !status; i++)
        if (chosen[i])
            status = merge_layer(values, i, chosen[i] - 1, all, after);
    free(chosen);
    return status;
}

static void print_result(const option_values *values, merging *all, const cnn_evaluation *before,
                         const cnn_evaluation *after)
{
    json_t *report = merge_report(json_incref(all->layers), all->predicted, option_text(values, "set"),
                                  before, after, all->net, option_text(values, "output"));
    if (option_text(values, "json")) {
        json_dumpf(report, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        merge_report_print(report);
    }
    json_decref(report);
}

/* Returns an exit status. */
static int merge(const option_values *values, merging *all)
{
    cnn_evaluation before = {0}, after = {0};
    int status = load_all(values, all);
    if (!status)
        status = merge_all(values, all, &before, &after);
    if (status) {
        tell_error("%s", cnn_message());
        return status == CNN_NO_MEMORY ? EXIT_FAILED : EXIT_BAD_INPUT;
    }
    if (is_beyond_bound(values, all))
        return EXIT_FAILED;
    if (cnn_checkpoint_save(option_text(values, "output"), all->net, all->optimizer, all->info.step)) {
        tell_error("%s", cnn_message());
        return EXIT_FAILED;
    }
    print_result(values, all, &before, &after);
    return EXIT_DONE;
}

static int run(const app_command *self, option_values *values)
{
    (void)self;
    merging all = {.layers = json_array()};
    const int exit_status = merge(values, &all);
    json_decref(all.layers);
    cnn_threads_free(all.threads);
    cnn_optimizer_free(all.optimizer);
    cnn_net_free(all.net);
    cnn_probe_free(&all.probe);
    cnn_data_free(&all.data);
    cnn_safetensors_close(all.file);
    return exit_status;
}

const app_command command_merge = {.name = "merge",
                                   .operands = "CHECKPOINT",
                                   .least = 1,
                                   .most = 1,
                                   .summary = "a checkpoint with similar units merged",
                                   .details = details,
                                   .options = merge_options,
                                   .run = run};
