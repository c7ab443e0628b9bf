/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/dataset.h"
#include "cnn/idx.h"
#include "cnn/status.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The two spellings in use, plain before gzip; the first that exists is taken. */
static const char *const spellings[] = {"-idx%d-ubyte", ".idx%d-ubyte", "-idx%d-ubyte.gz", ".idx%d-ubyte.gz"};
enum { SPELLINGS = sizeof spellings / sizeof spellings[0], NAME_SIZE = 64 };

/* FOLDER/NAME<spelling>, freshly allocated; NULL without memory. */
static char *candidate(const char *folder, const char *name, int dimensions, int spelling)
{
    char ending[NAME_SIZE];
    snprintf(ending, sizeof ending, spellings[spelling], dimensions);
    const size_t size = strlen(folder) + strlen(name) + sizeof ending + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s/%s%s", folder, name, ending);
    return path;
}

static int missing_file(const char *folder, const char *name, int dimensions)
{
    struct stat about;
    if (stat(folder, &about) < 0)
        return cnn_fail(CNN_IO_FAILED, "%s: %s (make data fetches MNIST)", folder, strerror(errno));
    if (!S_ISDIR(about.st_mode))
        return cnn_fail(CNN_BAD_FILE, "%s: is not a folder", folder);
    return cnn_fail(CNN_BAD_FILE, "%s: has no %s-idx%d-ubyte, plain or .gz (make data fetches MNIST)", folder,
                    name, dimensions);
}

/* Tells which of several candidates is read. */
static int note_choice(const cnn_data_options *options, const char *taken, int others)
{
    const size_t size = strlen(taken) + NAME_SIZE;
    char *line = malloc(size);
    if (!line)
        return cnn_fail(CNN_NO_MEMORY, "%s: no memory for a message", taken);
    snprintf(line, size, "%s is read; %d other file%s of its kind %s not", taken, others,
             others > 1 ? "s" : "", others > 1 ? "are" : "is");
    cnn_one_line(line);
    options->note(options->note_context, line);
    free(line);
    return CNN_OK;
}

/* The path of the first spelling that exists, freshly allocated. */
static int find_file(const char *folder, const char *name, int dimensions, const cnn_data_options *options,
                     char **out)
{
    char *taken = NULL;
    int found = 0, status = CNN_OK;
    for (int i = 0; i < SPELLINGS && !status; i++) {
        char *path = candidate(folder, name, dimensions, i);
        if (!path)
            status = cnn_fail(CNN_NO_MEMORY, "%s: no memory for a file name", folder);
        else if (access(path, F_OK) == 0)
            found++;
        else if (errno != ENOENT && errno != ENOTDIR)
            status = cnn_fail(CNN_IO_FAILED, "%s: %s", path, strerror(errno));
        if (found == 1 && !taken)
            taken = path;
        else
            free(path);
    }
    if (!status && !taken)
        status = missing_file(folder, name, dimensions);
    if (!status && found > 1 && options->note)
        status = note_choice(options, taken, found - 1);
    if (status)
        free(taken);
    else
        *out = taken;
    return status;
}

/* Images (3 or 4 dimensions) or labels (1) from a folder. */
static int read_file(const char *folder, const char *name, int labels, const cnn_data_options *options,
                     cnn_idx *idx, char **path)
{
    int status = find_file(folder, name, labels ? 1 : 3, options, path);
    if (status)
        return status;
    status = cnn_idx_read(*path, idx);
    if (!status && labels && idx->dimensions != 1)
        status = cnn_fail(CNN_BAD_FILE, "%s: is an images file (%d dimensions) where labels belong", *path,
                          idx->dimensions);
    if (!status && !labels && idx->dimensions < 3)
        status = cnn_fail(CNN_BAD_FILE, "%s: is a %s (%d dimension%s) where images belong", *path,
                          idx->dimensions == 1 ? "labels file" : "matrix", idx->dimensions,
                          idx->dimensions == 1 ? "" : "s");
    if (!status && idx->extent[0] == 0)
        status = cnn_fail(CNN_BAD_FILE, "%s: holds no %s", *path, labels ? "labels" : "images");
    if (status) {
        cnn_idx_free(idx);
        free(*path);
        *path = NULL;
    }
    return status;
}

static int check_labels(const char *path, const cnn_idx *labels, int classes)
{
    uint32_t lowest = UINT32_MAX, highest = 0, bad = UINT32_MAX;
    for (uint32_t i = 0; i < labels->extent[0]; i++) {
        const uint32_t label = labels->values[i];
        lowest = label < lowest ? label : lowest;
        highest = label > highest ? label : highest;
        if (label >= (uint32_t)classes && bad == UINT32_MAX)
            bad = i;
    }
    if (bad == UINT32_MAX)
        return CNN_OK;
    return cnn_fail(CNN_BAD_FILE, "%s: label %u of record %u is not in 0..%d%s", path, labels->values[bad],
                    bad, classes - 1,
                    lowest == 1 && highest == (uint32_t)classes ? " (labels seem to count from 1)" : "");
}

