/* SPDX-License-Identifier: BSD-3-Clause */
/* The command `eval`: loss and accuracy of a checkpoint on a set. */
#include "cnn/checkpoint.h"
#include "cnn/status.h"
#include "cnn/trainer.h"
#include "command.h"
#include "data_source.h"
#include "exit_status.h"
#include "file_network.h"
#include "json_number.h"
#include "tell.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char details[] = "The network is the one that the checkpoint names. A file from elsewhere names "
                              "none: --net tells it, and the file "
                              "must hold its tensors under PyTorch's names and shapes (conv1.weight "
                              "[K,C,R,S], conv1.bias, fc1.weight [OUT,IN], ...).\n\n"
                              "Exit status: 0 done; 1 failed; 2 the call or a file it names cannot be used.";

static const app_option options[] = {
    {.name = "data",
     .kind = OPTION_TEXT,
     .argument = "DIR",
     .names = OPTION_NAMES_FOLDER,
     .help = "Folder with the four IDX files of a set, plain or gzip"},
    {.name = "set",
     .kind = OPTION_CHOICE,
     .argument = "test|validation|train",
     .fallback = "test",
     .help = "Which of its sets"},
    {.name = "validation",
     .kind = OPTION_WHOLE,
     .argument = "N",
     .most = UINT32_MAX - 1,
     .help = "How many of the last training images validate; a twelfth (MNIST: 5,000) unless given"},
    {.name = "net",
     .kind = OPTION_TEXT,
     .argument = "SPEC|FILE",
     .names = OPTION_NAMES_FILE,
     .help = "The network of a file that names none"},
    {.name = "batch",
     .kind = OPTION_WHOLE,
     .argument = "N",
     .fallback = "100",
     .least = 1,
     .most = 1000000,
     .help = "Images at a time; the result does not depend on it"},
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
     .help = "Print an object with accuracy, loss, evaluated and correct"},
    {0},
};

/* What an evaluation needs; all owned. */
typedef struct evaluated {
    cnn_safetensors *file;
    cnn_checkpoint_info info;
    cnn_data data;
    cnn_net *net;
    cnn_threads *threads;
} evaluated;

static int load_data(const option_values *values, evaluated *all)
{
    const char *folder = option_text(values, "data");
    if (!folder)
        return cnn_fail(CNN_BAD_ARGUMENT,
                        "--data is missing: the folder of the images (make data fetches MNIST)");
    const int classes = option_text(values, "classes") ? (int)option_whole(values, "classes")
                        : all->info.classes            ? all->info.classes
                                                       : 10;
    const uint32_t validation = option_text(values, "validation")
                                    ? (uint32_t)option_whole(values, "validation")
                                    : CNN_VALIDATION_TWELFTH;
    return data_source_load(folder, classes, validation, !strcmp(option_text(values, "set"), "test"),
                            &all->data);
}

static const cnn_dataset *chosen_set(const option_values *values, const cnn_data *data)
{
    const char *name = option_text(values, "set");
    return !strcmp(name, "test") ? &data->test : !strcmp(name, "train") ? &data->train : &data->validation;
}

static void print_result(const option_values *values, const cnn_evaluation *result)
{
    if (!option_text(values, "json")) {
        printf("accuracy %.2f %% (%u of %u), loss %.6f\n", 100 * result->accuracy, result->correct,
               result->count, result->loss);
        return;
    }
    json_t *object = json_pack("{s:o, s:o, s:I, s:I}", "accuracy", json_number(result->accuracy), "loss",
                               json_number(result->loss), "evaluated", (json_int_t)result->count, "correct",
                               (json_int_t)result->correct);
    json_dumpf(object, stdout, 0);
    putchar('\n');
    json_decref(object);
}

static int evaluate(const option_values *values, evaluated *all)
{
    int status = cnn_safetensors_open(operand_at(values, 0), &all->file);
    if (!status)
        status = cnn_checkpoint_describe(all->file, &all->info);
    if (!status)
        status = load_data(values, all);
    const cnn_dataset *set = chosen_set(values, &all->data);
    if (!status && set->count == 0)
        status = cnn_fail(CNN_BAD_ARGUMENT, "--set: the %s set has no images", option_text(values, "set"));
    if (!status)
        status = file_network_make(all->file, &all->info, option_text(values, "net"), set, &all->net);
    if (!status)
        status = cnn_threads_create((int)option_whole(values, "threads"), &all->threads);
    cnn_evaluation result;
    if (!status)
        status = cnn_evaluate(all->net, set, (uint32_t)option_whole(values, "batch"), all->threads, &result);
    if (!status)
        print_result(values, &result);
    return status;
}

static int run(const app_command *self, option_values *values)
{
    (void)self;
    evaluated all = {0};
    const int status = evaluate(values, &all);
    if (status)
        tell_error("%s", cnn_message());
    cnn_threads_free(all.threads);
    cnn_net_free(all.net);
    cnn_data_free(&all.data);
    cnn_safetensors_close(all.file);
    return !status ? EXIT_DONE : status == CNN_NO_MEMORY ? EXIT_FAILED : EXIT_BAD_INPUT;
}

const app_command command_eval = {.name = "eval",
                                  .operands = "CHECKPOINT",
                                  .least = 1,
                                  .most = 1,
                                  .summary = "loss and accuracy of a checkpoint",
                                  .details = details,
                                  .options = options,
                                  .run = run};
