/* SPDX-License-Identifier: BSD-3-Clause */
#define _XOPEN_SOURCE 700 /* nftw */
#include "small_session.h"
#include "cnn/status.h"
#include "command.h"
#include "fuzz.h"
#include "train_paths.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IMAGES = 24, SIDE = 6, STEPS = 3, USES = 100 };

static struct {
    char folder[64], data[80], run[80];
    train_plan plan;
    option_values *values;
    run_folder run_folder;
    app_session *session;
    int uses;
} small;

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about, (void)kind, (void)place;
    return remove(path);
}

static void end(void)
{
    if (small.session) {
        session_close(small.session);
        run_folder_close(&small.run_folder);
        train_plan_free(&small.plan);
        options_free(small.values);
    }
    small.session = NULL;
    nftw(small.run, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void end_all(void)
{
    end();
    nftw(small.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_idx(const char *name, int dimensions, const uint8_t *values, size_t count)
{
    const uint8_t head[] = {0, 0, 8, (uint8_t)dimensions, 0, 0, 0, IMAGES, 0, 0, 0, SIDE, 0, 0, 0, SIDE};
    char path[160];
    snprintf(path, sizeof path, "%s/%s-idx%d-ubyte", small.data, name, dimensions);
    FILE *file = fopen(path, "wb");
    const size_t head_bytes = 4 + 4 * (size_t)dimensions;
    fuzz_require(file && fwrite(head, 1, head_bytes, file) == head_bytes &&
                     fwrite(values, 1, count, file) == count && !fclose(file),
                 "a data set can be written");
}

static void make_data(void)
{
    uint8_t pixels[IMAGES * SIDE * SIDE], labels[IMAGES];
    /* Not on a disk, where there is memory: what is saved is synced each time. */
    snprintf(small.folder, sizeof small.folder, "%s/weightscape-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    fuzz_require(mkdtemp(small.folder) != NULL, "a folder can be made");
    atexit(end_all);
    snprintf(small.data, sizeof small.data, "%s/data", small.folder);
    snprintf(small.run, sizeof small.run, "%s/run", small.folder);
    fuzz_require(mkdir(small.data, 0700) == 0, "a folder can be made");
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * i * 37 % 251);
    for (size_t i = 0; i < IMAGES; i++)
        labels[i] = (uint8_t)(i % 3);
    write_idx("train-images", 3, pixels, sizeof pixels);
    write_idx("train-labels", 1, labels, sizeof labels);
    write_idx("t10k-images", 3, pixels, sizeof pixels);
    write_idx("t10k-labels", 1, labels, sizeof labels);
}

static void begin(void)
{
    char *words[] = {"train",
                     "--data",
                     small.data,
                     "--run",
                     small.run,
                     "--net",
                     "conv 6 3x3, relu, dropout 0.25, conv 5 3x3, relu, dropout 0.5, linear 3",
                     "--classes",
                     "3",
                     "--epochs",
                     "50",
                     "--batch",
                     "4",
                     "--validation",
                     "4",
                     "--threads",
                     "1",
                     "--insitu",
                     "none",
                     "--optimizer",
                     "momentum",
                     "--quiet",
                     NULL};
    int count = 0;
    while (words[count])
        count++;
    small.plan = (train_plan){0};
    small.run_folder = (run_folder){.lock = -1};
    fuzz_require(options_parse(&command_train, count, words, &small.values) == OPTIONS_GOOD &&
                     !train_options_check(small.values) && !train_paths_make_absolute(small.values) &&
                     !train_plan_make(small.values, &small.plan),
                 "the call of the training is right");
    if (session_open(&small.plan, small.values, &small.run_folder, NULL, NULL, &small.session))
        fuzz_require_line(cnn_message(), "a training begins");
    for (int i = 0; i < STEPS; i++)
        cnn_trainer_step(small.session->trainer, NULL, &small.session->last);
    small.uses = 0;
}

app_session *small_session(void)
{
    if (!small.folder[0])
        make_data();
    if (!small.session || small.uses++ == USES) {
        end();
        begin();
    }
    app_steer *steer = &small.session->steer;
    *steer = (app_steer){.refusal_told = steer->refusal_told};
    return small.session;
}

app_session *small_session_return(void)
{
    if (session_is_to_return(small.session))
        fuzz_require(!session_return(&small.session), "a merge that can be undone is undone");
    return small.session;
}