static int check_images(const char *path, const cnn_idx *images)
{
    for (int i = 1; i < images->dimensions; i++)
        if (images->extent[i] > 1u << 20)
            return cnn_fail(CNN_BAD_FILE, "%s: extent %u of dimension %d is above 2^20", path,
                            images->extent[i], i);
    return CNN_OK;
}

/* One pair of files; the memory goes to memory[0] (pixels) and memory[1] (labels). */
static int load_pair(const char *folder, const char *prefix, const cnn_data_options *options,
                     cnn_dataset *out, void **memory)
{
    char name[NAME_SIZE], *images_path = NULL, *labels_path = NULL;
    cnn_idx images = {0}, labels = {0};
    snprintf(name, sizeof name, "%s-images", prefix);
    int status = read_file(folder, name, 0, options, &images, &images_path);
    if (!status) {
        snprintf(name, sizeof name, "%s-labels", prefix);
        status = read_file(folder, name, 1, options, &labels, &labels_path);
    }
    if (!status)
        status = check_images(images_path, &images);
    if (!status && images.extent[0] != labels.extent[0])
        status = cnn_fail(CNN_BAD_FILE, "%s: %u labels for the %u images of %s", labels_path,
                          labels.extent[0], images.extent[0], images_path);
    if (!status)
        status = check_labels(labels_path, &labels, options->classes);
    if (!status) {
        const int channels = images.dimensions == 4;
        *out = (cnn_dataset){.count = images.extent[0],
                             .shape = {channels ? (int)images.extent[1] : 1, (int)images.extent[1 + channels],
                                       (int)images.extent[2 + channels]},
                             .classes = options->classes,
                             .pixels = images.values,
                             .labels = labels.values};
        memory[0] = images.values;
        memory[1] = labels.values;
    } else {
        cnn_idx_free(&images);
        cnn_idx_free(&labels);
    }
    free(images_path);
    free(labels_path);
    return status;
}

/* Cuts the last `count` images off the training set. */
static int split_validation(const char *folder, uint32_t count, cnn_data *data)
{
    cnn_dataset *train = &data->train;
    if (count == CNN_VALIDATION_TWELFTH)
        count = train->count / 12;
    if (count >= train->count)
        return cnn_fail(CNN_BAD_ARGUMENT,
                        "validation: %u images of the %u training images of %s leave none to train on", count,
                        train->count, folder);
    train->count -= count;
    data->validation = *train;
    data->validation.count = count;
    data->validation.pixels += (size_t)train->count * cnn_shape_count(train->shape);
    data->validation.labels += train->count;
    return CNN_OK;
}

int cnn_data_load(const char *folder, const cnn_data_options *options, cnn_data *out)
{
    if (options->classes < 1 || options->classes > 256)
        return cnn_fail(CNN_BAD_ARGUMENT, "classes: %d is not in 1..256", options->classes);
    cnn_data data = {0};
    int status = CNN_OK;
    if (!options->test_only)
        status = load_pair(folder, "train", options, &data.train, data.memory);
    if (!status)
        status = load_pair(folder, "t10k", options, &data.test, data.memory + 2);
    const cnn_shape train = data.train.shape, test = data.test.shape;
    if (!status && !options->test_only && (train.c != test.c || train.h != test.h || train.w != test.w))
        status = cnn_fail(CNN_BAD_FILE, "%s: training images are %dx%dx%d, test images %dx%dx%d", folder,
                          train.c, train.h, train.w, test.c, test.h, test.w);
    if (!status && !options->test_only)
        status = split_validation(folder, options->validation, &data);
    if (status)
        cnn_data_free(&data);
    else
        *out = data;
    return status;
}

void cnn_data_free(cnn_data *data)
{
    for (int i = 0; i < 4; i++)
        free(data->memory[i]);
    *data = (cnn_data){0};
}

void cnn_dataset_gather(const cnn_dataset *set, const uint32_t *index, int n, float *images, uint8_t *labels)
{
    const size_t count = cnn_shape_count(set->shape);
    for (int i = 0; i < n; i++) {
        const uint8_t *pixels = set->pixels + index[i] * count;
        for (size_t p = 0; p < count; p++)
            *images++ = (float)pixels[p] / 255.0f;
        labels[i] = set->labels[index[i]];
    }
}
